"""Column types that behave alike on both databases."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from asyncpg.pgproto import pgproto
from sqlalchemy.dialects import postgresql, sqlite

from app.models.base import Id, UtcDateTime

POSTGRES, SQLITE = postgresql.dialect(), sqlite.dialect()  # type: ignore[no-untyped-call]
MOMENT = datetime(2026, 11, 22, 10, tzinfo=UTC)
TEXT = "0199f3a0-1c00-7000-8000-0000000000a1"


def test_naive_time_is_refused() -> None:
    """A time without its zone is a mistake that no database should guess about."""
    with pytest.raises(ValueError, match="naive time"):
        UtcDateTime().process_bind_param(MOMENT.replace(tzinfo=None), SQLITE)


def test_time_comes_back_aware_and_in_utc() -> None:
    """Whatever zone went in and whatever the driver gives, it is UTC."""
    kind = UtcDateTime()
    moscow = MOMENT.astimezone(timezone(timedelta(hours=3)))
    for chosen in (POSTGRES, SQLITE):
        stored = kind.process_bind_param(moscow, chosen)
        assert kind.process_result_value(stored, chosen) == MOMENT
        assert kind.process_bind_param(None, chosen) is kind.process_result_value(None, chosen) is None


def test_id_is_never_the_driver_s() -> None:
    """Asyncpg's own kind of UUID, which no JSON encoder knows, becomes a plain one."""
    value = Id().process_result_value(pgproto.UUID(TEXT), POSTGRES)
    assert type(value) is UUID
    assert str(value) == TEXT
    assert Id().process_result_value(None, POSTGRES) is None
