"""When two people change one task: disjoint fields merge, the same field is a conflict that loses neither text."""

from typing import Any, Final

import orjson
from sqlalchemy import select

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import format_time
from app.errors import InvalidField, VersionConflict
from app.models import LoggedEvent
from app.schemas.tasks import Task

MAX_EVENTS_SEARCHED: Final = 200
"""How far back in a task's own history its base version is looked for."""


async def check(
    uow: UnitOfWork,
    task: Task,
    changed: dict[str, Any],
    field_versions: dict[str, int],
    if_version: int,
) -> None:
    """Refuse a change of fields that others changed after `if_version`.

    Raises:
        VersionConflict: `fields` names them, with `mine`, `theirs` and `base` (null when no longer kept), and
            `changed`: who changed each last, and when (without those of which that is no longer kept).
        InvalidField: the version lies in the future.
    """
    if if_version > task.version:
        raise InvalidField("If-Match", f"is version {if_version}, but the task is at version {task.version}")
    fields = sorted(name for name in changed if field_versions.get(name, 1) > if_version)
    if not fields:
        return
    current = task.model_dump(mode="json")
    mine = task.model_copy(update=changed).model_dump(mode="json")
    base, writers = await _since(uow, task, if_version)
    message = f"somebody else changed {', '.join(fields)} meanwhile; keep theirs or send yours with the new version"
    raise VersionConflict(
        message,
        extra={
            "fields": fields,
            "mine": {name: mine[name] for name in fields},
            "theirs": {name: current[name] for name in fields},
            "base": {name: base[name] for name in fields} if base else None,
            "changed": {name: writers[at] for name in fields if (at := field_versions.get(name)) in writers},
            "current": current,
        },
    )


async def _since(
    uow: UnitOfWork, task: Task, version: int
) -> tuple[dict[str, Any] | None, dict[int, dict[str, str | None]]]:
    """Return the task as it was at `version`, and who made each later version when; as far as the log has them."""
    statement = (
        select(LoggedEvent.data, LoggedEvent.user_id, LoggedEvent.timestamp)
        .where(
            LoggedEvent.task_id == task.id,
            LoggedEvent.type.startswith("task_", autoescape=True),
        )
        .order_by(LoggedEvent.seq.desc())
        .limit(MAX_EVENTS_SEARCHED)
    )
    writers: dict[int, dict[str, str | None]] = {}
    for data, user_id, timestamp in await uow.fetch(statement):
        past: dict[str, Any] = orjson.loads(data)
        if past["version"] <= version:
            return past, writers
        writers[past["version"]] = {"user_id": str(user_id) if user_id else None, "at": format_time(timestamp)}
    return None, writers
