"""Reading inboxes: rows become what the API and the streams show, and what may not be seen now is left out."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Select, func, literal, or_, select

from app.db.unit_of_work import UnitOfWork
from app.domain.notifying import Kind, Why
from app.models import Comment, Member, Project, Task, User
from app.models import Notification as NotificationRow
from app.schemas.notifications import Notification
from app.services.access import Record

EXCERPT_LENGTH: Final = 160
MOST_COUNTED: Final = 1000
"""Whoever has more unread is told of so much."""
SEEN_BY_OUTSIDERS: Final = frozenset({Kind.PROJECT_REMOVED, Kind.INVITED})
"""What somebody is told who has no place in the project."""
IS_UNREAD: Final = (
    NotificationRow.read_at.is_(None),
    NotificationRow.archived_at.is_(None),
    NotificationRow.snoozed_until.is_(None),
)
_ABOUT = (
    Project.name.label("project_name"),
    Project.key.label("project_key"),
    Task.number,
    Task.title,
    Comment.body,
    Comment.deleted_at.label("comment_deleted_at"),
    User.avatar_color.label("actor_color"),
)


def select_inbox() -> Select[*tuple[Any, ...]]:
    """Return a SELECT of what `to_notification` needs, of what its reader may see now."""
    return only_shown(select(NotificationRow, *_ABOUT)).outerjoin(User, User.id == NotificationRow.actor_id)


def to_notification(row: Record) -> Notification:
    """Return the notification of one row."""
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
        actor_color=row.actor_color,
        count=row.change_count,
        details=orjson.loads(row.details),
        created_at=row.created_at,
        updated_at=row.updated_at,
        read_at=row.read_at,
        archived_at=row.archived_at,
        snoozed_until=row.snoozed_until,
        seq=row.seq,
    )


async def find_shown(uow: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, Notification]:
    """Return those of some notifications, of anybody's, that their readers may see now."""
    rows = (await uow.fetch(select_inbox().where(NotificationRow.id.in_(ids)))).all() if ids else []
    return {row.id: to_notification(row) for row in rows}


def only_shown(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Keep the rows of inboxes whose readers may see what they are about, and nothing of what was deleted.

    A row that stands for other changes too than a deleted comment is kept, without its text.
    """
    return (
        statement.select_from(NotificationRow)
        .join(Project, Project.id == NotificationRow.project_id)
        .outerjoin(
            Member,
            (Member.project_id == NotificationRow.project_id) & (Member.user_id == NotificationRow.user_id),
        )
        .outerjoin(Task, Task.id == NotificationRow.task_id)
        .outerjoin(Comment, Comment.id == NotificationRow.comment_id)
        .where(
            Project.deleted_at.is_(None),
            Task.deleted_at.is_(None),
            or_(Comment.deleted_at.is_(None), NotificationRow.change_count > 1),
            or_(Member.user_id.is_not(None), NotificationRow.kind.in_(SEEN_BY_OUTSIDERS)),
        )
    )


async def count_unread(uow: UnitOfWork, user_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return how much of the inboxes of some people is unread, counted to `MOST_COUNTED`: each notice tells it."""
    mine = only_shown(select(literal(1))).where(NotificationRow.user_id == User.id, *IS_UNREAD)
    some = mine.limit(MOST_COUNTED).correlate(User).subquery()
    unread = select(func.count()).select_from(some).scalar_subquery()
    statement = select(User.id, unread.label("unread")).where(User.id.in_(user_ids))
    return {row.id: row.unread for row in (await uow.fetch(statement)).all()}


async def unread_of(uow: UnitOfWork, user_id: UUID) -> int:
    """Return how much of somebody's inbox is unread."""
    return (await count_unread(uow, [user_id])).get(user_id, 0)


def excerpt_of(text: str | None) -> str | None:
    """Return the beginning of a comment in one line."""
    if text is None:
        return None
    line = " ".join(text[: 2 * EXCERPT_LENGTH].split())
    return line if len(line) <= EXCERPT_LENGTH else f"{line[: EXCERPT_LENGTH - 1]}…"
