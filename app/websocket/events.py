"""How facts and signs of life travel: the envelope of every message that tells of something.

Durable events come from the log already encoded (`app.domain.events.Event.encoded`); the classes here make the same
envelope for what is not stored, and refuse a type that belongs to another group.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

import orjson

from app.domain.clock import format_time, utc_now
from app.domain.events import EventType

__all__ = ["CommentEvent", "EventType", "ProjectEvent", "TaskEvent", "UserEvent", "WebSocketEvent", "group_of"]

_PROJECT_PREFIXES: Final = ("project_", "column_", "label_")
_USER_TYPES: Final = frozenset({EventType.USER_ONLINE, EventType.USER_OFFLINE, EventType.TYPING, EventType.VIEWING})
_SYSTEM_TYPES: Final = frozenset({EventType.PROJECT_JOINED, EventType.PROJECT_LEFT, EventType.USER_JOINED})


def group_of(type_: EventType) -> str:
    """Return the group a client subscribes to: task, comment, project, user or system."""
    if type_ in _USER_TYPES:
        return "user"
    if type_ in _SYSTEM_TYPES:
        return "system"
    if type_.startswith("task_"):
        return "task"
    if type_.startswith("comment_"):
        return "comment"
    return "project" if type_.startswith(_PROJECT_PREFIXES) else "system"


@dataclass(frozen=True)
class WebSocketEvent:
    """One message to clients. `user_id` is who did it; None is the system."""

    group: ClassVar[str | None] = None

    type: EventType
    data: dict[str, Any] = field(default_factory=dict)
    project_id: UUID | None = None
    user_id: UUID | None = None
    timestamp: datetime = field(default_factory=utc_now)

    def __post_init__(self) -> None:
        if self.group is not None and group_of(self.type) != self.group:
            message = f"{self.type} is not an event of the group {self.group}"
            raise ValueError(message)

    def to_dict(self) -> dict[str, Any]:
        """Return the message as it reads on the wire."""
        return {
            "type": self.type.value,
            "project_id": str(self.project_id) if self.project_id else None,
            "timestamp": format_time(self.timestamp),
            "user_id": str(self.user_id) if self.user_id else None,
            "data": self.data,
        }

    def encode(self) -> bytes:
        """Return the frame."""
        return orjson.dumps(self.to_dict())


@dataclass(frozen=True)
class TaskEvent(WebSocketEvent):
    """Something about a task."""

    group = "task"


@dataclass(frozen=True)
class CommentEvent(WebSocketEvent):
    """Something about a comment."""

    group = "comment"


@dataclass(frozen=True)
class ProjectEvent(WebSocketEvent):
    """Something about a project, its members, columns or labels."""

    group = "project"


@dataclass(frozen=True)
class UserEvent(WebSocketEvent):
    """A sign of life: somebody came, went, types or looks at something."""

    group = "user"
