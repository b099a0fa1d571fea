"""Somebody's inbox: read it and mark it. Telling is `notifying`, how one wants to be told is `wishes`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, or_, select, tuple_, update

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.domain.notifying import Kind, Why
from app.errors import InvalidField, NotFound
from app.models import Notification as NotificationRow
from app.models import ProjectWatch, PushDelivery, Task, TaskWatch, User
from app.permissions import Action
from app.schemas.base import decode_cursor, make_page
from app.schemas.notifications import (
    Notification,
    NotificationFilter,
    NotificationPage,
    NotificationQuery,
    NotificationUpdate,
)
from app.services.access import Actor, open_project, open_task
from app.services.deliveries import close_pushes
from app.services.inbox_rows import IS_UNREAD, select_inbox, to_notification, unread_of
from app.services.notices import Told, advance, publish

MAX_SNOOZE: Final = timedelta(days=60)
"""Longer than anybody plans, and so short that no row waits for a day that nobody remembers."""
_KINDS = {NotificationFilter.MENTIONS: (Kind.MENTIONED,), NotificationFilter.ASSIGNED: (Kind.ASSIGNED,)}
_WHYS = {NotificationFilter.MENTIONS: Why.MENTIONED, NotificationFilter.ASSIGNED: Why.ASSIGNEE}


async def list_notifications(uow: UnitOfWork, actor: Actor, query: NotificationQuery) -> NotificationPage:
    """Return a page of the actor's inbox, the latest change first; what is snoozed is left out until its time."""
    statement = (
        select_inbox()
        .where(NotificationRow.user_id == actor.user_id, *_filtered(query.filter))
        .order_by(NotificationRow.updated_at.desc(), NotificationRow.id.desc())
        .limit(query.limit + 1)
    )
    if before := decode_cursor(query.cursor, datetime, UUID):
        key = (NotificationRow.updated_at, NotificationRow.id)
        statement = statement.where(tuple_(*key) < tuple_(*before, types=[part.type for part in key]))
    found = [to_notification(row) for row in (await uow.fetch(statement)).all()]
    page = make_page(found, query.limit, lambda shown: (shown.updated_at, shown.id))
    return NotificationPage(items=page.items, next_cursor=page.next_cursor, unread=await unread_of(uow, actor.user_id))


async def update_notification(
    uow: UnitOfWork, actor: Actor, notification_id: UUID, body: NotificationUpdate
) -> Notification:
    """Mark one of the actor's notifications."""
    await uow.lock(select(User.id).where(User.id == actor.user_id))
    shown = await _load(uow, actor, notification_id)
    now = utc_now()
    wanted: dict[str, Any] = {}
    if "read" in body.model_fields_set and body.read is not (shown.read_at is not None):
        wanted["read_at"] = now if body.read else None
    if "archived" in body.model_fields_set and body.archived is not (shown.archived_at is not None):
        wanted["archived_at"] = now if body.archived else None
    if "snoozed_until" in body.model_fields_set and body.snoozed_until != shown.snoozed_until:
        if body.snoozed_until is not None and not now < body.snoozed_until <= now + MAX_SNOOZE:
            raise InvalidField("snoozed_until", f"must be in the future, and at most {MAX_SNOOZE.days} days from now")
        wanted["snoozed_until"] = body.snoozed_until
    if not wanted:
        return shown
    (after,) = await _mark(uow, actor.user_id, [shown], wanted, now)
    return after


async def read_task(uow: UnitOfWork, actor: Actor, task_id: UUID) -> int:
    """Mark read what concerns one task, which the actor looks at; return how much is unread then."""
    await open_task(uow, actor, task_id, Action.BE_TOLD)
    await uow.lock(select(User.id).where(User.id == actor.user_id))
    statement = select_inbox().where(
        NotificationRow.user_id == actor.user_id, NotificationRow.task_id == task_id, NotificationRow.read_at.is_(None)
    )
    found = [to_notification(row) for row in (await uow.fetch(statement)).all()]
    if found:
        await _mark(uow, actor.user_id, found, {"read_at": utc_now()}, utc_now())
    return await unread_of(uow, actor.user_id)


async def read_all(uow: UnitOfWork, actor: Actor, project_id: UUID | None) -> int:
    """Mark everything read, or everything of one project; return how much is unread then."""
    where = [NotificationRow.user_id == actor.user_id, *IS_UNREAD]
    if project_id is not None:
        await open_project(uow, actor, project_id, Action.BE_TOLD)
        where.append(NotificationRow.project_id == project_id)
    await _mark_many(uow, actor, where, "read_at", "read_all", project_id)
    return await unread_of(uow, actor.user_id)


async def archive_read(uow: UnitOfWork, actor: Actor) -> int:
    """Archive everything that is read; return how much is unread, which this does not change."""
    where = [
        NotificationRow.user_id == actor.user_id,
        NotificationRow.read_at.is_not(None),
        NotificationRow.archived_at.is_(None),
    ]
    await _mark_many(uow, actor, where, "archived_at", "archived_read", None)
    return await unread_of(uow, actor.user_id)


