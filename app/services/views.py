"""Saved views: personal, so nobody else is told of them."""

from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.errors import Conflict, NotFound
from app.models import SavedView as ViewRow
from app.permissions import Action
from app.schemas.base import Page, decode_cursor, make_page
from app.schemas.views import SavedView, SavedViewCreate, SavedViewUpdate
from app.security import new_id
from app.services import facts
from app.services.access import Actor, open_project

MAX_VIEWS = 50
"""Of one person in one project: more than a menu can show."""


async def list_views(
    uow: UnitOfWork, actor: Actor, project_id: UUID, *, cursor: str | None, limit: int
) -> Page[SavedView]:
    """Return a page of one's own views of a project, oldest first."""
    await open_project(uow, actor, project_id, Action.SAVE_VIEWS)
    statement = select(ViewRow).where(_own(actor, project_id)).order_by(ViewRow.id).limit(limit + 1)
    if after := decode_cursor(cursor, UUID):
        statement = statement.where(ViewRow.id > after[0])
    rows = (await uow.fetch(statement)).all()
    found = [SavedView(id=row.id, name=row.name, query=row.query, created_at=row.created_at) for row in rows]
    return make_page(found, limit, lambda view: (view.id,))


async def create(uow: UnitOfWork, actor: Actor, project_id: UUID, body: SavedViewCreate) -> SavedView:
    """Keep a filter under a name."""
    await open_project(uow, actor, project_id, Action.SAVE_VIEWS)
    count = select(func.count()).select_from(ViewRow).where(_own(actor, project_id))
    if (await uow.fetch(count)).scalar_one() >= MAX_VIEWS:
        message = f"one keeps at most {MAX_VIEWS} views of a project; delete one first"
        raise Conflict(message)
    view = SavedView(id=new_id(), name=body.name, query=body.query, created_at=utc_now())
    await uow.execute(insert(ViewRow).values(view.model_dump() | {"project_id": project_id, "user_id": actor.user_id}))
    return view


async def update_view(
    uow: UnitOfWork, actor: Actor, project_id: UUID, view_id: UUID, body: SavedViewUpdate
) -> SavedView:
    """Change the fields that are set in `body`."""
    view = await _get(uow, actor, project_id, view_id)
    changed = facts.changed_fields(view, {name: getattr(body, name) for name in body.model_fields_set})
    if changed:
        await uow.execute(update(ViewRow).where(ViewRow.id == view_id).values(changed))
    return view.model_copy(update=changed)


async def delete_view(uow: UnitOfWork, actor: Actor, project_id: UUID, view_id: UUID) -> None:
    """Forget a view."""
    await _get(uow, actor, project_id, view_id)
    await uow.execute(delete(ViewRow).where(ViewRow.id == view_id))


async def _get(uow: UnitOfWork, actor: Actor, project_id: UUID, view_id: UUID) -> SavedView:
    await open_project(uow, actor, project_id, Action.SAVE_VIEWS)
    row = (await uow.fetch(select(ViewRow).where(_own(actor, project_id), ViewRow.id == view_id))).one_or_none()
    if row is None:
        message = "no such view of yours in this project"
        raise NotFound(message)
    return SavedView(id=row.id, name=row.name, query=row.query, created_at=row.created_at)


def _own(actor: Actor, project_id: UUID) -> ColumnElement[bool]:
    return (ViewRow.project_id == project_id) & (ViewRow.user_id == actor.user_id)
