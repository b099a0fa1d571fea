"""Labels of a project. A label that goes leaves the tasks that wore it."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain.events import EventType
from app.errors import Conflict, NotFound
from app.models import Label as LabelRow
from app.permissions import Action
from app.schemas.projects import Label, LabelCreate, LabelUpdate
from app.security import new_id
from app.services import facts
from app.services.access import Actor, ProjectAccess, open_project

MAX_LABELS = 200


async def create(uow: UnitOfWork, actor: Actor, project_id: UUID, body: LabelCreate) -> Label:
    """Add a label."""
    project = await open_project(uow, actor, project_id, Action.EDIT_LABELS, lock=True)
    if len(await fetch_labels(uow, project.id)) >= MAX_LABELS:
        message = f"a project has at most {MAX_LABELS} labels; delete one first"
        raise Conflict(message)
    label = Label(id=new_id(), name=body.name, color=body.color)
    await uow.execute(insert(LabelRow).values(label.model_dump() | {"project_id": project.id}))
    await facts.record(uow, project.id, EventType.LABEL_CREATED, "label", label, [])
    return label


async def update_label(uow: UnitOfWork, actor: Actor, project_id: UUID, label_id: UUID, body: LabelUpdate) -> Label:
    """Change the fields that are set in `body`."""
    project = await open_project(uow, actor, project_id, Action.EDIT_LABELS, lock=True)
    label = await _get_label(uow, project, label_id)
    wanted: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    changed = facts.changed_fields(label, wanted)
    if not changed:
        return label
    after = label.model_copy(update=changed)
    await uow.execute(update(LabelRow).where(LabelRow.id == label.id).values(changed))
    await facts.record(uow, project.id, EventType.LABEL_UPDATED, "label", after, changed)
    return after


async def delete_label(uow: UnitOfWork, actor: Actor, project_id: UUID, label_id: UUID) -> None:
    """Delete a label; the database takes it off every task."""
    project = await open_project(uow, actor, project_id, Action.EDIT_LABELS, lock=True)
    label = await _get_label(uow, project, label_id)
    await uow.execute(delete(LabelRow).where(LabelRow.id == label.id))
    await facts.record(uow, project.id, EventType.LABEL_DELETED, "label", label, [])


async def fetch_labels(uow: UnitOfWork, project_id: UUID) -> list[Label]:
    """Return a project's labels by id, which is by age."""
    statement = select(LabelRow).where(LabelRow.project_id == project_id).order_by(LabelRow.id)
    return [Label(id=row.id, name=row.name, color=row.color) for row in (await uow.fetch(statement)).all()]


async def _get_label(uow: UnitOfWork, project: ProjectAccess, label_id: UUID) -> Label:
    for label in await fetch_labels(uow, project.id):
        if label.id == label_id:
            return label
    message = "no such label in this project"
    raise NotFound(message)
