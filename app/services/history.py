"""Reading a project's log: replay for a connection, pages for a script, the activity of a task. Never out of order."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select

from app.db.unit_of_work import UnitOfWork
from app.domain.events import Event, EventType
from app.errors import Gone
from app.models import LoggedEvent, Project
from app.permissions import Action
from app.schemas.base import Page, decode_cursor, make_page
from app.schemas.tasks import EventPage
from app.services.access import Actor, Record, open_project, open_task
from app.services.task_rows import load_row


class ResumeFailure(StrEnum):
    """Why the events after a position cannot be given (docs/protocol.md, resuming)."""

    EPOCH_CHANGED = "epoch_changed"
    POSITION_AHEAD = "position_ahead"
    EXPIRED = "expired"
    TOO_FAR = "too_far"


@dataclass(frozen=True, slots=True)
class Position:
    """The last (epoch, seq) a reader has applied."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class LogHead:
    """Where a project's log stands: its newest event, and the newest one that is no longer kept."""

    epoch: str
    seq: int
    floor: int

    def why_not(self, since: Position, *, limit: int | None) -> ResumeFailure | None:
        """Return why reading cannot go on after `since`, or None when it can."""
        if since.epoch != self.epoch:
            return ResumeFailure.EPOCH_CHANGED
        if since.seq > self.seq:
            return ResumeFailure.POSITION_AHEAD
        if since.seq < self.floor:
            return ResumeFailure.EXPIRED
        if limit is not None and self.seq - since.seq > limit:
            return ResumeFailure.TOO_FAR
        return None


_STORED_EVENT = (
    LoggedEvent.project_id,
    LoggedEvent.seq,
    LoggedEvent.type,
    LoggedEvent.timestamp,
    LoggedEvent.user_id,
    LoggedEvent.op_id,
    LoggedEvent.data,
)
_EXPLANATION = {
    ResumeFailure.EPOCH_CHANGED: "this log was replaced by another one (a backup was restored)",
    ResumeFailure.POSITION_AHEAD: "this position lies beyond the newest event",
    ResumeFailure.EXPIRED: "events that old are no longer kept",
    ResumeFailure.TOO_FAR: "there are too many events since then",
}


async def read_page(
    uow: UnitOfWork, actor: Actor | None, project_id: UUID, *, epoch: str | None, since: int, limit: int
) -> EventPage:
    """Return up to `limit` events after `since`.

    Raises:
        Gone: they are not all there; read the board instead.
    """
    project = await open_project(uow, actor, project_id, Action.READ)
    head = LogHead(project.row.epoch, project.row.event_seq, project.row.event_floor)
    failure = head.why_not(Position(epoch or head.epoch, since), limit=None)
    if failure is not None:
        message = f"{_EXPLANATION[failure]}; read the board and go on from its seq"
        raise Gone(message, code=failure.value, extra={"epoch": head.epoch, "seq": head.seq, "floor": head.floor})
    events = await read_events(uow, project_id, since, limit)
    items: list[dict[str, Any]] = [orjson.loads(event.encoded) for event in events]
    last = events[-1].seq if events else since
    return EventPage(
        epoch=head.epoch,
        seq=head.seq,
        floor=head.floor,
        items=items,
        next_since=last if last < head.seq else None,
    )


async def read_activity(
    uow: UnitOfWork, actor: Actor | None, task_id: UUID, *, cursor: str | None, limit: int
) -> Page[dict[str, Any]]:
    """Return a page of the events about a task and its comments, newest first, as far back as the log is kept."""
    project = await open_task(uow, actor, task_id, Action.READ)
    await load_row(uow, project, task_id)
    statement = (
        select(*_STORED_EVENT).where(LoggedEvent.task_id == task_id).order_by(LoggedEvent.seq.desc()).limit(limit + 1)
    )
    if before := decode_cursor(cursor, int):
        statement = statement.where(LoggedEvent.seq < before[0])
    events = [orjson.loads(_to_event(row).encoded) for row in (await uow.fetch(statement)).all()]
    return make_page(events, limit, lambda event: (event["seq"],))


async def read_events(uow: UnitOfWork, project_id: UUID, since: int, limit: int) -> list[Event]:
    """Return up to `limit` events after number `since`, in order. The caller has asked for permission."""
    statement = (
        select(*_STORED_EVENT)
        .where(LoggedEvent.project_id == project_id, LoggedEvent.seq > since)
        .order_by(LoggedEvent.seq)
        .limit(limit)
    )
    return [_to_event(row) for row in (await uow.fetch(statement)).all()]


async def read_heads(uow: UnitOfWork, project_ids: Sequence[UUID]) -> dict[UUID, LogHead]:
    """Return where the logs of some projects stand, deleted ones included; unknown ones are left out."""
    columns = (Project.id, Project.epoch, Project.event_seq, Project.event_floor)
    statement = select(*columns).where(Project.id.in_(project_ids))
    return {id_: LogHead(epoch, seq, floor) for id_, epoch, seq, floor in (await uow.fetch(statement)).all()}


def _to_event(row: Record) -> Event:
    return Event(
        project_id=row.project_id,
        seq=row.seq,
        type=EventType(row.type),
        timestamp=row.timestamp,
        user_id=row.user_id,
        op_id=row.op_id,
        data=row.data.encode(),
    )
