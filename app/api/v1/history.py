"""A project's log, page by page, and what of it is about one task."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from app.api.deps import MaybeUser, Paging, Transaction
from app.api.problems import COMMON_RESPONSES, responses
from app.api.transactions import TransactionalRoute
from app.schemas.base import Page
from app.schemas.tasks import EventPage
from app.services import history

MAX_SEQ = 2**53 - 1

router = APIRouter(tags=["history"], route_class=TransactionalRoute, responses=COMMON_RESPONSES | responses(410))


@router.get("/projects/{project_id}/events")
async def read_events(
    uow: Transaction,
    actor: MaybeUser,
    project_id: UUID,
    since: Annotated[int, Query(ge=0, le=MAX_SEQ, description="Number of the last event you have")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    epoch: Annotated[str | None, Query(max_length=16, description="The log's life that `since` belongs to")] = None,
) -> EventPage:
    """Read the events after `since`, oldest first; 410 when they are no longer all there."""
    return await history.read_page(uow, actor, project_id, epoch=epoch, since=since, limit=limit)


@router.get("/tasks/{task_id}/activity")
async def read_activity(uow: Transaction, actor: MaybeUser, task_id: UUID, page: Paging) -> Page[dict[str, Any]]:
    """Read the events about one task and its comments, newest first, as far back as the log is kept."""
    return await history.read_activity(uow, actor, task_id, cursor=page.cursor, limit=page.limit)
