"""What waits for one person, over all their projects: open tasks assigned to them, comments that mention them."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, tuple_

from app.db.unit_of_work import UnitOfWork
from app.models import BoardColumn, Member, Mention, Project, TaskAssignee
from app.models import Comment as CommentRow
from app.models import Task as TaskRow
from app.schemas.base import Page, decode_cursor, make_page
from app.schemas.finding import ColumnRef, MyMention, MyTask, ProjectRef, TaskRef
from app.schemas.tasks import Task
from app.services.access import Actor, Record
from app.services.comments import select_comments, to_comment
from app.services.task_rows import build_tasks, select_tasks, to_card

_NEVER: Final = "9999-99-99"
"""Sorts behind every due date, whatever the database's locale."""
_due_or_never: Final = func.coalesce(TaskRow.due, _NEVER)
_PROJECT: Final = (Project.key.label("project_key"), Project.name.label("project_name"))


async def list_tasks(uow: UnitOfWork, actor: Actor, *, cursor: str | None, limit: int) -> Page[MyTask]:
    """Return a page of the open tasks assigned to the actor: by due date, without one last; then the newest change."""
    statement = (
        select_tasks()
        .add_columns(*_PROJECT, BoardColumn.name.label("column_name"), BoardColumn.is_done)
        .join(TaskAssignee, (TaskAssignee.task_id == TaskRow.id) & (TaskAssignee.user_id == actor.user_id))
        .join(BoardColumn, (BoardColumn.project_id == TaskRow.project_id) & (BoardColumn.key == TaskRow.status))
        .where(TaskRow.deleted_at.is_(None), TaskRow.archived_at.is_(None), BoardColumn.is_done.is_(False))
        .order_by(_due_or_never, TaskRow.updated_at.desc(), TaskRow.id.desc())
        .limit(limit + 1)
    )
    if last := decode_cursor(cursor, str, datetime, UUID):
        statement = statement.where(_behind(*last))
    rows = (await uow.fetch(_in_own_projects(statement, TaskRow.project_id, actor))).all()
    tasks = await build_tasks(uow, {row.project_id: row.project_key for row in rows}, rows)
    found = [_to_my_task(row, task) for row, task in zip(rows, tasks, strict=True)]
    return make_page(found, limit, lambda task: (task.due or _NEVER, task.updated_at, task.id))


async def list_mentions(uow: UnitOfWork, actor: Actor, *, cursor: str | None, limit: int) -> Page[MyMention]:
    """Return a page of the comments that mention the actor, newest first."""
    statement = (
        select_comments()
        .add_columns(*_PROJECT, TaskRow.number, TaskRow.title)
        .join(Mention, (Mention.comment_id == CommentRow.id) & (Mention.user_id == actor.user_id))
        .join(TaskRow, TaskRow.id == CommentRow.task_id)
        .where(CommentRow.deleted_at.is_(None), TaskRow.deleted_at.is_(None))
        .order_by(Mention.comment_id.desc())
        .limit(limit + 1)
    )
    if before := decode_cursor(cursor, UUID):
        statement = statement.where(Mention.comment_id < before[0])
    rows = (await uow.fetch(_in_own_projects(statement, CommentRow.project_id, actor))).all()
    return make_page([_to_my_mention(row) for row in rows], limit, lambda mention: (mention.id,))


def _in_own_projects(statement: Select[Any], project_id: Any, actor: Actor) -> Select[Any]:
    """Keep what is in a project that is there, and that the actor is a member of."""
    membership = (Member.project_id == project_id) & (Member.user_id == actor.user_id)
    return (
        statement.join(Project, Project.id == project_id).join(Member, membership).where(Project.deleted_at.is_(None))
    )


def _behind(due: str, updated_at: datetime, id_: UUID) -> ColumnElement[bool]:
    """Whether a task comes after the one with this key: the first part ascends, the others descend."""
    key = (TaskRow.updated_at, TaskRow.id)
    later = tuple_(*key) < tuple_(updated_at, id_, types=[part.type for part in key])
    return or_(_due_or_never > due, and_(_due_or_never == due, later))


def _to_my_task(row: Record, task: Task) -> MyTask:
    return MyTask.model_construct(
        **dict(to_card(task)),
        project=ProjectRef(id=row.project_id, key=row.project_key, name=row.project_name),
        column=ColumnRef(key=row.status, name=row.column_name, is_done=row.is_done),
    )


def _to_my_mention(row: Record) -> MyMention:
    return MyMention.model_construct(
        **dict(to_comment(row)),
        project=ProjectRef(id=row.project_id, key=row.project_key, name=row.project_name),
        task=TaskRef(id=row.task_id, key=f"{row.project_key}-{row.number}", number=row.number, title=row.title),
    )
