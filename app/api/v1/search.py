"""Searching over all of one's projects."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.api.deps import CurrentUser, Transaction
from app.api.problems import COMMON_RESPONSES
from app.api.transactions import TransactionalRoute
from app.schemas.base import Page
from app.schemas.finding import Hit, SearchQuery
from app.services import search

router = APIRouter(tags=["search"], route_class=TransactionalRoute, responses=COMMON_RESPONSES)


@router.get("/search")
async def find(uow: Transaction, actor: CurrentUser, query: Annotated[SearchQuery, Query()]) -> Page[Hit]:
    """Find tasks and comments by their words, or a task by its key; archived ones included."""
    return await search.search(uow, actor, query)
