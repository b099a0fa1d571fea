"""Somebody's inbox: read it, mark it, say how one wants to be told. Telling is `notifying`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Select, delete, insert, or_, select, tuple_, update

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.domain.events import Event, Notice
from app.domain.notifying import Kind, Watching, Why
from app.errors import InvalidField, NotFound
from app.models import (
    Comment,
    LoggedNotice,
    Member,
    Project,
    ProjectWatch,
    PushDelivery,
    Task,
    TaskWatch,
    User,
)
from app.models import Notification as NotificationRow
from app.models import NotificationSettings as SettingsRow
from app.permissions import Action
from app.schemas.base import decode_cursor, make_page
from app.schemas.notifications import (
    Notification,
    NotificationFilter,
    NotificationPage,
    NotificationQuery,
    NotificationSettings,
    NotificationUpdate,
    Watch,
)
from app.services.access import Actor, Record, open_project, open_task
from app.services.history import LogHead
from app.services.notifying import (
    IS_UNREAD,
    PUSH,
    Told,
    advance,
    count_unread,
    delivery,
    encode,
    excerpt_of,
    only_shown,
    publish,
)
from app.services.task_rows import load_row

_ABOUT = (
    Project.name.label("project_name"),
    Project.key.label("project_key"),
    Task.number,
    Task.title,
    Comment.body,
    Comment.deleted_at.label("comment_deleted_at"),
)
_KINDS = {NotificationFilter.MENTIONS: (Kind.MENTIONED,), NotificationFilter.ASSIGNED: (Kind.ASSIGNED,)}
_WHYS = {NotificationFilter.MENTIONS: Why.MENTIONED, NotificationFilter.ASSIGNED: Why.ASSIGNEE}


async def list_notifications(uow: UnitOfWork, actor: Actor, query: NotificationQuery) -> NotificationPage:
    """Return a page of the actor's inbox, the latest change first; what is snoozed is left out until its time."""
    statement = (
        _select()
        .where(NotificationRow.user_id == actor.user_id, *_filtered(query.filter))
        .order_by(NotificationRow.updated_at.desc(), NotificationRow.id.desc())
        .limit(query.limit + 1)
    )
    if before := decode_cursor(query.cursor, datetime, UUID):
        key = (NotificationRow.updated_at, NotificationRow.id)
        statement = statement.where(tuple_(*key) < tuple_(*before, types=[part.type for part in key]))
    found = [_to_notification(row) for row in (await uow.fetch(statement)).all()]
    page = make_page(found, query.limit, lambda shown: (shown.updated_at, shown.id))
    return NotificationPage(items=page.items, next_cursor=page.next_cursor, unread=await unread_of(uow, actor.user_id))


async def unread_of(uow: UnitOfWork, user_id: UUID) -> int:
    """Return how much of somebody's inbox is unread."""
    return (await count_unread(uow, [user_id])).get(user_id, 0)


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
        if body.snoozed_until is not None and body.snoozed_until <= now:
            raise InvalidField("snoozed_until", "must be in the future")
        wanted["snoozed_until"] = body.snoozed_until
    if not wanted:
        return shown
    (after,) = await _mark(uow, actor.user_id, [shown], wanted, now)
    return after


async def read_task(uow: UnitOfWork, actor: Actor, task_id: UUID) -> int:
    """Mark read what concerns one task, which the actor looks at; return how much is unread then."""
    await open_task(uow, actor, task_id, Action.BE_TOLD)
    await uow.lock(select(User.id).where(User.id == actor.user_id))
    statement = _select().where(
        NotificationRow.user_id == actor.user_id, NotificationRow.task_id == task_id, NotificationRow.read_at.is_(None)
    )
    found = [_to_notification(row) for row in (await uow.fetch(statement)).all()]
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
    """Take a project out of the inbox of somebody who may not see it any more, watches included."""
    mine = (NotificationRow.user_id == user_id, NotificationRow.project_id == project_id)
    tasks = select(Task.id).where(Task.project_id == project_id)
    await uow.execute(delete(TaskWatch).where(TaskWatch.user_id == user_id, TaskWatch.task_id.in_(tasks)))
    await uow.execute(
        delete(ProjectWatch).where(ProjectWatch.user_id == user_id, ProjectWatch.project_id == project_id)
    )
    gone = (await uow.execute(delete(NotificationRow).where(*mine).returning(NotificationRow.id))).all()
    if gone:
        seq = (await advance(uow, [user_id]))[user_id]
        await publish(uow, [Told(user_id, seq, "forgotten", project_id=project_id)], utc_now())