async def forget_project(uow: UnitOfWork, user_id: UUID, project_id: UUID) -> None:
    """Take a project out of the inbox of somebody who may not see it any more, watches included.

    Their pushes are deleted by themselves: whoever sends one holds it, and then wants its notification.
    """
    await uow.lock(select(User.id).where(User.id == user_id))
    mine = (NotificationRow.user_id == user_id, NotificationRow.project_id == project_id)
    tasks = select(Task.id).where(Task.project_id == project_id)
    await uow.execute(delete(TaskWatch).where(TaskWatch.user_id == user_id, TaskWatch.task_id.in_(tasks)))
    await uow.execute(
        delete(ProjectWatch).where(ProjectWatch.user_id == user_id, ProjectWatch.project_id == project_id)
    )
    await uow.lock(select(NotificationRow.id).where(*mine).order_by(NotificationRow.id))
    pushed = PushDelivery.notification_id.in_(select(NotificationRow.id).where(*mine))
    await uow.execute(delete(PushDelivery).where(PushDelivery.user_id == user_id, pushed))
    gone = (await uow.execute(delete(NotificationRow).where(*mine).returning(NotificationRow.id))).all()
    if gone:
        seq = (await advance(uow, [user_id]))[user_id]
        await publish(uow, [Told(user_id, seq, "forgotten", project_id=project_id)], utc_now())


async def find_snoozed_due(uow: UnitOfWork, *, limit: int = 200) -> list[UUID]:
    """Return people to whom something that was snoozed is to be shown again; more than `limit` take another look."""
    due = select(NotificationRow.user_id).where(NotificationRow.snoozed_until <= utc_now()).distinct().limit(limit)
    return sorted((await uow.fetch(due)).scalars())


async def wake_snoozed(uow: UnitOfWork, user_id: UUID) -> int:
    """Show somebody again what was snoozed until now; return how much that was. Safe on every server."""
    now = utc_now()
    due = (NotificationRow.user_id == user_id, NotificationRow.snoozed_until <= now)
    await uow.lock(select(User.id).where(User.id == user_id))
    found = [to_notification(row) for row in (await uow.fetch(select_inbox().where(*due))).all()]
    if found:
        await _mark(uow, user_id, found, {"snoozed_until": None, "read_at": None, "updated_at": now}, now)
    # Of what is not to be seen nobody is told.
    await uow.execute(update(NotificationRow).where(*due).values(snoozed_until=None))
    return len(found)


def _filtered(wanted: NotificationFilter) -> list[ColumnElement[bool]]:
    if wanted is NotificationFilter.ARCHIVED:
        return [NotificationRow.archived_at.is_not(None)]
    conditions: list[ColumnElement[bool]] = [
        NotificationRow.archived_at.is_(None),
        NotificationRow.snoozed_until.is_(None),
    ]
    if wanted is NotificationFilter.UNREAD:
        conditions.append(NotificationRow.read_at.is_(None))
    if wanted in _KINDS:
        kinds = [kind.value for kind in _KINDS[wanted]]
        conditions.append(or_(NotificationRow.kind.in_(kinds), NotificationRow.why == _WHYS[wanted].value))
    return conditions


async def _load(uow: UnitOfWork, actor: Actor, notification_id: UUID) -> Notification:
    statement = select_inbox().where(NotificationRow.id == notification_id, NotificationRow.user_id == actor.user_id)
    row = (await uow.fetch(statement)).one_or_none()
    if row is None:
        message = "no such notification in your inbox"
        raise NotFound(message)
    return to_notification(row)


async def _mark(
    uow: UnitOfWork, user_id: UUID, found: Sequence[Notification], wanted: dict[str, Any], now: datetime
) -> list[Notification]:
    """Set columns of some rows of one inbox, whose owner's row is held; each is a notice of its own."""
    last = (await advance(uow, [user_id], by=len(found)))[user_id]
    after = [
        shown.model_copy(update=wanted | {"seq": seq}) for seq, shown in enumerate(found, start=last - len(found) + 1)
    ]
    marked = update(NotificationRow).where(NotificationRow.id == bindparam("row"))
    places = [{"row": shown.id, "place": shown.seq} for shown in after]
    await uow.execute(marked.values(wanted | {"seq": bindparam("place")}), places)
    await publish(uow, [Told(user_id, shown.seq, "updated", shown) for shown in after], now)
    if any(wanted.get(column) for column in ("read_at", "archived_at", "snoozed_until")):
        await close_pushes(uow, NotificationRow.id.in_([shown.id for shown in found]), now)
    return after


async def _mark_many(
    uow: UnitOfWork,
    actor: Actor,
    where: Sequence[ColumnElement[bool]],
    column: str,
    action: str,
    project_id: UUID | None,
) -> None:
    now = utc_now()
    await uow.lock(select(User.id).where(User.id == actor.user_id))
    if await uow.sweep(update(NotificationRow).where(*where).values({column: now})):
        seq = (await advance(uow, [actor.user_id]))[actor.user_id]
        await publish(uow, [Told(actor.user_id, seq, action, project_id=project_id)], now)
        marked = NotificationRow.__table__.c[column] == now
        await close_pushes(uow, (NotificationRow.user_id == actor.user_id) & marked, now)
