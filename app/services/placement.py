"""Where something goes among its siblings: computed here, under the project's lock, from a neighbour's id."""

from uuid import UUID

from sqlalchemy import ColumnElement, select, tuple_

from app.db.unit_of_work import UnitOfWork
from app.domain import ranking
from app.errors import InvalidField
from app.models import BoardColumn, Task
from app.schemas.projects import Placement

Ordered = type[Task] | type[BoardColumn]


async def find_gap(
    uow: UnitOfWork, table: Ordered, siblings: ColumnElement[bool], where: Placement
) -> tuple[str | None, str | None]:
    """Return the positions on both sides of the asked place; None is an open end.

    Raises:
        InvalidField: the neighbour is not among `siblings`.
    """
    anchor_id = where.before_id or where.after_id
    if anchor_id is None:
        return await _edge(uow, table, siblings), None
    field = "before_id" if where.before_id else "after_id"
    anchor = await _position_of(uow, table, siblings, anchor_id, field)
    before = where.before_id is not None
    key, mark = tuple_(table.position, table.id), tuple_(anchor, anchor_id)
    order = (table.position.desc(), table.id.desc()) if before else (table.position, table.id)
    statement = select(table.position).where(siblings, key < mark if before else key > mark).order_by(*order).limit(1)
    neighbour = (await uow.fetch(statement)).scalar_one_or_none()
    return (neighbour, anchor) if before else (anchor, neighbour)


async def nearest_free(uow: UnitOfWork, table: Ordered, siblings: ColumnElement[bool], position: str) -> str:
    """Return a free position at, or right after, one that was held before."""
    statement = select(table.position).where(siblings, table.position >= position).order_by(table.position).limit(2)
    taken = list((await uow.fetch(statement)).scalars())
    if not taken or taken[0] != position:
        return position
    return ranking.between(position, taken[1] if len(taken) > 1 else None)


async def _edge(uow: UnitOfWork, table: Ordered, siblings: ColumnElement[bool]) -> str | None:
    statement = select(table.position).where(siblings).order_by(table.position.desc()).limit(1)
    return (await uow.fetch(statement)).scalar_one_or_none()


async def _position_of(
    uow: UnitOfWork, table: Ordered, siblings: ColumnElement[bool], anchor_id: UUID, field: str
) -> str:
    statement = select(table.position).where(siblings, table.id == anchor_id)
    position = (await uow.fetch(statement)).scalar_one_or_none()
    if position is None:
        raise InvalidField(field, "is not there; it may have been moved or deleted meanwhile")
    return position
