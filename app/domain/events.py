"""What happened in a project: the fact one row of its log holds.

A fact is immutable, in the past tense, and carries the whole object it is about, so applying it is an assignment.
How facts travel to a socket is `app.websocket`'s business.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID

import orjson

from app.domain.clock import format_time


class EventType(StrEnum):
    """Every durable event type, and the ephemeral and system types that share their namespace on the wire."""

    TASK_CREATED = "task_created"
    TASK_UPDATED = "task_updated"
    TASK_MOVED = "task_moved"
    TASK_ASSIGNED = "task_assigned"
    TASK_DELETED = "task_deleted"
    TASK_RESTORED = "task_restored"
    TASK_ARCHIVED = "task_archived"
    TASK_UNARCHIVED = "task_unarchived"

    COMMENT_ADDED = "comment_added"
    COMMENT_UPDATED = "comment_updated"
    COMMENT_DELETED = "comment_deleted"
    COMMENT_RESTORED = "comment_restored"

    PROJECT_UPDATED = "project_updated"
    PROJECT_DELETED = "project_deleted"
    PROJECT_RESTORED = "project_restored"
    PROJECT_MEMBER_ADDED = "project_member_added"
    PROJECT_MEMBER_UPDATED = "project_member_updated"
    PROJECT_MEMBER_REMOVED = "project_member_removed"
    COLUMN_CREATED = "column_created"
    COLUMN_UPDATED = "column_updated"
    COLUMN_DELETED = "column_deleted"
    LABEL_CREATED = "label_created"
    LABEL_UPDATED = "label_updated"
    LABEL_DELETED = "label_deleted"

    USER_ONLINE = "user_online"
    USER_OFFLINE = "user_offline"
    TYPING = "typing"
    VIEWING = "viewing"

    WELCOME = "welcome"
    AUTHENTICATED = "authenticated"
    PROJECT_JOINED = "project_joined"
    USER_JOINED = "user_joined"
    PROJECT_LEFT = "project_left"
    PING = "ping"
    PONG = "pong"
    RESYNC = "resync"
    RECONNECT = "reconnect"
    NOTIFICATION = "notification"
    ERROR = "error"


@dataclass(frozen=True)
class Event:
    """One row of a project's log. `data` is encoded JSON, encoded once when the fact was recorded."""

    project_id: UUID
    seq: int
    type: EventType
    timestamp: datetime
    user_id: UUID | None
    op_id: str | None
    data: bytes

    @cached_property
    def encoded(self) -> bytes:
        """The JSON every reader gets: socket, SSE and history (docs/protocol.md, events)."""
        user = f'"{self.user_id}"' if self.user_id else "null"
        head = (
            f'{{"type":"{self.type}","project_id":"{self.project_id}","seq":{self.seq},'
            f'"timestamp":"{format_time(self.timestamp)}","user_id":{user},"op_id":'
        )
        return b"%b%b,%b%b}" % (head.encode(), orjson.dumps(self.op_id), b'"data":', self.data)

    @classmethod
    def decode(cls, encoded: bytes) -> "Event":
        """Read an event back from its encoded form.

        Raises:
            ValueError: not an event's JSON.
        """
        raw: dict[str, Any] = orjson.loads(encoded)
        try:
            if raw["type"] == EventType.NOTIFICATION:
                return Notice.make(
                    UUID(raw["user_id"]),
                    raw["seq"],
                    datetime.fromisoformat(raw["timestamp"]),
                    orjson.dumps(raw["data"]),
                )
            return cls(
                project_id=UUID(raw["project_id"]),
                seq=int(raw["seq"]),
                type=EventType(raw["type"]),
                timestamp=datetime.fromisoformat(raw["timestamp"]).astimezone(UTC),
                user_id=UUID(raw["user_id"]) if raw["user_id"] else None,
                op_id=raw["op_id"],
                data=orjson.dumps(raw["data"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            message = f"not an event: {error!r}"
            raise ValueError(message) from error


@dataclass(frozen=True)
class Notice(Event):
    """One row of a user's stream: a change in their inbox. The room it belongs to, `project_id`, is the user's own."""

    @cached_property
    def encoded(self) -> bytes:
        """The JSON that the user's connections get (docs/protocol.md, notifications)."""
        head = (
            f'{{"type":"notification","user_id":"{self.project_id}","seq":{self.seq},'
            f'"timestamp":"{format_time(self.timestamp)}","data":'
        )
        return b"%b%b}" % (head.encode(), self.data)

    @classmethod
    def make(cls, user_id: UUID, seq: int, timestamp: datetime, data: bytes) -> "Notice":
        """Return a notice for somebody."""
        return cls(user_id, seq, EventType.NOTIFICATION, timestamp.astimezone(UTC), None, None, data)
