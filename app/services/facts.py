"""How an object becomes the `data` of an event: flat, its own id renamed, with the names of what changed."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from app.db.unit_of_work import UnitOfWork
from app.domain.events import EventType


async def record(
    uow: UnitOfWork,
    project_id: UUID,
    type_: EventType,
    noun: str,
    subject: BaseModel,
    changes: Collection[str],
    **more: Any,
) -> None:
    """Record that `subject` (a `noun`: "task", "label") is now as it stands; `changes` are the changed fields."""
    data = subject.model_dump(mode="json")
    if "id" in data:
        data[f"{noun}_id"] = data.pop("id")
    await uow.record(project_id, type_, data | more | {"changes": sorted(changes)})


def changed_fields(subject: BaseModel, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the part of `wanted` that differs from the subject as it stands."""
    return {name: value for name, value in wanted.items() if getattr(subject, name) != value}
