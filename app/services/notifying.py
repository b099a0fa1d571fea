"""Telling people: the rows of their inboxes and the notices of their streams, in the transaction of what happened.

Whoever may not see the project now is not told, nobody is told of what they did themselves, and nobody twice of one
thing. However many are told, the number of statements is the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import bindparam, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now, zone_of
from app.domain.notifying import BURST, JOINS_A_BURST, Channel, Kind, Watching, Why, decide
from app.models import (
    Comment,
    Member,
    NotificationSettings,
    Project,
    PushDelivery,
    Task,
    TaskWatch,
    User,
)
from app.models import Notification as NotificationRow
from app.permissions import Action, Role, may
from app.schemas.notifications import Notification
from app.security import new_id
from app.services.access import Record
from app.services.deliveries import PUSH, SHOW, delivery
from app.services.inbox_rows import SEEN_BY_OUTSIDERS, excerpt_of
from app.services.notices import Told, advance, publish
from app.services.wishes import to_wishes

_CAN_BE_JOINED: Final = [kind.value for kind in JOINS_A_BURST | {Kind.CHANGES}]


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened; `actor_id` is None when nobody did it, such as when the time has come."""

    kind: Kind
    project_id: UUID
    task_id: UUID | None = None
    comment_id: UUID | None = None
    actor_id: UUID | None = None
    actor_name: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Somebody who is told, and how."""

    id: UUID
    why: Why
    channels: frozenset[Channel]
    push_at: datetime
    mail_at: datetime | None
    """When it is mailed if it is unread then; None: it is not."""


async def tell(uow: UnitOfWork, news: News, recipients: Mapping[UUID, Why]) -> set[UUID]:
    """Tell those of `recipients` who want to hear of it and may; return them.

    The project's lock is held. A row of the inbox that stands for the same task, is unread and a minute old at most
    takes the news in (`JOINS_A_BURST`).
    """
    wanted = {user_id: why for user_id, why in recipients.items() if user_id != news.actor_id}
    if not wanted:
        return set()
    now = utc_now()
    readers = await _find_readers(uow, news, wanted, now)
    if not readers:
        return set()
    subject = await _find_subject(uow, news)
    seqs = await advance(uow, [reader.id for reader in readers])
    joined = await _find_bursts(uow, news, readers, now)
    rows = [_make(news, subject, reader, joined.get(reader.id), seqs[reader.id], now) for reader in readers]
    fresh = [row for row in rows if row.user_id not in joined]
    if fresh:
        await uow.execute(insert(NotificationRow), [_columns(row) for row in fresh])
    if joined:
        await uow.execute(_JOIN, [_joining(row) for row in rows if row.user_id in joined])
    actions = {row.user_id: "updated" if row.user_id in joined else "added" for row in rows}
    await publish(uow, [Told(row.user_id, row.shown.seq, actions[row.user_id], row.shown) for row in rows], now)
    await _push(uow, readers, {row.user_id: row.shown.id for row in rows}, now)
    return {reader.id for reader in readers}


async def _find_readers(uow: UnitOfWork, news: News, wanted: Mapping[UUID, Why], now: datetime) -> list[_Reader]:
    watch = (TaskWatch.user_id == User.id) & (TaskWatch.task_id == news.task_id)
    statement = (
        select(User.id, User.time_zone, Member.role, NotificationSettings.settings, TaskWatch.state)
        .select_from(User)
        .join(Project, Project.id == news.project_id)
        .outerjoin(Member, (Member.project_id == Project.id) & (Member.user_id == User.id))
        .outerjoin(NotificationSettings, NotificationSettings.user_id == User.id)
        .outerjoin(TaskWatch, watch)
        .where(User.id.in_(wanted), User.is_active, Project.deleted_at.is_(None))
        .order_by(User.id)
    )
    found = []
    for row in (await uow.fetch(statement)).all():
        if not (may(Role(row.role), Action.BE_TOLD) if row.role else news.kind in SEEN_BY_OUTSIDERS):
            continue
        wishes, watching = to_wishes(row.settings), Watching(row.state or Watching.DEFAULT)
        channels = decide(news.kind, wanted[row.id], wishes, news.project_id, watching)
        if channels:
            quiet_until = wishes.quiet.end_after(now, zone_of(row.time_zone)) if wishes.quiet else None
            is_mailed = uow.has_mail and Channel.EMAIL in channels
            mail_at = now + wishes.digest_after if is_mailed and wishes.digest_after else None
            found.append(_Reader(row.id, wanted[row.id], channels, quiet_until or now, mail_at))
    return found


async def _find_subject(uow: UnitOfWork, news: News) -> Record:
    statement = (
        select(Project.name, Project.key, Task.number, Task.title, Comment.body, User.avatar_color)
        .select_from(Project)
        .outerjoin(Task, Task.id == news.task_id)
        .outerjoin(Comment, Comment.id == news.comment_id)
        .outerjoin(User, User.id == news.actor_id)
        .where(Project.id == news.project_id)
    )
    row: Record = (await uow.fetch(statement)).one()
    return row


async def _find_bursts(uow: UnitOfWork, news: News, readers: Sequence[_Reader], now: datetime) -> dict[UUID, Record]:
    """Return by reader the row that takes the news in."""
    if news.task_id is None or news.kind not in JOINS_A_BURST:
        return {}
    statement = (
        select(NotificationRow)
        .outerjoin(Comment, Comment.id == NotificationRow.comment_id)
        .where(
            NotificationRow.user_id.in_([reader.id for reader in readers]),
            NotificationRow.task_id == news.task_id,
            NotificationRow.kind.in_(_CAN_BE_JOINED),
            NotificationRow.read_at.is_(None),
            NotificationRow.archived_at.is_(None),
            NotificationRow.snoozed_until.is_(None),
            NotificationRow.updated_at > now - BURST,
            Comment.deleted_at.is_(None),
        )
        .order_by(NotificationRow.updated_at)
    )
    return {row.user_id: row for row in (await uow.fetch(statement)).all()}


@dataclass(frozen=True, slots=True)
class _Row:
    user_id: UUID
    mail_at: datetime | None
    shown: Notification


def _make(news: News, subject: Record, reader: _Reader, burst: Record | None, seq: int, now: datetime) -> _Row:
    is_same = burst is not None and burst.kind == news.kind
    kind = news.kind if burst is None or is_same else Kind.CHANGES
    shown = Notification(
        id=burst.id if burst is not None else new_id(),
        kind=kind,
        why=Why(burst.why) if burst is not None else reader.why,
        project_id=news.project_id,
        project_name=subject.name,
        task_id=news.task_id,
        task_key=f"{subject.key}-{subject.number}" if subject.number is not None else None,
        task_title=subject.title,
        comment_id=news.comment_id,
        excerpt=excerpt_of(subject.body),
        actor_id=news.actor_id,
        actor_name=news.actor_name,
        actor_color=subject.avatar_color,
        count=burst.change_count + 1 if burst is not None else 1,
        details=dict(news.details),
        created_at=burst.created_at if burst is not None else now,
        updated_at=now,
        read_at=None,
        archived_at=None,
        snoozed_until=None,
        seq=seq,
    )
    mail_at = reader.mail_at or (burst.mail_at if burst is not None else None)
    return _Row(reader.id, mail_at, shown)


_SHOWN_OF_OTHERS: Final = frozenset(
    {"project_name", "task_key", "task_title", "excerpt", "actor_color", "details", "count"}
)
_JOINED: Final = (
    "seq",
    "kind",
    "comment_id",
    "actor_id",
    "actor_name",
    "change_count",
    "details",
    "updated_at",
    "mail_at",
)
_JOIN: Final = (
    update(NotificationRow)
    .where(NotificationRow.id == bindparam("row"))
    .values({name: bindparam(f"new_{name}") for name in _JOINED})
)


def _columns(row: _Row) -> dict[str, Any]:
    shown = row.shown
    values = {name: value for name, value in shown if name not in _SHOWN_OF_OTHERS}
    return values | {
        "user_id": row.user_id,
        "kind": shown.kind.value,
        "why": shown.why.value,
        "change_count": shown.count,
        "details": orjson.dumps(shown.details).decode(),
        "mail_at": row.mail_at,
    }


def _joining(row: _Row) -> dict[str, Any]:
    columns = _columns(row)
    return {f"new_{name}": columns[name] for name in _JOINED} | {"row": row.shown.id}


async def _push(uow: UnitOfWork, readers: Sequence[_Reader], rows: Mapping[UUID, UUID], now: datetime) -> None:
    deliveries = [
        delivery(reader.id, rows[reader.id], SHOW, due_at=reader.push_at, now=now)
        for reader in readers
        if Channel.PUSH in reader.channels
    ]
    if deliveries:
        await uow.execute(insert(PushDelivery), deliveries)
        uow.wake(PUSH)
