"""Comments on tasks: write, change, delete; whom they mention."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.domain.events import EventType
from app.domain.mentions import find_mentions
from app.errors import NotFound
from app.models import Comment as CommentRow
from app.models import Member, User
from app.models import Task as TaskRow
from app.permissions import Action
from app.schemas.base import Page, decode_cursor, make_page
from app.schemas.tasks import Comment, CommentWrite
from app.security import new_id
from app.services import facts
from app.services.access import Actor, ProjectAccess, Record, open_comment, open_task, require
from app.services.task_rows import load_row


async def list_comments(
    uow: UnitOfWork, actor: Actor | None, task_id: UUID, *, cursor: str | None, limit: int
) -> Page[Comment]:
    """Return a page of a task's comments, oldest first."""
    project = await open_task(uow, actor, task_id, Action.READ)
    await load_row(uow, project, task_id)
    statement = select(CommentRow).where(CommentRow.task_id == task_id).order_by(CommentRow.id).limit(limit + 1)
    if after := decode_cursor(cursor, UUID):
        statement = statement.where(CommentRow.id > after[0])
    found = [_to_comment(row) for row in (await uow.fetch(statement)).all()]
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
        mentions=await _mentions(uow, project, body.body),
        version=1,
        created_at=now,
        updated_at=now,
        edited=False,
    )
    await uow.execute(insert(CommentRow).values(_columns(comment)))
    await _record(uow, comment, EventType.COMMENT_ADDED, [], count_change=1)
    return comment


async def update_comment(uow: UnitOfWork, actor: Actor, comment_id: UUID, body: CommentWrite) -> Comment:
    """Change a comment's text: its author, or an admin of the project."""
    project, comment = await _open_for_change(uow, actor, comment_id)
    if comment.body == body.body:
        return comment
    changed: dict[str, Any] = {"body": body.body, "mentions": await _mentions(uow, project, body.body)}
    changes = facts.changed_fields(comment, changed)
    stamp = {"version": comment.version + 1, "updated_at": utc_now(), "edited": True}
    after = comment.model_copy(update=changes | stamp)
    await uow.execute(update(CommentRow).where(CommentRow.id == comment_id).values(_columns(after)))
    await _record(uow, after, EventType.COMMENT_UPDATED, changes)
    return after


async def delete_comment(uow: UnitOfWork, actor: Actor, comment_id: UUID) -> None:
    """Delete a comment: its author, or an admin of the project."""
    _, comment = await _open_for_change(uow, actor, comment_id)
    await uow.execute(delete(CommentRow).where(CommentRow.id == comment_id))
    await _record(uow, comment, EventType.COMMENT_DELETED, [], count_change=-1)


async def _open_for_change(uow: UnitOfWork, actor: Actor, comment_id: UUID) -> tuple[ProjectAccess, Comment]:
    project = await open_comment(uow, actor, comment_id, Action.COMMENT, lock=True)
    statement = (
        select(CommentRow)
        .join(TaskRow, TaskRow.id == CommentRow.task_id)
        .where(CommentRow.id == comment_id, CommentRow.project_id == project.id, TaskRow.deleted_at.is_(None))
    )
    row: Record | None = (await uow.fetch(statement)).one_or_none()
    if row is None:
        message = "no such comment, or its task is in the trash"
        raise NotFound(message)
    if row.author_id != actor.user_id:
        require(project, Action.MODERATE_COMMENTS)
    return project, _to_comment(row)


async def _mentions(uow: UnitOfWork, project: ProjectAccess, text: str) -> list[UUID]:
    if "@" not in text:
        return []
    statement = (
        select(User.id, User.name).join(Member, Member.user_id == User.id).where(Member.project_id == project.id)
    )
    people = [(row.id, row.name) for row in (await uow.fetch(statement)).all()]
    return sorted(find_mentions(text, people))


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
    return values | {"mentions": orjson.dumps(comment.mentions).decode()}


def _to_comment(row: Record) -> Comment:
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
