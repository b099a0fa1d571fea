"""Saved views: filters of a board, each person's own."""

from uuid import UUID

from fastapi import APIRouter

from app.api.deps import CurrentUser, Paging, Transaction
from app.api.problems import CHANGE_RESPONSES
from app.api.transactions import TransactionalRoute
from app.schemas.base import Page
from app.schemas.views import SavedView, SavedViewCreate, SavedViewUpdate
from app.services import views

router = APIRouter(
    prefix="/projects/{project_id}/views", tags=["views"], route_class=TransactionalRoute, responses=CHANGE_RESPONSES
)


@router.get("")
async def list_views(uow: Transaction, actor: CurrentUser, project_id: UUID, page: Paging) -> Page[SavedView]:
    """List one's own views of a project."""
    return await views.list_views(uow, actor, project_id, cursor=page.cursor, limit=page.limit)


@router.post("", status_code=201)
async def create_view(uow: Transaction, actor: CurrentUser, project_id: UUID, body: SavedViewCreate) -> SavedView:
    """Keep a filter under a name."""
    return await views.create(uow, actor, project_id, body)


@router.patch("/{view_id}")
async def update_view(
    uow: Transaction, actor: CurrentUser, project_id: UUID, view_id: UUID, body: SavedViewUpdate
) -> SavedView:
    """Rename a view, or give it another filter."""
    return await views.update_view(uow, actor, project_id, view_id, body)


@router.delete("/{view_id}", status_code=204)
async def delete_view(uow: Transaction, actor: CurrentUser, project_id: UUID, view_id: UUID) -> None:
    """Forget a view."""
    await views.delete_view(uow, actor, project_id, view_id)