async def has_snoozed_due(uow: UnitOfWork) -> bool:
    """Whether something that was snoozed is to be shown again."""
    due = select(NotificationRow.id).where(NotificationRow.snoozed_until <= utc_now()).limit(1)
    return (await uow.fetch(due)).first() is not None


async def wake_snoozed(uow: UnitOfWork, *, limit: int = 200) -> int:
    """Show again what was snoozed until now; return how many there were. Safe on every server."""
    now = utc_now()
    due = (
        select(NotificationRow.id, NotificationRow.user_id)
        .where(NotificationRow.snoozed_until <= now)
        .order_by(NotificationRow.user_id)
        .limit(limit)
    )
    owners = sorted({row.user_id for row in (await uow.fetch(due)).all()})
    woken = 0
    for user_id in owners:
        await uow.lock(select(User.id).where(User.id == user_id))
        statement = _select().where(NotificationRow.user_id == user_id, NotificationRow.snoozed_until <= now)
        found = [_to_notification(row) for row in (await uow.fetch(statement)).all()]
        await _mark(uow, user_id, found, {"snoozed_until": None, "read_at": None, "updated_at": now}, now)
        woken += len(found)
    hidden = NotificationRow.snoozed_until <= now  # of projects that may not be seen any more: nobody is told
    await uow.execute(update(NotificationRow).where(hidden).values(snoozed_until=None))
    return woken


async def read_notices(uow: UnitOfWork, user_id: UUID, since: int, limit: int) -> list[Event]:
    """Return up to `limit` notices of somebody's stream after number `since`, in order.

    Each shows the row of the inbox as it is now; none where it is gone or may not be seen any more.
    """
    statement = (
        select(LoggedNotice)
        .where(LoggedNotice.user_id == user_id, LoggedNotice.seq > since)
        .order_by(LoggedNotice.seq)
        .limit(limit)
    )
    notices = (await uow.fetch(statement)).all()
    ids = {notice.notification_id for notice in notices if notice.notification_id is not None}
    shown = await find_shown(uow, sorted(ids))
    unread = await unread_of(uow, user_id) if notices else 0
    return [
        Notice.make(
            user_id,
            notice.seq,
            notice.timestamp,
            encode(notice.action, shown.get(notice.notification_id), notice.project_id, unread),
        )
        for notice in notices
    ]


async def find_shown(uow: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, Notification]:
    """Return those of some notifications, of anybody's, that their readers may see now."""
    rows = (await uow.fetch(_select().where(NotificationRow.id.in_(ids)))).all() if ids else []
    return {row.id: _to_notification(row) for row in rows}


async def read_heads(uow: UnitOfWork, user_ids: Sequence[UUID]) -> dict[UUID, LogHead]:
    """Return where the streams of some people stand; unknown ones are left out."""
    statement = select(User.id, User.notice_epoch, User.notice_seq, User.notice_floor).where(User.id.in_(user_ids))
    return {id_: LogHead(epoch, seq, floor) for id_, epoch, seq, floor in (await uow.fetch(statement)).all()}


async def load_settings(uow: UnitOfWork, actor: Actor) -> NotificationSettings:
    """Return how the actor wants to be told."""
    stored = (
        await uow.fetch(select(SettingsRow.settings).where(SettingsRow.user_id == actor.user_id))
    ).scalar_one_or_none()
    return NotificationSettings.model_validate_json(stored) if stored else NotificationSettings()


async def save_settings(uow: UnitOfWork, actor: Actor, body: NotificationSettings) -> NotificationSettings:
    """Make `body` how the actor wants to be told. Projects the actor is no member of are left out."""
    own = select(Member.project_id).where(Member.user_id == actor.user_id, Member.project_id.in_(body.projects))
    members = set((await uow.fetch(own)).scalars()) if body.projects else set()
    kept = body.model_copy(update={"projects": {id_: one for id_, one in body.projects.items() if id_ in members}})
    await uow.execute(delete(SettingsRow).where(SettingsRow.user_id == actor.user_id))
    stored = {"user_id": actor.user_id, "settings": kept.model_dump_json(by_alias=True)}
    await uow.execute(insert(SettingsRow).values(stored))
    await uow.execute(delete(ProjectWatch).where(ProjectWatch.user_id == actor.user_id))
    watched = [{"project_id": id_, "user_id": actor.user_id} for id_, one in kept.projects.items() if one.watched]
    if watched:
        await uow.execute(insert(ProjectWatch), watched)
    return kept


