"""Tasks: create, change, move, assign, delete to the trash, restore.

Each function locks the project, applies the rules, writes, and records one event; a call that changes nothing
writes nothing and records nothing.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import bindparam, delete, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain import ranking
from app.domain.clock import utc_now
from app.domain.events import EventType
from app.errors import InvalidField
from app.models import BoardColumn, Label, Member, Project, TaskAssignee, TaskLabel
from app.models import Task as TaskRow
from app.permissions import Action
from app.schemas.projects import Placement
from app.schemas.tasks import ChecklistItem, ChecklistItemInput, Task, TaskAssign, TaskCreate, TaskMove, TaskUpdate
from app.security import new_id
from app.services import conflicts, facts
from app.services.access import Actor, ProjectAccess, open_project, open_task
from app.services.placement import Siblings, find_gap, nearest_free
from app.services.task_rows import build_tasks, load_row, load_task

_COLUMN_KEYS = (
    select(BoardColumn.key)
    .where(BoardColumn.project_id == bindparam("project"))
    .order_by(BoardColumn.position, BoardColumn.id)
)
_COUNT = update(Project).where(Project.id == bindparam("project")).values(last_task_number=bindparam("number"))
_INSERT = insert(TaskRow)
_IN_COLUMN = (
    (TaskRow.project_id == bindparam("project"))
    & (TaskRow.status == bindparam("status"))
    & TaskRow.deleted_at.is_(None)
)
_CARDS = Siblings(TaskRow, _IN_COLUMN)
_OTHER_CARDS = Siblings(TaskRow, _IN_COLUMN & (TaskRow.id != bindparam("task")))
_LINKED: Final = frozenset({"label_ids", "assignee_ids"})


async def create(uow: UnitOfWork, actor: Actor, body: TaskCreate) -> Task:
    """Create a task at the asked place, by default the end of the first column."""
    project = await open_project(uow, actor, body.project_id, Action.EDIT_TASKS, lock=True)
    status = await _check_status(uow, project, body.status)
    label_ids = await _check_labels(uow, project, body.label_ids)
    assignee_ids = await _check_assignees(uow, project, body.assignee_ids)
    low, high = await find_gap(uow, _CARDS, {"project": project.id, "status": status}, body)
    number = project.row.last_task_number + 1
    now = utc_now()
    task = Task(
        id=new_id(),
        project_id=project.id,
        number=number,
        key=f"{project.key}-{number}",
        title=body.title,
        description=body.description,
        status=status,
        priority=body.priority,
        label_ids=label_ids,
        assignee_ids=assignee_ids,
        due=body.due,
        checklist=_checklist(body.checklist),
        position=ranking.between(low, high),
        version=1,
        comment_count=0,
        created_by=actor.user_id,
        created_at=now,
        updated_at=now,
        deleted_at=None,
    )
    await uow.execute(_COUNT, {"project": project.id, "number": number})
    await uow.execute(_INSERT, _columns(task) | {"field_versions": "{}"})
    await _link(uow, task.id, label_ids=label_ids, assignee_ids=assignee_ids)
    await facts.record(uow, project.id, EventType.TASK_CREATED, "task", task, [])
    return task


async def update_task(
    uow: UnitOfWork, actor: Actor, task_id: UUID, body: TaskUpdate, *, if_version: int | None
) -> Task:
    """Change the fields that are set in `body`.

    With `if_version`, fields that others changed since that version are refused and the rest of the body with them;
    disjoint changes merge. Without it the last writer wins, per field.

    Raises:
        VersionConflict: the same field was changed since `if_version`; it carries mine, theirs and base.
    """
    project = await open_task(uow, actor, task_id, Action.EDIT_TASKS, lock=True)
    task, versions = await _load(uow, project, task_id)
    wanted = await _wanted(uow, project, body)
    changed = facts.changed_fields(task, wanted)
    if if_version is not None:
        await conflicts.check(uow, project, task, changed, versions, if_version)
    if not changed:
        return task
    changes = set(changed)
    if "status" in changed:
        column = {"project": project.id, "status": changed["status"]}
        low, high = await find_gap(uow, _CARDS, column, Placement())
        changed["position"] = ranking.between(low, high)
    return await _write(uow, project, task, changed, versions, event_type=_type_of(changes))


async def move(uow: UnitOfWork, actor: Actor, task_id: UUID, body: TaskMove) -> Task:
    """Put a task into a column, before or after another card or at the end."""
    project = await open_task(uow, actor, task_id, Action.EDIT_TASKS, lock=True)
    task, versions = await _load(uow, project, task_id)
    status = await _check_status(uow, project, body.status)
    column = {"project": project.id, "status": status, "task": task.id}
    low, high = await find_gap(uow, _OTHER_CARDS, column, body)
    lies_there = (
        task.status == status and (low is None or low < task.position) and (high is None or task.position < high)
    )
    if lies_there:
        return task
    changed = facts.changed_fields(task, {"status": status, "position": ranking.between(low, high)})
    return await _write(uow, project, task, changed, versions, event_type=EventType.TASK_MOVED)


async def assign(uow: UnitOfWork, actor: Actor, task_id: UUID, body: TaskAssign) -> Task:
    """Make `user_ids` the whole set of assignees."""
    change = TaskUpdate(assignee_ids=body.user_ids)
    try:
        return await update_task(uow, actor, task_id, change, if_version=None)
    except InvalidField as error:
        raise InvalidField("user_ids", error.detail) from None


async def delete_task(uow: UnitOfWork, actor: Actor, task_id: UUID) -> None:
    """Put a task into the trash, from which it can be restored until the trash is emptied."""
    project = await open_task(uow, actor, task_id, Action.EDIT_TASKS, lock=True)
    task = await load_task(uow, project, task_id)
    await _write_trash(uow, project, task.model_copy(update={"deleted_at": utc_now()}), EventType.TASK_DELETED)


async def restore(uow: UnitOfWork, actor: Actor, task_id: UUID) -> Task:
    """Take a task out of the trash, to where it was; into the first column if its own has gone meanwhile."""
    project = await open_task(uow, actor, task_id, Action.EDIT_TASKS, lock=True)
    task = await load_task(uow, project, task_id, trashed=True)
    status = await _check_status(uow, project, task.status, fall_back=True)
    position = await nearest_free(uow, _CARDS, {"project": project.id, "status": status}, task.position)
    restored = task.model_copy(update={"deleted_at": None, "status": status, "position": position})
    return await _write_trash(uow, project, restored, EventType.TASK_RESTORED)


async def _load(uow: UnitOfWork, project: ProjectAccess, task_id: UUID) -> tuple[Task, dict[str, int]]:
    """Return a task and the version at which each of its fields last changed."""
    row = await load_row(uow, project, task_id)
    return (await build_tasks(uow, project.key, [row]))[0], orjson.loads(row.field_versions)


async def _write(
    uow: UnitOfWork,
    project: ProjectAccess,
    task: Task,
    changed: dict[str, Any],
    versions: dict[str, int],
    *,
    event_type: EventType,
) -> Task:
    version = task.version + 1
    after = task.model_copy(update=changed | {"version": version, "updated_at": utc_now()})
    versions |= dict.fromkeys(changed, version)
    columns = {name: value for name, value in _columns(after).items() if name not in _LINKED}
    columns["field_versions"] = orjson.dumps(versions).decode()
    await uow.execute(update(TaskRow).where(TaskRow.id == task.id).values(columns))
    await _relink(uow, task, after)
    await facts.record(uow, project.id, event_type, "task", after, changed)
    return after


async def _write_trash(uow: UnitOfWork, project: ProjectAccess, task: Task, event_type: EventType) -> Task:
    after = task.model_copy(update={"version": task.version + 1, "updated_at": utc_now()})
    await uow.execute(update(TaskRow).where(TaskRow.id == task.id).values(_columns(after)))
    await facts.record(uow, project.id, event_type, "task", after, ["deleted_at"])
    return after


def _type_of(changes: Collection[str]) -> EventType:
    """A change of the status alone is a move, of the assignees alone an assignment; everything else an update."""
    if set(changes) == {"status"}:
        return EventType.TASK_MOVED
    if set(changes) == {"assignee_ids"}:
        return EventType.TASK_ASSIGNED
    return EventType.TASK_UPDATED


async def _wanted(uow: UnitOfWork, project: ProjectAccess, body: TaskUpdate) -> dict[str, Any]:
    """The fields a PATCH sets, checked and in the form a `Task` holds them."""
    wanted = {name: getattr(body, name) for name in body.model_fields_set}
    if "status" in wanted:
        wanted["status"] = await _check_status(uow, project, body.status)
    if "label_ids" in wanted:
        wanted["label_ids"] = await _check_labels(uow, project, body.label_ids)
    if "assignee_ids" in wanted:
        wanted["assignee_ids"] = await _check_assignees(uow, project, body.assignee_ids)
    if "checklist" in wanted:
        wanted["checklist"] = _checklist(body.checklist)
    return wanted


async def _check_status(uow: UnitOfWork, project: ProjectAccess, status: str | None, *, fall_back: bool = False) -> str:
    """Return the column's key; None, or a lost one with `fall_back`, means the first column."""
    keys = list((await uow.find(_COLUMN_KEYS, {"project": project.id})).scalars())
    if status in keys:
        return status
    if status is None or fall_back:
        return keys[0]
    raise InvalidField("status", f"is not a column of this project; its columns are {', '.join(keys)}")


