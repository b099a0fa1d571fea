"""Tasks that leave the board and come back: the trash, which is emptied in time, and the archive, which is not.

An archived task is still a task: it can be read, changed, moved, commented on and found, and stays archived. It is not
on the board, but keeps its place among the cards of its column. What comes out of the trash comes onto the board.
"""

from typing import Any
from uuid import UUID

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.domain.events import EventType
from app.models import Notification
from app.permissions import Action
from app.schemas.tasks import Task
from app.services import facts
from app.services.access import Actor, open_task
from app.services.deliveries import close_pushes
from app.services.notices import tell_of_change
from app.services.placement import nearest_free
from app.services.task_writing import CARDS, check_status, load_for_change, write


async def delete_task(uow: UnitOfWork, actor: Actor, task_id: UUID) -> None:
    """Put a task into the trash, from which it can be restored until the trash is emptied."""
    project = await open_task(uow, actor, task_id, Action.EDIT_TASKS, lock=True)
    task, versions = await load_for_change(uow, project, task_id)
    now = utc_now()
    await write(uow, project, task, {"deleted_at": now}, versions, event_type=EventType.TASK_DELETED)
    await tell_of_change(uow, Notification.task_id == task_id)
    await close_pushes(uow, Notification.task_id == task_id, now)


async def restore(uow: UnitOfWork, actor: Actor, task_id: UUID) -> Task:
    """Take a task out of the trash, onto the board, to where it was; into the first column if its own has gone."""
    project = await open_task(uow, actor, task_id, Action.EDIT_TASKS, lock=True)
    task, versions = await load_for_change(uow, project, task_id, trashed=True)
    status = await check_status(uow, project, task.status, fall_back=True)
    position = await nearest_free(uow, CARDS, {"project": project.id, "status": status}, task.position)
    wanted = {"deleted_at": None, "archived_at": None, "status": status, "position": position}
    changed = facts.changed_fields(task, wanted)
    after = await write(uow, project, task, changed, versions, event_type=EventType.TASK_RESTORED)
    await tell_of_change(uow, Notification.task_id == task_id)
    return after


async def archive(uow: UnitOfWork, actor: Actor, task_id: UUID) -> Task:
    """Take a task off the board; one that is archived stays as it is."""
    project = await open_task(uow, actor, task_id, Action.EDIT_TASKS, lock=True)
    task, versions = await load_for_change(uow, project, task_id)
    if task.archived_at is not None:
        return task
    return await write(uow, project, task, {"archived_at": utc_now()}, versions, event_type=EventType.TASK_ARCHIVED)


async def unarchive(uow: UnitOfWork, actor: Actor, task_id: UUID) -> Task:
    """Bring a task back onto the board, to where it was; into the first column if its own has gone."""
    project = await open_task(uow, actor, task_id, Action.EDIT_TASKS, lock=True)
    task, versions = await load_for_change(uow, project, task_id)
    if task.archived_at is None:
        return task
    wanted: dict[str, Any] = {"archived_at": None}
    wanted["status"] = await check_status(uow, project, task.status, fall_back=True)
    if wanted["status"] != task.status:  # in its own column its place was kept
        column = {"project": project.id, "status": wanted["status"]}
        wanted["position"] = await nearest_free(uow, CARDS, column, task.position)
    changed = facts.changed_fields(task, wanted)
    return await write(uow, project, task, changed, versions, event_type=EventType.TASK_UNARCHIVED)
