"""Where something goes among its siblings: computed here, under the project's lock, from a neighbour's id."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select, tuple_

from app.db.unit_of_work import UnitOfWork
from app.domain import ranking
from app.errors import InvalidField
from app.models import BoardColumn, Task
from app.schemas.projects import Placement


class Siblings:
    """What stands in one order: the cards of a column, the columns of a board. Its statements are built once.

    `condition` has parameters; each function here is given their values.
    """

    def __init__(self, table: type[Task] | type[BoardColumn], condition: ColumnElement[bool]) -> None:
        position, id_ = table.position, table.id
        key, mark = tuple_(position, id_), tuple_(bindparam("anchor"), bindparam("anchor_id", type_=id_.type))
        some = select(position).where(condition)
        self.last = some.order_by(position.desc()).limit(1)
        self.of_id = some.where(id_ == bindparam("anchor_id"))
        self.before = some.where(key < mark).order_by(position.desc(), id_.desc()).limit(1)
        self.after = some.where(key > mark).order_by(position, id_).limit(1)
        self.from_here = some.where(position >= bindparam("anchor")).order_by(position).limit(2)


async def find_gap(
    uow: UnitOfWork, siblings: Siblings, values: Mapping[str, Any], where: Placement
) -> tuple[str | None, str | None]:
    """Return the positions on both sides of the asked place; None is an open end.

    Raises:
        InvalidField: the neighbour is not among the siblings.
    """
    anchor_id = where.before_id or where.after_id
    if anchor_id is None:
        return await _find(uow, siblings.last, values), None
    mark = {**values, "anchor_id": anchor_id}
    anchor = await _find(uow, siblings.of_id, mark)
    if anchor is None:
        field = "before_id" if where.before_id else "after_id"
        raise InvalidField(field, "is not there; it may have been moved or deleted meanwhile")
    mark["anchor"] = anchor
    if where.before_id is not None:
        return await _find(uow, siblings.before, mark), anchor
    return anchor, await _find(uow, siblings.after, mark)


async def nearest_free(uow: UnitOfWork, siblings: Siblings, values: Mapping[str, Any], position: str) -> str:
    """Return a free position at, or right after, one that was held before."""
    taken = list((await uow.find(siblings.from_here, {**values, "anchor": position})).scalars())
    if not taken or taken[0] != position:
        return position
    return ranking.between(position, taken[1] if len(taken) > 1 else None)


async def _find(uow: UnitOfWork, statement: Select[str], values: Mapping[str, Any]) -> str | None:
    return (await uow.find(statement, values)).scalar_one_or_none()