async def _check_labels(uow: UnitOfWork, project: ProjectAccess, ids: Collection[UUID]) -> list[UUID]:
    if ids:
        statement = select(Label.id).where(Label.project_id == project.id, Label.id.in_(ids))
        if set((await uow.fetch(statement)).scalars()) != set(ids):
            raise InvalidField("label_ids", "names a label that this project does not have")
    return sorted(set(ids))


async def _check_assignees(uow: UnitOfWork, project: ProjectAccess, ids: Collection[UUID]) -> list[UUID]:
    if ids:
        statement = select(Member.user_id).where(Member.project_id == project.id, Member.user_id.in_(ids))
        if set((await uow.fetch(statement)).scalars()) != set(ids):
            raise InvalidField("assignee_ids", "names somebody who is not a member of this project")
    return sorted(set(ids))


def _checklist(items: Sequence[ChecklistItemInput]) -> list[ChecklistItem]:
    """Give new lines an id; a repeated id counts as new."""
    seen: set[UUID] = set()
    lines = []
    for item in items:
        item_id = item.id if item.id is not None and item.id not in seen else new_id()
        seen.add(item_id)
        lines.append(ChecklistItem(id=item_id, text=item.text, done=item.done))
    return lines


def _columns(task: Task) -> dict[str, Any]:
    """The task as its row stores it."""
    values = {name: getattr(task, name) for name in Task.model_fields if name not in _LINKED | {"key", "checklist"}}
    values["priority"] = task.priority.value
    values["checklist"] = orjson.dumps([item.model_dump(mode="json") for item in task.checklist]).decode()
    return values


async def _relink(uow: UnitOfWork, before: Task, after: Task) -> None:
    for name, table in (("label_ids", TaskLabel), ("assignee_ids", TaskAssignee)):
        if getattr(before, name) != getattr(after, name):
            await uow.execute(delete(table).where(table.task_id == after.id))
            await _link(uow, after.id, **{name: getattr(after, name)})


async def _link(
    uow: UnitOfWork, task_id: UUID, *, label_ids: Sequence[UUID] = (), assignee_ids: Sequence[UUID] = ()
) -> None:
    if label_ids:
        await uow.execute(insert(TaskLabel), [{"task_id": task_id, "label_id": label_id} for label_id in label_ids])
    if assignee_ids:
        await uow.execute(insert(TaskAssignee), [{"task_id": task_id, "user_id": user_id} for user_id in assignee_ids])
