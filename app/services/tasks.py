"""Tasks: create, change, move, assign. The trash and the archive are `task_shelves`.

Each function locks the project, applies the rules, writes, and records one event; a call that changes nothing
writes nothing and records nothing.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain import ranking
from app.domain.clock import utc_now
from app.domain.events import EventType
from app.errors import InvalidField
from app.models import Label, Member, Project
from app.models import Task as TaskRow
from app.permissions import Action
from app.schemas.projects import Placement
from app.schemas.tasks import ChecklistItem, ChecklistItemInput, Task, TaskAssign, TaskCreate, TaskMove, TaskUpdate
from app.security import new_id
from app.services import conflicts, facts, reminders
from app.services.access import Actor, ProjectAccess, open_project, open_task
from app.services.placement import Siblings, find_gap
from app.services.task_news import tell_of_task
from app.services.task_writing import (
    CARDS,
    IN_COLUMN,
    check_status,
    columns_of,
    link,
    load_for_change,
    search_text,
    write,
)

_COUNT = update(Project).where(Project.id == bindparam("project")).values(last_task_number=bindparam("number"))
_INSERT = insert(TaskRow)
_OTHER_CARDS = Siblings(TaskRow, IN_COLUMN & (TaskRow.id != bindparam("task")))


async def create(uow: UnitOfWork, actor: Actor, body: TaskCreate) -> Task:
    """Create a task at the asked place, by default the end of the first column."""
    project = await open_project(uow, actor, body.project_id, Action.EDIT_TASKS, lock=True)
    status = await check_status(uow, project, body.status)
    label_ids = await _check_labels(uow, project, body.label_ids)
    assignee_ids = await _check_assignees(uow, project, body.assignee_ids)
    low, high = await find_gap(uow, CARDS, {"project": project.id, "status": status}, body)
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
        archived_at=None,
    )
    await uow.execute(_COUNT, {"project": project.id, "number": number})
    await uow.execute(_INSERT, columns_of(task) | {"field_versions": "{}", "search_text": search_text(task)})
    await link(uow, task.id, label_ids=label_ids, assignee_ids=assignee_ids)
    await facts.record(uow, project.id, EventType.TASK_CREATED, "task", task, [])
    await tell_of_task(uow, actor, project, None, task)
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
    task, versions = await load_for_change(uow, project, task_id)
    wanted = await _wanted(uow, project, body)
    changed = facts.changed_fields(task, wanted)
    if if_version is not None:
        await conflicts.check(uow, task, changed, versions, if_version)
    if not changed:
        return task
    changes = set(changed)
    if "status" in changed:
        column = {"project": project.id, "status": changed["status"]}
        low, high = await find_gap(uow, CARDS, column, Placement())
        changed["position"] = ranking.between(low, high)
    after = await write(uow, project, task, changed, versions, event_type=_type_of(changes))
    if changes & {"due", "assignee_ids"}:
        await reminders.start_over(uow, after)
    await tell_of_task(uow, actor, project, task, after)
    return after


async def move(uow: UnitOfWork, actor: Actor, task_id: UUID, body: TaskMove) -> Task:
    """Put a task into a column, before or after another card or at the end."""
    project = await open_task(uow, actor, task_id, Action.EDIT_TASKS, lock=True)
    task, versions = await load_for_change(uow, project, task_id)
    status = await check_status(uow, project, body.status)
    column = {"project": project.id, "status": status, "task": task.id}
    low, high = await find_gap(uow, _OTHER_CARDS, column, body)
    lies_there = (
        task.status == status and (low is None or low < task.position) and (high is None or task.position < high)
    )
    if lies_there:
        return task
    changed = facts.changed_fields(task, {"status": status, "position": ranking.between(low, high)})
    after = await write(uow, project, task, changed, versions, event_type=EventType.TASK_MOVED)
    await tell_of_task(uow, actor, project, task, after)
    return after


async def assign(uow: UnitOfWork, actor: Actor, task_id: UUID, body: TaskAssign) -> Task:
    """Make `user_ids` the whole set of assignees."""
    change = TaskUpdate(assignee_ids=body.user_ids)
    try:
        return await update_task(uow, actor, task_id, change, if_version=None)
    except InvalidField as error:
        raise InvalidField("user_ids", error.detail) from None


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
        wanted["status"] = await check_status(uow, project, body.status)
    if "label_ids" in wanted:
        wanted["label_ids"] = await _check_labels(uow, project, body.label_ids)
    if "assignee_ids" in wanted:
        wanted["assignee_ids"] = await _check_assignees(uow, project, body.assignee_ids)
    if "checklist" in wanted:
        wanted["checklist"] = _checklist(body.checklist)
    return wanted


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
