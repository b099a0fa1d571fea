"""Tasks: create, read, change, move, assign, delete, restore, archive."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.api.deps import CurrentUser, IfMatch, MaybeUser, Paging, Transaction
from app.api.problems import CHANGE_RESPONSES
from app.api.transactions import TransactionalRoute
from app.schemas.base import Page
from app.schemas.tasks import ArchiveFilter, ShelvedTask, Task, TaskAssign, TaskCreate, TaskFilter, TaskMove, TaskUpdate
from app.services import task_queries, task_shelves, tasks

router = APIRouter(tags=["tasks"], route_class=TransactionalRoute, responses=CHANGE_RESPONSES)


def _tagged(response: Response, task: Task) -> Task:
    response.headers["ETag"] = f'"{task.version}"'
    return task


@router.post("/tasks", status_code=201)
async def create_task(uow: Transaction, actor: CurrentUser, body: TaskCreate, response: Response) -> Task:
    """Create a task in a project."""
    return _tagged(response, await tasks.create(uow, actor, body))


@router.get("/projects/{project_id}/tasks")
async def list_tasks(
    uow: Transaction, actor: MaybeUser, project_id: UUID, wanted: Annotated[TaskFilter, Query()]
) -> Page[Task]:
    """List a project's tasks, filtered, by column key and position."""
    return await task_queries.list_tasks(uow, actor, project_id, wanted, cursor=wanted.cursor, limit=wanted.limit)


@router.get("/projects/{project_id}/trash")
async def list_trash(uow: Transaction, actor: CurrentUser, project_id: UUID, page: Paging) -> Page[ShelvedTask]:
    """List the deleted tasks that can still be restored."""
    return await task_queries.list_trash(uow, actor, project_id, cursor=page.cursor, limit=page.limit)


@router.get("/projects/{project_id}/archive")
async def list_archive(
    uow: Transaction, actor: MaybeUser, project_id: UUID, wanted: Annotated[ArchiveFilter, Query()]
) -> Page[ShelvedTask]:
    """List the archived tasks, newest first, with `q` those with its words."""
    return await task_queries.list_archive(uow, actor, project_id, wanted)


@router.get("/tasks/{task_id}")
async def get_task(uow: Transaction, actor: MaybeUser, task_id: UUID, response: Response) -> Task:
    """Read one task."""
    return _tagged(response, await task_queries.get_task(uow, actor, task_id))


@router.patch("/tasks/{task_id}")
async def update_task(
    uow: Transaction, actor: CurrentUser, task_id: UUID, body: TaskUpdate, if_version: IfMatch, response: Response
) -> Task:
    """Change some fields. With If-Match, a field that others changed since then is a 409 with both values."""
    return _tagged(response, await tasks.update_task(uow, actor, task_id, body, if_version=if_version))


@router.post("/tasks/{task_id}/move")
async def move_task(uow: Transaction, actor: CurrentUser, task_id: UUID, body: TaskMove, response: Response) -> Task:
    """Move a task to a column, before or after another card, or to the end."""
    return _tagged(response, await tasks.move(uow, actor, task_id, body))


@router.post("/tasks/{task_id}/assign")
async def assign_task(
    uow: Transaction, actor: CurrentUser, task_id: UUID, body: TaskAssign, response: Response
) -> Task:
    """Say who the task is assigned to: the whole set."""
    return _tagged(response, await tasks.assign(uow, actor, task_id, body))


@router.delete("/tasks/{task_id}", status_code=204)
async def delete_task(uow: Transaction, actor: CurrentUser, task_id: UUID) -> None:
    """Move a task to the trash."""
    await task_shelves.delete_task(uow, actor, task_id)


@router.post("/tasks/{task_id}/restore")
async def restore_task(uow: Transaction, actor: CurrentUser, task_id: UUID, response: Response) -> Task:
    """Take a task out of the trash."""
    return _tagged(response, await task_shelves.restore(uow, actor, task_id))


@router.post("/tasks/{task_id}/archive")
async def archive_task(uow: Transaction, actor: CurrentUser, task_id: UUID, response: Response) -> Task:
    """Take a task off the board for good; it stays findable, and can come back."""
    return _tagged(response, await task_shelves.archive(uow, actor, task_id))


@router.post("/tasks/{task_id}/unarchive")
async def unarchive_task(uow: Transaction, actor: CurrentUser, task_id: UUID, response: Response) -> Task:
    """Bring an archived task back to its place on the board."""
    return _tagged(response, await task_shelves.unarchive(uow, actor, task_id))
