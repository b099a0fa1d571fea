"""Writing tasks: the columns of a row, its labels and assignees, its version, and the event that tells of it."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import bindparam, delete, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.domain.events import EventType
from app.domain.folding import fold
from app.errors import InvalidField
from app.models import BoardColumn, TaskAssignee, TaskLabel
from app.models import Task as TaskRow
from app.schemas.tasks import Task
from app.services import facts
from app.services.access import ProjectAccess
from app.services.placement import Siblings
from app.services.task_rows import build_tasks, load_row

_COLUMN_KEYS = (
    select(BoardColumn.key)
    .where(BoardColumn.project_id == bindparam("project"))
    .order_by(BoardColumn.position, BoardColumn.id)
)
IN_COLUMN: Final = (
    (TaskRow.project_id == bindparam("project"))
    & (TaskRow.status == bindparam("status"))
    & TaskRow.deleted_at.is_(None)
)
"""The archived ones, too: they keep their places among the others."""
CARDS: Final = Siblings(TaskRow, IN_COLUMN)
_LINKED: Final = frozenset({"label_ids", "assignee_ids"})
_TEXTS: Final = frozenset({"title", "description"})


async def load_for_change(
    uow: UnitOfWork, project: ProjectAccess, task_id: UUID, *, trashed: bool = False
) -> tuple[Task, dict[str, int]]:
    """Return a task and the version at which each of its fields last changed."""
    row = await load_row(uow, project, task_id, trashed=trashed)
    (task,) = await build_tasks(uow, {project.id: project.key}, [row])
    return task, orjson.loads(row.field_versions)


async def write(
    uow: UnitOfWork,
    project: ProjectAccess,
    task: Task,
    changed: dict[str, Any],
    versions: dict[str, int],
    *,
    event_type: EventType,
) -> Task:
    """Store the `changed` fields of a task as its next version, and tell of it."""
    version = task.version + 1
    after = task.model_copy(update=changed | {"version": version, "updated_at": utc_now()})
    versions |= dict.fromkeys(changed, version)
    values = columns_of(after) | {"field_versions": orjson.dumps(versions).decode()}
    if changed.keys() & _TEXTS:
        values["search_text"] = search_text(after)
    await uow.execute(update(TaskRow).where(TaskRow.id == task.id).values(values))
    await _relink(uow, task, after)
    await facts.record(uow, project.id, event_type, "task", after, changed)
    return after


async def check_status(uow: UnitOfWork, project: ProjectAccess, status: str | None, *, fall_back: bool = False) -> str:
    """Return the column's key; None, or a lost one with `fall_back`, means the first column."""
    keys = list((await uow.find(_COLUMN_KEYS, {"project": project.id})).scalars())
    if status in keys:
        return status
    if status is None or fall_back:
        return keys[0]
    raise InvalidField("status", f"is not a column of this project; its columns are {', '.join(keys)}")


def columns_of(task: Task) -> dict[str, Any]:
    """Return the task as its row stores it, but for what is made of other columns."""
    values = {name: getattr(task, name) for name in Task.model_fields if name not in _LINKED | {"key", "checklist"}}
    values["priority"] = task.priority.value
    values["checklist"] = orjson.dumps([item.model_dump(mode="json") for item in task.checklist]).decode()
    return values


def search_text(task: Task) -> str:
    """Return what searching looks into: the title, and after a line break the description."""
    return f"{fold(task.title)}\n{fold(task.description)}"


async def link(
    uow: UnitOfWork, task_id: UUID, *, label_ids: Sequence[UUID] = (), assignee_ids: Sequence[UUID] = ()
) -> None:
    """Write the labels and the assignees of a task that has none of these."""
    if label_ids:
        await uow.execute(insert(TaskLabel), [{"task_id": task_id, "label_id": label_id} for label_id in label_ids])
    if assignee_ids:
        await uow.execute(insert(TaskAssignee), [{"task_id": task_id, "user_id": user_id} for user_id in assignee_ids])


async def _relink(uow: UnitOfWork, before: Task, after: Task) -> None:
    tables: Collection[tuple[str, type[TaskLabel] | type[TaskAssignee]]] = (
        ("label_ids", TaskLabel),
        ("assignee_ids", TaskAssignee),
    )
    for name, table in tables:
        if getattr(before, name) != getattr(after, name):
            await uow.execute(delete(table).where(table.task_id == after.id))
            await link(uow, after.id, **{name: getattr(after, name)})
