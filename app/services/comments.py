"""Comments on tasks: write, change, delete and take back; whom they mention."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Select, delete, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.domain.events import EventType
from app.domain.folding import fold
from app.errors import NotFound
from app.models import Comment as CommentRow
from app.models import Mention, Notification
from app.models import Task as TaskRow
from app.permissions import Action
from app.schemas.base import Page, decode_cursor, make_page
from app.schemas.tasks import Comment, CommentWrite
from app.security import new_id
from app.services import facts
from app.services.access import Actor, ProjectAccess, Record, open_comment, open_task, require
from app.services.deliveries import close_pushes
from app.services.notices import tell_of_change
from app.services.task_news import find_mentioned, leave_out_told, tell_of_comment, tell_of_mentions
from app.services.task_rows import load_row

_SHOWN = [column for column in CommentRow.__table__.columns if column.name != "search_text"]


async def list_comments(
    uow: UnitOfWork, actor: Actor | None, task_id: UUID, *, cursor: str | None, limit: int
) -> Page[Comment]:
    """Return a page of a task's comments, oldest first."""
    project = await open_task(uow, actor, task_id, Action.READ)
    await load_row(uow, project, task_id)
    statement = (
        select_comments()
        .where(CommentRow.task_id == task_id, CommentRow.deleted_at.is_(None))
        .order_by(CommentRow.id)
        .limit(limit + 1)
    )
    if after := decode_cursor(cursor, UUID):
        statement = statement.where(CommentRow.id > after[0])
    found = [to_comment(row) for row in (await uow.fetch(statement)).all()]
    return make_page(found, limit, lambda comment: (comment.id,))


async def create(uow: UnitOfWork, actor: Actor, task_id: UUID, body: CommentWrite) -> Comment:
    """Add a comment to a task."""
    project = await open_task(uow, actor, task_id, Action.COMMENT, lock=True)
    await load_row(uow, project, task_id)
    now = utc_now()
    comment = Comment(
        id=new_id(),
        project_id=project.id,
        task_id=task_id,
        author_id=actor.user_id,
        author_name=actor.name,
        body=body.body,
        mentions=await find_mentioned(uow, project.id, body.body),
        version=1,
        created_at=now,
        updated_at=now,
        edited=False,
    )
    await uow.execute(insert(CommentRow).values(_columns(comment)))
    await _remember_mentions(uow, comment)
    await _record(uow, comment, EventType.COMMENT_ADDED, [], count_change=1)
    await tell_of_comment(
        uow, actor, project_id=project.id, task_id=task_id, comment_id=comment.id, mentioned=comment.mentions
    )
    return comment


async def update_comment(uow: UnitOfWork, actor: Actor, comment_id: UUID, body: CommentWrite) -> Comment:
    """Change a comment's text: its author, or an admin of the project."""
    project, comment = await _open_for_change(uow, actor, comment_id)
    if comment.body == body.body:
        return comment
    changed: dict[str, Any] = {"body": body.body, "mentions": await find_mentioned(uow, project.id, body.body)}
    changes = facts.changed_fields(comment, changed)
    stamp = {"version": comment.version + 1, "updated_at": utc_now(), "edited": True}
    after = comment.model_copy(update=changes | stamp)
    await uow.execute(update(CommentRow).where(CommentRow.id == comment_id).values(_columns(after)))
    if "mentions" in changes:
        await uow.execute(delete(Mention).where(Mention.comment_id == comment_id))
        await _remember_mentions(uow, after)
    await _record(uow, after, EventType.COMMENT_UPDATED, changes)
    named = await leave_out_told(uow, set(after.mentions) - set(comment.mentions), after.task_id, comment_id)
    await tell_of_mentions(
        uow, actor, project_id=project.id, task_id=after.task_id, comment_id=comment_id, mentioned=named
    )
    return after