async def load_watch(uow: UnitOfWork, actor: Actor, task_id: UUID) -> Watch:
    """Return what the actor wants to hear of a task."""
    project = await open_task(uow, actor, task_id, Action.BE_TOLD)
    await load_row(uow, project, task_id)
    mine = (TaskWatch.task_id == task_id, TaskWatch.user_id == actor.user_id)
    state = (await uow.fetch(select(TaskWatch.state).where(*mine))).scalar_one_or_none()
    return Watch(state=Watching(state or Watching.DEFAULT))


async def save_watch(uow: UnitOfWork, actor: Actor, task_id: UUID, body: Watch) -> Watch:
    """Say what the actor wants to hear of a task."""
    project = await open_task(uow, actor, task_id, Action.BE_TOLD, lock=True)
    await load_row(uow, project, task_id)
    await uow.execute(delete(TaskWatch).where(TaskWatch.task_id == task_id, TaskWatch.user_id == actor.user_id))
    if body.state is not Watching.DEFAULT:
        row = {"task_id": task_id, "user_id": actor.user_id, "state": body.state.value}
        await uow.execute(insert(TaskWatch).values(row))
    return body


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
    statement = _select().where(NotificationRow.id == notification_id, NotificationRow.user_id == actor.user_id)
    row = (await uow.fetch(statement)).one_or_none()
    if row is None:
        message = "no such notification in your inbox"
        raise NotFound(message)
    return _to_notification(row)


async def _mark(
    uow: UnitOfWork, user_id: UUID, found: Sequence[Notification], wanted: dict[str, Any], now: datetime
) -> list[Notification]:
    """Set columns of some rows of one inbox, whose owner's row is held; each is a notice of its own."""
    after = []
    for shown in found:
        seq = (await advance(uow, [user_id]))[user_id]
        values = wanted | {"seq": seq}
        await uow.execute(update(NotificationRow).where(NotificationRow.id == shown.id).values(values))
        after.append(shown.model_copy(update=values))
    await publish(uow, [Told(user_id, shown.seq, "updated", shown) for shown in after], now)
    if wanted.get("read_at") or wanted.get("archived_at"):
        await _close_pushes(uow, user_id, [shown.id for shown in found], now)
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
    marked = update(NotificationRow).where(*where).values({column: now}).returning(NotificationRow.id)
    ids = [row.id for row in (await uow.execute(marked)).all()]
    if ids:
        seq = (await advance(uow, [actor.user_id]))[actor.user_id]
        await publish(uow, [Told(actor.user_id, seq, action, project_id=project_id)], now)
        await _close_pushes(uow, actor.user_id, ids, now)


async def _close_pushes(uow: UnitOfWork, user_id: UUID, ids: Sequence[UUID], now: datetime) -> None:
    """Have what devices show taken away there, and leave out what was not sent yet."""
    mine = (PushDelivery.user_id == user_id, PushDelivery.notification_id.in_(ids), PushDelivery.kind == "show")
    await uow.execute(delete(PushDelivery).where(*mine))
    shown = (NotificationRow.id.in_(ids), NotificationRow.pushed_at.is_not(None))
    closed = update(NotificationRow).where(*shown).values(pushed_at=None).returning(NotificationRow.id)
    rows = [delivery(user_id, row.id, "close", due_at=now, now=now) for row in (await uow.execute(closed)).all()]
    if rows:
        await uow.execute(insert(PushDelivery), rows)
        uow.wake(PUSH)


def _select() -> Select[*tuple[Any, ...]]:
    return only_shown(select(NotificationRow, *_ABOUT)).outerjoin(Comment, Comment.id == NotificationRow.comment_id)


def _to_notification(row: Record) -> Notification:
    return Notification(
        id=row.id,
        kind=Kind(row.kind),
        why=Why(row.why),
        project_id=row.project_id,
        project_name=row.project_name,
        task_id=row.task_id,
        task_key=f"{row.project_key}-{row.number}" if row.number is not None else None,
        task_title=row.title,
        comment_id=row.comment_id,
        excerpt=excerpt_of(row.body) if row.comment_deleted_at is None else None,
        actor_id=row.actor_id,
        actor_name=row.actor_name,
        count=row.change_count,
        details=orjson.loads(row.details),
        created_at=row.created_at,
        updated_at=row.updated_at,
        read_at=row.read_at,
        archived_at=row.archived_at,
        snoozed_until=row.snoozed_until,
        seq=row.seq,
    )
