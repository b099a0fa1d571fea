"""Columns of the board. A column's key, the `status` of its tasks, is made once and stays."""

import re
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain import ranking
from app.domain.events import EventType
from app.errors import ColumnNotEmpty, Conflict, NotFound
from app.models import BoardColumn, Task
from app.permissions import Action
from app.schemas.projects import Column, ColumnCreate, ColumnUpdate
from app.security import new_id
from app.services import facts
from app.services.access import Actor, ProjectAccess, open_project
from app.services.placement import Siblings, find_gap

MAX_COLUMNS = 50
_ALL = Siblings(BoardColumn, BoardColumn.project_id == bindparam("project"))
_OTHERS = Siblings(
    BoardColumn, (BoardColumn.project_id == bindparam("project")) & (BoardColumn.id != bindparam("column"))
)


async def create(uow: UnitOfWork, actor: Actor, project_id: UUID, body: ColumnCreate) -> Column:
    """Add a column, by default as the last one."""
    project = await open_project(uow, actor, project_id, Action.EDIT_COLUMNS, lock=True)
    existing = await fetch_columns(uow, project.id)
    if len(existing) >= MAX_COLUMNS:
        message = f"a project has at most {MAX_COLUMNS} columns; delete one first"
        raise Conflict(message)
    low, high = await find_gap(uow, _ALL, {"project": project.id}, body)
    column = Column(
        id=new_id(),
        key=_make_key(body.name, {column.key for column in existing}),
        name=body.name,
        position=ranking.between(low, high),
        wip_limit=body.wip_limit,
        is_done=body.is_done,
    )
    await uow.execute(insert(BoardColumn).values(column.model_dump() | {"project_id": project.id}))
    await facts.record(uow, project.id, EventType.COLUMN_CREATED, "column", column, [])
    return column


async def update_column(uow: UnitOfWork, actor: Actor, project_id: UUID, column_id: UUID, body: ColumnUpdate) -> Column:
    """Change the fields that are set in `body`; `before_id` or `after_id` moves it."""
    project = await open_project(uow, actor, project_id, Action.EDIT_COLUMNS, lock=True)
    column = await _get_column(uow, project, column_id)
    wanted: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set - {"before_id", "after_id"}}
    if body.before_id or body.after_id:
        low, high = await find_gap(uow, _OTHERS, {"project": project.id, "column": column.id}, body)
        if not ((low is None or low < column.position) and (high is None or column.position < high)):
            wanted["position"] = ranking.between(low, high)
    changed = facts.changed_fields(column, wanted)
    if not changed:
        return column
    after = column.model_copy(update=changed)
    await uow.execute(update(BoardColumn).where(BoardColumn.id == column.id).values(changed))
    await facts.record(uow, project.id, EventType.COLUMN_UPDATED, "column", after, changed)
    return after


async def delete_column(uow: UnitOfWork, actor: Actor, project_id: UUID, column_id: UUID) -> None:
    """Delete an empty column; one stays. Its cards in the trash and the archive come back into the first column."""
    project = await open_project(uow, actor, project_id, Action.EDIT_COLUMNS, lock=True)
    column = await _get_column(uow, project, column_id)
    if len(await fetch_columns(uow, project.id)) == 1:
        message = "a board needs a column; add another one first"
        raise Conflict(message)
    on_board = (Task.deleted_at.is_(None), Task.archived_at.is_(None))
    inside = (Task.project_id == project.id, Task.status == column.key, *on_board)
    count = (await uow.fetch(select(func.count()).select_from(Task).where(*inside))).scalar_one()
    if count:
        message = f"there are {count} cards in this column; move, archive or delete them first"
        raise ColumnNotEmpty(message)
    await uow.execute(delete(BoardColumn).where(BoardColumn.id == column.id))
    await facts.record(uow, project.id, EventType.COLUMN_DELETED, "column", column, [])


async def fetch_columns(uow: UnitOfWork, project_id: UUID) -> list[Column]:
    """Return a project's columns in order."""
    statement = (
        select(BoardColumn).where(BoardColumn.project_id == project_id).order_by(BoardColumn.position, BoardColumn.id)
    )
    rows = (await uow.fetch(statement)).all()
    return [Column(**{name: getattr(row, name) for name in Column.model_fields}) for row in rows]


async def _get_column(uow: UnitOfWork, project: ProjectAccess, column_id: UUID) -> Column:
    for column in await fetch_columns(uow, project.id):
        if column.id == column_id:
            return column
    message = "no such column in this project"
    raise NotFound(message)


def _make_key(name: str, taken: set[str]) -> str:
    """Return the name in lower case with underscores, numbered when taken."""
    base = re.sub(r"\W+", "_", name.lower()).strip("_")[:40] or "column"
    key, number = base, 1
    while key in taken:
        number += 1
        key = f"{base}_{number}"
    return key
