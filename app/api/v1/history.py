"""A project's log, page by page."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.api.deps import MaybeUser, Transaction
from app.api.problems import COMMON_RESPONSES, responses
from app.api.transactions import TransactionalRoute
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
