"""Finding tasks: one, those of a project that match a filter, those in its trash and in its archive."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, tuple_

from app.db.unit_of_work import UnitOfWork
from app.domain.events import EventType
from app.models import LoggedEvent, TaskAssignee, TaskLabel, User
from app.models import Task as TaskRow
from app.permissions import Action
from app.schemas.base import Page, decode_cursor, make_page
from app.schemas.tasks import ArchiveFilter, ShelvedTask, Task, TaskFilter
from app.services.access import Actor, ProjectAccess, open_project, open_task
from app.services.task_rows import fetch_tasks, load_task, select_tasks
from app.services.text_search import matches_task


async def get_task(uow: UnitOfWork, actor: Actor | None, task_id: UUID) -> Task:
    """Return one task."""
    project = await open_task(uow, actor, task_id, Action.READ)
    return await load_task(uow, project, task_id)


async def list_tasks(
    uow: UnitOfWork, actor: Actor | None, project_id: UUID, wanted: TaskFilter, *, cursor: str | None, limit: int
) -> Page[Task]:
    """Return a page of the tasks on a project's board, by column key, then position."""
    project = await open_project(uow, actor, project_id, Action.READ)
    key = (TaskRow.status, TaskRow.position, TaskRow.id)
    statement = (
        select_tasks()
        .where(TaskRow.project_id == project.id, TaskRow.deleted_at.is_(None), TaskRow.archived_at.is_(None))
        .where(*_conditions(wanted, project))
        .order_by(*key)
    )
    if after := decode_cursor(cursor, str, str, UUID):
        statement = statement.where(tuple_(*key) > tuple_(*after))
    tasks = await _fetch_page(uow, project, statement, limit)
    return make_page(tasks, limit, lambda task: (task.status, task.position, task.id))


async def list_trash(
    uow: UnitOfWork, actor: Actor, project_id: UUID, *, cursor: str | None, limit: int
) -> Page[ShelvedTask]:
    """Return a page of a project's trash, by id, which is by age of the task."""
    project = await open_project(uow, actor, project_id, Action.EDIT_TASKS)
    statement = (
        select_tasks().where(TaskRow.project_id == project.id, TaskRow.deleted_at.is_not(None)).order_by(TaskRow.id)
    )
    if after := decode_cursor(cursor, UUID):
        statement = statement.where(TaskRow.id > after[0])
    tasks = await _fetch_page(uow, project, statement, limit)
    shelved = await _with_who(uow, project, tasks, EventType.TASK_DELETED)
    return make_page(shelved, limit, lambda task: (task.id,))


async def list_archive(
    uow: UnitOfWork, actor: Actor | None, project_id: UUID, wanted: ArchiveFilter
) -> Page[ShelvedTask]:
    """Return a page of a project's archive, what was put there last first."""
    project = await open_project(uow, actor, project_id, Action.READ)
    key = (TaskRow.archived_at, TaskRow.id)
    statement = (
        select_tasks()
        .where(TaskRow.project_id == project.id, TaskRow.archived_at.is_not(None), TaskRow.deleted_at.is_(None))
        .order_by(*(part.desc() for part in key))
    )
    if wanted.q is not None:
        statement = statement.where(matches_task(wanted.q, project.id, project.key))
    if before := decode_cursor(wanted.cursor, datetime, UUID):
        statement = statement.where(tuple_(*key) < tuple_(*before, types=[part.type for part in key]))
    tasks = await _fetch_page(uow, project, statement, wanted.limit)
    shelved = await _with_who(uow, project, tasks, EventType.TASK_ARCHIVED)
    return make_page(shelved, wanted.limit, lambda task: (task.archived_at or task.updated_at, task.id))


async def _fetch_page(uow: UnitOfWork, project: ProjectAccess, statement: Select[Any], limit: int) -> list[Task]:
    """One more than asked for tells whether there is a next page."""
    return await fetch_tasks(uow, project, statement.limit(limit + 1))


async def _with_who(
    uow: UnitOfWork, project: ProjectAccess, tasks: Sequence[Task], put_away: EventType
) -> list[ShelvedTask]:
    """Add who last put each of them away; the log knows, which remembers longer than the trash is kept."""
    of_these = (LoggedEvent.task_id.in_([task.id for task in tasks]), LoggedEvent.type == put_away.value)
    last = select(func.max(LoggedEvent.seq)).where(*of_these, LoggedEvent.project_id == project.id)
    statement = (
        select(LoggedEvent.task_id, User.id, User.name)
        .join(User, User.id == LoggedEvent.user_id)
        .where(LoggedEvent.project_id == project.id, LoggedEvent.seq.in_(last.group_by(LoggedEvent.task_id)))
    )
    who = {task_id: (user_id, name) for task_id, user_id, name in (await uow.fetch(statement)).all()}
    found = ((task, *who.get(task.id, (None, None))) for task in tasks)
    return [
        ShelvedTask.model_construct(**dict(task), put_away_by=user_id, put_away_by_name=name)
        for task, user_id, name in found
    ]


def _conditions(wanted: TaskFilter, project: ProjectAccess) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        found.append(TaskRow.status == wanted.status)
    if wanted.priority is not None:
        found.append(TaskRow.priority == wanted.priority.value)
    if wanted.assignee is not None:
        found.append(TaskRow.id.in_(select(TaskAssignee.task_id).where(TaskAssignee.user_id == wanted.assignee)))
    if wanted.label is not None:
        found.append(TaskRow.id.in_(select(TaskLabel.task_id).where(TaskLabel.label_id == wanted.label)))
    if wanted.due_before is not None:
        found.append(TaskRow.due < wanted.due_before)
    if wanted.due_after is not None:
        found.append(TaskRow.due >= wanted.due_after)
    if wanted.q is not None:
        found.append(matches_task(wanted.q, project.id, project.key))
    return found
