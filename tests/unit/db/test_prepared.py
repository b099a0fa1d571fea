"""Prepared statements write and read what SQLAlchemy itself would."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, bindparam, create_engine, insert, select, update
from sqlalchemy.exc import OperationalError

from app.db.prepared import Statements
from app.models import Base, Session, User

ANNA = UUID(int=1)
NOW = datetime(2026, 11, 22, 10, 0, 0, 123000, tzinfo=UTC)
PERSON = {
    "id": ANNA,
    "email": "anna@example.org",
    "name": "Анна",
    "password_hash": "-",
    "language": "ru",
    "time_zone": "UTC",
    "avatar_color": "#000000",
    "is_admin": True,
    "is_active": False,
    "created_at": NOW,
}
FIND = select(User, Session.ended_at).outerjoin(Session).where(User.id == bindparam("user"), User.is_admin).limit(1)


@pytest.fixture
def connection() -> Iterator[Connection]:
    """An empty database in memory."""
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def statements(connection: Connection) -> Statements:
    """Its statements."""
    return Statements(connection.dialect)


def test_rows_are_those_of_sqlalchemy(connection: Connection, statements: Statements) -> None:
    """Ids, times, booleans and NULL are written and read by their column types, and are attributes of the row."""
    statements.execute(connection, insert(User), PERSON)
    row: Any = statements.execute(connection, FIND, {"user": ANNA}).one()
    assert row == connection.execute(FIND, {"user": ANNA}).one()
    assert {name: getattr(row, name) for name in PERSON} == PERSON
    assert row.ended_at is None


def test_change_computes_and_returns(connection: Connection, statements: Statements) -> None:
    """A constant within the statement keeps its value, and RETURNING gives what is stored now."""
    statements.execute(connection, insert(User), PERSON)
    rename = update(User).where(User.id == bindparam("user")).values(name=User.name + "!").returning(User.name, User.id)
    assert statements.execute(connection, rename, {"user": ANNA}).one() == ("Анна!", ANNA)
    assert statements.execute(connection, rename, {"user": ANNA}).one() == ("Анна!!", ANNA)
    assert statements.execute(connection, rename, {"user": UUID(int=2)}).one_or_none() is None


def test_statement_is_compiled_once_for_each_set_of_parameters(connection: Connection, statements: Statements) -> None:
    """The second run finds it; one with other columns is another statement."""
    statements.execute(connection, insert(User), PERSON)
    statements.execute(connection, insert(User), PERSON | {"id": UUID(int=2), "email": "boris@example.org"})
    adding = insert(Session)
    session = {"id": ANNA, "user_id": ANNA, "user_agent": "", "ip_address": "", "created_at": NOW}
    session |= {"last_used_at": NOW, "expires_at": NOW}
    statements.execute(connection, adding, session)
    statements.execute(connection, adding, session | {"id": UUID(int=2), "ended_at": NOW})
    statements.execute(connection, adding, session | {"id": UUID(int=3)})
    ended = connection.execute(select(Session.ended_at).order_by(Session.id)).scalars().all()
    assert ended == [None, NOW, None]
    assert len([key for key in statements._prepared if key[0] is adding]) == 2


def test_failure_is_told_as_sqlalchemy_tells_it(connection: Connection, statements: Statements) -> None:
    """A database that cannot do it is an OperationalError, without what was written."""
    Base.metadata.drop_all(connection)
    with pytest.raises(OperationalError) as failure:
        statements.execute(connection, insert(User), PERSON)
    assert "anna@example.org" not in str(failure.value)
