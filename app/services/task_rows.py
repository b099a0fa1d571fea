"""Reading tasks: rows, their labels and assignees become the objects that the API and the events show."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Select, select

from app.db.unit_of_work import UnitOfWork
from app.errors import NotFound
from app.models import Task as TaskRow
from app.models import TaskAssignee, TaskLabel
from app.schemas.tasks import Card, Task
from app.services.access import ProjectAccess, Record

_MAX_IDS_PER_QUERY = 500
_COLUMNS = [column for column in TaskRow.__table__.columns if column.name != "search_text"]


def select_tasks() -> Select[*tuple[Any, ...]]:
    """Return a SELECT of what `build_tasks` needs, which is everything but the text for searching."""
    return select(*_COLUMNS)


async def load_task(uow: UnitOfWork, project: ProjectAccess, task_id: UUID, *, trashed: bool = False) -> Task:
    """Return one task of a project; with `trashed`, one in its trash.

    Raises:
        NotFound: the project has no such task (there).
    """
    row = await load_row(uow, project, task_id, trashed=trashed)
    return (await build_tasks(uow, {project.id: project.key}, [row]))[0]


async def load_row(uow: UnitOfWork, project: ProjectAccess, task_id: UUID, *, trashed: bool = False) -> Record:
    """Return the row of one task of a project, like `load_task`."""
    condition = TaskRow.deleted_at.is_not(None) if trashed else TaskRow.deleted_at.is_(None)
    statement = select_tasks().where(TaskRow.id == task_id, TaskRow.project_id == project.id, condition)
    row: Record | None = (await uow.fetch(statement)).one_or_none()
    if row is None:
        message = "this task is not in the trash" if trashed else "no such task, or you may not see it"
        raise NotFound(message)
    return row


async def fetch_tasks(uow: UnitOfWork, project: ProjectAccess, statement: Select[Any]) -> list[Task]:
    """Run a `select_tasks()` within one project and return whole tasks, in its order."""
    return await build_tasks(uow, {project.id: project.key}, (await uow.fetch(statement)).all())


async def build_tasks(uow: UnitOfWork, keys: Mapping[UUID, str], rows: Sequence[Record]) -> list[Task]:
    """Return the tasks of some rows, with two queries for all labels and assignees; `keys` are those of projects."""
    ids = [row.id for row in rows]
    labels = await _links(uow, TaskLabel, TaskLabel.label_id, ids)
    assignees = await _links(uow, TaskAssignee, TaskAssignee.user_id, ids)
    return [to_task(keys[row.project_id], row, labels[row.id], assignees[row.id]) for row in rows]


def to_card(task: Task) -> Card:
    """Return what a board shows of a task."""
    return Card.model_construct(**{name: getattr(task, name) for name in Card.model_fields})


def to_task(project_key: str, row: Record, label_ids: Collection[UUID], assignee_ids: Collection[UUID]) -> Task:
    """Return the task of one row."""
    return Task(
        id=row.id,
        project_id=row.project_id,
        number=row.number,
        key=f"{project_key}-{row.number}",
        title=row.title,
        description=row.description,
        status=row.status,
        priority=row.priority,
        label_ids=sorted(label_ids),
        assignee_ids=sorted(assignee_ids),
        due=row.due,
        checklist=orjson.loads(row.checklist),
        position=row.position,
        version=row.version,
        comment_count=row.comment_count,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
        deleted_at=row.deleted_at,
        archived_at=row.archived_at,
    )


async def _links(
    uow: UnitOfWork, table: type[TaskLabel] | type[TaskAssignee], target: Any, task_ids: Sequence[UUID]
) -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = defaultdict(list)
    for start in range(0, len(task_ids), _MAX_IDS_PER_QUERY):
        batch = task_ids[start : start + _MAX_IDS_PER_QUERY]
        statement = select(table.task_id, target).where(table.task_id.in_(batch))
        for task_id, target_id in (await uow.fetch(statement)).all():
            found[task_id].append(target_id)
    return found
