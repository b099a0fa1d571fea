"""One's own inbox: read it, mark it, say how one wants to be told. What comes new is told on the socket."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.api.deps import CurrentUser, Transaction
from app.api.problems import CHANGE_RESPONSES
from app.api.transactions import TransactionalRoute
from app.schemas.notifications import (
    Notification,
    NotificationPage,
    NotificationQuery,
    NotificationSettings,
    NotificationSettingsChange,
    NotificationUpdate,
    ProjectRead,
    Unread,
    Watch,
)
from app.services import notifications, wishes

router = APIRouter(tags=["notifications"], route_class=TransactionalRoute, responses=CHANGE_RESPONSES)


@router.get("/notifications")
async def list_notifications(
    uow: Transaction, actor: CurrentUser, wanted: Annotated[NotificationQuery, Query()]
) -> NotificationPage:
    """List one's notifications, the latest change first."""
    return await notifications.list_notifications(uow, actor, wanted)


@router.patch("/notifications/{notification_id}")
async def update_notification(
    uow: Transaction, actor: CurrentUser, notification_id: UUID, body: NotificationUpdate
) -> Notification:
    """Mark one read or unread, archive it or take it back, hide it until some time."""
    return await notifications.update_notification(uow, actor, notification_id, body)


@router.post("/notifications/read_all")
async def read_all(uow: Transaction, actor: CurrentUser, body: ProjectRead) -> Unread:
    """Mark all read, or all of one project."""
    return Unread(unread=await notifications.read_all(uow, actor, body.project_id))


@router.post("/notifications/archive_all")
async def archive_all(uow: Transaction, actor: CurrentUser) -> Unread:
    """Archive what is read."""
    return Unread(unread=await notifications.archive_read(uow, actor))


@router.post("/tasks/{task_id}/read")
async def read_task(uow: Transaction, actor: CurrentUser, task_id: UUID) -> Unread:
    """Mark read what concerns a task that one looks at."""
    return Unread(unread=await notifications.read_task(uow, actor, task_id))


@router.get("/tasks/{task_id}/watch")
async def get_watch(uow: Transaction, actor: CurrentUser, task_id: UUID) -> Watch:
    """Read what one wants to hear of a task."""
    return await wishes.load_watch(uow, actor, task_id)


@router.put("/tasks/{task_id}/watch")
async def put_watch(uow: Transaction, actor: CurrentUser, task_id: UUID, body: Watch) -> Watch:
    """Watch a task, mute it, or leave it to what one has to do with it."""
    return await wishes.save_watch(uow, actor, task_id, body)


@router.get("/users/me/notification_settings")
async def get_settings(uow: Transaction, actor: CurrentUser) -> NotificationSettings:
    """Read how one is told."""
    return await wishes.load_settings(uow, actor)


@router.put("/users/me/notification_settings")
async def put_settings(uow: Transaction, actor: CurrentUser, body: NotificationSettings) -> NotificationSettings:
    """Say how one wants to be told; what is left out is as by default."""
    return await wishes.save_settings(uow, actor, body)


@router.patch("/users/me/notification_settings")
async def patch_settings(
    uow: Transaction, actor: CurrentUser, body: NotificationSettingsChange
) -> NotificationSettings:
    """Change some of how one wants to be told; what is left out stays."""
    return await wishes.change_settings(uow, actor, body)
