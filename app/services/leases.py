"""Rows that are work for any server: whoever takes one holds it for a while, and tries again later what failed."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, or_
from sqlalchemy.orm import InstrumentedAttribute

from app.db.unit_of_work import UnitOfWork
from app.models import Base

LONGEST_RETRY_S: Final = 2 * 3600.0


def is_free(leased_until: InstrumentedAttribute[datetime | None], now: datetime) -> ColumnElement[bool]:
    """Return the condition that no server is at a row, or the one that was must have died."""
    return or_(leased_until.is_(None), leased_until < now)


async def fetch_unlocked(uow: UnitOfWork, statement: Select[*tuple[Any, ...]], table: type[Base]) -> Any:
    """Read rows of a table that no other server is reading like this now, and hold them."""
    return await uow.fetch(statement.with_for_update(skip_locked=True, of=table))


def retry_wait(first_s: float, attempts: int, jitter: float) -> timedelta:
    """Return how long to wait after so many attempts: twice as long each time, up to `LONGEST_RETRY_S`.

    `jitter` of 0 to 1 makes it half as long to half as long again.
    """
    return timedelta(seconds=min(first_s * 2 ** (attempts - 1), LONGEST_RETRY_S) * (0.5 + jitter))
