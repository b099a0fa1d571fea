"""Trimming logs from their oldest rows on, one log at a time, a portion in each transaction.

A log's floor says up to where it was trimmed; it is raised in the transaction that deletes the rows.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from app.db.unit_of_work import Database, UnitOfWork
from app.models import LoggedEvent, LoggedNotice, Project, User

PORTION: Final = 500
"""Rows deleted in one transaction."""


@dataclass(frozen=True, slots=True)
class Log:
    """The logs of one kind: whose they are, their rows, and which seq may go whatever its age."""

    owner: type[Project] | type[User]
    floor: InstrumentedAttribute[int]
    rows: type[LoggedEvent] | type[LoggedNotice]
    key: InstrumentedAttribute[UUID]
    surplus: ColumnElement[int]


def project_logs(keep: int) -> Log:
    """Return the logs of projects, of which no more than `keep` events are kept."""
    surplus = Project.event_seq - keep
    return Log(Project, Project.event_floor, LoggedEvent, LoggedEvent.project_id, surplus)


def streams() -> Log:
    """Return everybody's streams, which are trimmed by age alone."""
    return Log(User, User.notice_floor, LoggedNotice, LoggedNotice.user_id, User.notice_floor + 0)


async def trim(database: Database, log: Log, kept_since: datetime) -> None:
    """Trim the logs that begin with a row that is too old or too many; the others are not written to."""

    def first(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
        oldest = select(column).where(log.key == log.owner.id).order_by(log.rows.seq).limit(1)
        return oldest.correlate(log.owner).scalar_subquery()

    seq = first(log.rows.seq)
    has_more = or_(first(log.rows.timestamp) < kept_since, seq <= log.surplus, seq <= log.floor)
    async with database.read() as uow:
        owners = list((await uow.fetch(select(log.owner.id).where(has_more))).scalars())
    for owner_id in owners:
        is_trimmed = False
        while not is_trimmed:
            async with database.write() as uow:
                is_trimmed = not await _trim_some(uow, log, owner_id, kept_since)


async def _trim_some(uow: UnitOfWork, log: Log, owner_id: UUID, kept_since: datetime) -> bool:
    """Trim a portion of a log; return whether there was anything to trim."""
    whose = log.owner.id == owner_id
    await uow.lock(select(log.owner.id).where(whose))
    up_to = (await uow.fetch(_select_last(log, owner_id, kept_since))).scalar_one_or_none()
    if up_to is None:
        return False
    await uow.execute(update(log.owner).where(whose, log.floor < up_to).values({log.floor: up_to}))
    await uow.sweep(delete(log.rows).where(log.key == owner_id, log.rows.seq <= up_to))
    return True


def _select_last(log: Log, owner_id: UUID, kept_since: datetime) -> Select[*tuple[Any, ...]]:
    """Return a SELECT of the last seq to delete among the oldest rows of a log."""
    oldest = (
        select(log.rows.seq, log.rows.timestamp).where(log.key == owner_id).order_by(log.rows.seq).limit(PORTION)
    ).subquery()
    goes = or_(oldest.c.timestamp < kept_since, oldest.c.seq <= log.surplus, oldest.c.seq <= log.floor)
    return select(func.max(oldest.c.seq)).join_from(log.owner, oldest, goes).where(log.owner.id == owner_id)
