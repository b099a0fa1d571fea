"""The schema on both databases: up, down, up again, and the same as the models."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Column, Connection, MetaData, String, inspect, select, text

from app.db import migrate
from app.db.base import Engine
from app.db.engine import create_engine
from app.models import Base, Comment, LoggedEvent, Mention, Task

TABLES = {table.name for table in Base.metadata.sorted_tables}


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    """An engine on an empty database."""
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


async def tables(engine: Engine) -> set[str]:
    """Return the names of the tables there are."""
    return set(await engine.run_alone(lambda connection: inspect(connection).get_table_names(), writes=False))


async def test_schema_goes_up_down_and_up_again(engine: Engine) -> None:
    """The migrations build what the models say, take all of it away, and build it again."""
    await migrate.upgrade(engine)
    assert await tables(engine) == TABLES | {"alembic_version"}
    await migrate.check(engine)
    await migrate.downgrade(engine, "base")
    assert await tables(engine) == {"alembic_version"}
    await migrate.upgrade(engine)
    await migrate.upgrade(engine)
    await migrate.check(engine)


async def test_rows_of_the_first_schema_get_what_new_ones_have(engine: Engine) -> None:
    """Tasks and comments are found by search, events by their task, and mentions by who is mentioned."""
    await migrate.upgrade(engine, "0001")
    first_tables = await tables(engine)
    await engine.run_alone(write_first_rows)
    await migrate.upgrade(engine)

    def read(connection: Connection) -> list[object]:
        return [
            *connection.execute(select(Task.search_text, Task.archived_at)).one(),
            *connection.execute(select(Comment.search_text, Comment.deleted_at)).one(),
            *connection.execute(select(Mention.user_id, Mention.comment_id)).one(),
            *connection.execute(select(LoggedEvent.task_id).order_by(LoggedEvent.seq)).scalars(),
        ]

    expected = ["елка\nв углу", None, "@anna ели", None, USER, COMMENT, TASK, TASK, None]
    assert await engine.run_alone(read, writes=False) == expected
    await migrate.downgrade(engine, "0001")
    assert await tables(engine) == first_tables
    left = await engine.run_alone(
        lambda connection: connection.execute(text("SELECT body FROM comments")).scalars().all()
    )
    assert left == ["@Anna Ёли"]


USER, PROJECT, TASK, COMMENT = (uuid4() for _ in range(4))


def write_first_rows(connection: Connection) -> None:
    """Write a task with a comment that mentions somebody, and the events of both, by the first schema."""
    schema = MetaData()
    schema.reflect(connection)
    for name, row in first_rows().items():
        table = schema.tables[name]
        rows = row if isinstance(row, list) else [row]
        for values in rows:
            known = {key: to_column(table.c[key], value) for key, value in values.items()}
            connection.execute(table.insert().values(known))


def to_column(column: Column[Any], value: object) -> object:
    """SQLite's columns of ids are found as text: write them as our own type does."""
    return value.hex if isinstance(value, UUID) and isinstance(column.type, String) else value


def first_rows() -> dict[str, Any]:
    """Rows of the first schema, by table, parents first."""
    now = datetime(2026, 11, 22, tzinfo=UTC)
    times = {"created_at": now, "updated_at": now}
    event = {"project_id": PROJECT, "timestamp": now}
    of_task = f'{{"task_id":"{TASK}"}}'
    return {
        "users": {
            "id": USER,
            "email": "a@example.org",
            "name": "Anna",
            "password_hash": "",
            "language": "en",
            "time_zone": "UTC",
            "avatar_color": "#000000",
            "is_admin": True,
            "is_active": True,
            "created_at": now,
        },
        "projects": {
            "id": PROJECT,
            "key": "WEB",
            "name": "Web",
            "description": "",
            "visibility": "private",
            "version": 1,
            "epoch": "k3f",
            "event_seq": 3,
            "event_floor": 0,
            "last_task_number": 1,
            **times,
        },
        "tasks": {
            "id": TASK,
            "project_id": PROJECT,
            "number": 1,
            "title": "Ёлка",
            "description": "В  углу",
            "status": "todo",
            "priority": "none",
            "checklist": "[]",
            "position": "V",
            "version": 1,
            "field_versions": "{}",
            "comment_count": 1,
            **times,
        },
        "comments": {
            "id": COMMENT,
            "project_id": PROJECT,
            "task_id": TASK,
            "author_name": "Anna",
            "body": "@Anna Ёли",
            "mentions": f'["{USER}"]',
            "version": 1,
            **times,
        },
        "events": [
            {**event, "seq": 1, "type": "task_created", "data": of_task},
            {**event, "seq": 2, "type": "comment_added", "data": of_task},
            {**event, "seq": 3, "type": "project_updated", "data": "{}"},
        ],
    }


async def test_schema_that_differs_is_seen(engine: Engine) -> None:
    """The check fails when a column is missing: it can fail."""
    await migrate.upgrade(engine)
    await engine.run_alone(lambda connection: connection.execute(text("ALTER TABLE labels DROP COLUMN color")))
    with pytest.raises(Exception, match="color"):
        await migrate.check(engine)


async def test_servers_that_start_at_once_agree(database_url: str) -> None:
    """Two that bring one database up to date at the same moment both succeed."""
    engines = [create_engine(database_url) for _ in range(3)]
    try:
        await asyncio.gather(*(migrate.upgrade(engine) for engine in engines))
        assert await tables(engines[0]) == TABLES | {"alembic_version"}
        await migrate.check(engines[0])
    finally:
        for engine in engines:
            await engine.dispose()


async def test_sqlite_may_be_named_with_the_driver_of_earlier_versions(tmp_path: Path) -> None:
    """`sqlite+aiosqlite://` of an old configuration opens the same file."""
    engines = [create_engine(f"{scheme}:///{tmp_path / 'test.sqlite3'}") for scheme in ("sqlite", "sqlite+aiosqlite")]
    await migrate.upgrade(engines[0])
    assert await tables(engines[1]) == TABLES | {"alembic_version"}
    for engine in engines:
        await engine.dispose()


def test_other_databases_are_refused() -> None:
    """What was never tested is not opened."""
    with pytest.raises(ValueError, match="TIMETODO_DATABASE_URL must begin with"):
        create_engine("mysql+aiomysql://x/y")