async def delete_comment(uow: UnitOfWork, actor: Actor, comment_id: UUID) -> None:
    """Delete a comment: its author, or an admin of the project. It can be taken back as long as a task in the trash."""
    _, comment = await _open_for_change(uow, actor, comment_id)
    now = utc_now()
    stamp = {"deleted_at": now, "deleted_by": actor.user_id}
    await uow.execute(update(CommentRow).where(CommentRow.id == comment_id).values(stamp))
    await _record(uow, comment, EventType.COMMENT_DELETED, [], count_change=-1)
    await tell_of_change(uow, Notification.comment_id == comment_id)
    await close_pushes(uow, Notification.comment_id == comment_id, now)


async def restore(uow: UnitOfWork, actor: Actor, comment_id: UUID) -> Comment:
    """Take a deleted comment back: whoever deleted it, or an admin of the project."""
    project, row = await _open(uow, actor, comment_id, deleted=True)
    if row.deleted_by != actor.user_id:
        require(project, Action.MODERATE_COMMENTS)
    stamp = {"deleted_at": None, "deleted_by": None}
    await uow.execute(update(CommentRow).where(CommentRow.id == comment_id).values(stamp))
    comment = to_comment(row)
    await _record(uow, comment, EventType.COMMENT_RESTORED, [], count_change=1)
    await tell_of_change(uow, Notification.comment_id == comment_id)
    return comment


async def _open_for_change(uow: UnitOfWork, actor: Actor, comment_id: UUID) -> tuple[ProjectAccess, Comment]:
    project, row = await _open(uow, actor, comment_id)
    if row.author_id != actor.user_id:
        require(project, Action.MODERATE_COMMENTS)
    return project, to_comment(row)


async def _open(
    uow: UnitOfWork, actor: Actor, comment_id: UUID, *, deleted: bool = False
) -> tuple[ProjectAccess, Record]:
    project = await open_comment(uow, actor, comment_id, Action.COMMENT, lock=True)
    condition = CommentRow.deleted_at.is_not(None) if deleted else CommentRow.deleted_at.is_(None)
    statement = (
        select_comments()
        .join(TaskRow, TaskRow.id == CommentRow.task_id)
        .where(CommentRow.id == comment_id, CommentRow.project_id == project.id, TaskRow.deleted_at.is_(None))
        .where(condition)
    )
    row: Record | None = (await uow.fetch(statement)).one_or_none()
    if row is None:
        message = "no such comment, or its task is in the trash"
        raise NotFound(message)
    return project, row


async def _remember_mentions(uow: UnitOfWork, comment: Comment) -> None:
    if comment.mentions:
        rows = [{"user_id": user_id, "comment_id": comment.id} for user_id in comment.mentions]
        await uow.execute(insert(Mention), rows)


async def _record(
    uow: UnitOfWork, comment: Comment, type_: EventType, changes: Iterable[str], *, count_change: int = 0
) -> None:
    statement = (
        update(TaskRow)
        .where(TaskRow.id == comment.task_id)
        .values(comment_count=TaskRow.comment_count + count_change)
        .returning(TaskRow.comment_count)
    )
    count = (await uow.execute(statement)).scalar_one()
    await facts.record(uow, comment.project_id, type_, "comment", comment, list(changes), comment_count=count)


def _columns(comment: Comment) -> dict[str, Any]:
    values = {name: getattr(comment, name) for name in Comment.model_fields if name not in {"edited", "mentions"}}
    return values | {"mentions": orjson.dumps(comment.mentions).decode(), "search_text": fold(comment.body)}


def select_comments() -> Select[*tuple[Any, ...]]:
    """Return a SELECT of what `to_comment` needs."""
    return select(*_SHOWN)


def to_comment(row: Record) -> Comment:
    """Return the comment of one row."""
    return Comment(
        id=row.id,
        project_id=row.project_id,
        task_id=row.task_id,
        author_id=row.author_id,
        author_name=row.author_name,
        body=row.body,
        mentions=orjson.loads(row.mentions),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        edited=row.version > 1,
    )
