"""Projects, their columns, labels and board."""

from uuid import UUID

from fastapi import APIRouter

from app.api.deps import CurrentUser, MaybeUser, Paging, Transaction
from app.api.problems import CHANGE_RESPONSES
from app.api.transactions import TransactionalRoute
from app.schemas.base import Page
from app.schemas.projects import (
    Column,
    ColumnCreate,
    ColumnUpdate,
    DeletedProject,
    Label,
    LabelCreate,
    LabelUpdate,
    ProjectCreate,
    ProjectUpdate,
    ProjectWithRole,
)
from app.schemas.tasks import Board
from app.services import board, columns, labels, projects

router = APIRouter(prefix="/projects", tags=["projects"], route_class=TransactionalRoute, responses=CHANGE_RESPONSES)


@router.get("")
async def list_projects(uow: Transaction, actor: CurrentUser, page: Paging) -> Page[ProjectWithRole]:
    """List the projects one is a member of."""
    return await projects.list_projects(uow, actor, cursor=page.cursor, limit=page.limit)


@router.post("", status_code=201)
async def create_project(uow: Transaction, actor: CurrentUser, body: ProjectCreate) -> ProjectWithRole:
    """Create a project with three columns; one becomes its owner."""
    return await projects.create(uow, actor, body)


@router.get("/trash")
async def list_deleted_projects(uow: Transaction, actor: CurrentUser, page: Paging) -> Page[DeletedProject]:
    """List the deleted projects that one owns and can still take back."""
    return await projects.list_deleted(uow, actor, cursor=page.cursor, limit=page.limit)


@router.get("/{project_id}")
async def get_project(uow: Transaction, actor: MaybeUser, project_id: UUID) -> ProjectWithRole:
    """Read one project."""
    return await projects.get_project(uow, actor, project_id)


@router.patch("/{project_id}")
async def update_project(
    uow: Transaction, actor: CurrentUser, project_id: UUID, body: ProjectUpdate
) -> ProjectWithRole:
    """Change a project's name, description or visibility."""
    return await projects.update_project(uow, actor, project_id, body)


@router.delete("/{project_id}", status_code=204)
async def delete_project(uow: Transaction, actor: CurrentUser, project_id: UUID) -> None:
    """Delete a project for everybody; an owner can restore it for a while."""
    await projects.delete_project(uow, actor, project_id)


@router.post("/{project_id}/restore")
async def restore_project(uow: Transaction, actor: CurrentUser, project_id: UUID) -> ProjectWithRole:
    """Take a deleted project back, with everything in it."""
    return await projects.restore(uow, actor, project_id)


@router.get("/{project_id}/board")
async def get_board(uow: Transaction, actor: MaybeUser, project_id: UUID) -> Board:
    """Read the whole board and the position in the log (`epoch`, `seq`) at which it is true."""
    return await board.snapshot(uow, actor, project_id)


@router.post("/{project_id}/columns", status_code=201)
async def create_column(uow: Transaction, actor: CurrentUser, project_id: UUID, body: ColumnCreate) -> Column:
    """Add a column."""
    return await columns.create(uow, actor, project_id, body)


@router.patch("/{project_id}/columns/{column_id}")
async def update_column(
    uow: Transaction, actor: CurrentUser, project_id: UUID, column_id: UUID, body: ColumnUpdate
) -> Column:
    """Change or move a column."""
    return await columns.update_column(uow, actor, project_id, column_id, body)


@router.delete("/{project_id}/columns/{column_id}", status_code=204)
async def delete_column(uow: Transaction, actor: CurrentUser, project_id: UUID, column_id: UUID) -> None:
    """Delete an empty column."""
    await columns.delete_column(uow, actor, project_id, column_id)


@router.post("/{project_id}/labels", status_code=201)
async def create_label(uow: Transaction, actor: CurrentUser, project_id: UUID, body: LabelCreate) -> Label:
    """Add a label."""
    return await labels.create(uow, actor, project_id, body)


@router.patch("/{project_id}/labels/{label_id}")
async def update_label(
    uow: Transaction, actor: CurrentUser, project_id: UUID, label_id: UUID, body: LabelUpdate
) -> Label:
    """Change a label."""
    return await labels.update_label(uow, actor, project_id, label_id, body)


@router.delete("/{project_id}/labels/{label_id}", status_code=204)
async def delete_label(uow: Transaction, actor: CurrentUser, project_id: UUID, label_id: UUID) -> None:
    """Delete a label; tasks that wore it lose it."""
    await labels.delete_label(uow, actor, project_id, label_id)
