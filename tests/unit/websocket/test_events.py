"""The envelope of what is not stored, and the groups clients subscribe to."""

from datetime import UTC, datetime
from uuid import uuid4

import orjson
import pytest

from app.websocket.events import CommentEvent, EventType, ProjectEvent, TaskEvent, UserEvent, WebSocketEvent, group_of

GROUPS = {
    "task": {
        *("task_created", "task_updated", "task_moved", "task_assigned", "task_deleted", "task_restored"),
        *("task_archived", "task_unarchived"),
    },
    "comment": {"comment_added", "comment_updated", "comment_deleted", "comment_restored"},
    "project": {
        *("project_updated", "project_deleted", "project_restored"),
        *("project_member_added", "project_member_updated", "project_member_removed"),
        *("column_created", "column_updated", "column_deleted", "label_created", "label_updated", "label_deleted"),
    },
    "user": {"user_online", "user_offline", "typing", "viewing"},
    "system": {
        *("welcome", "authenticated", "project_joined", "project_left", "user_joined", "ping", "pong"),
        *("resync", "reconnect", "notification", "error"),
    },
}


def test_every_type_is_in_its_group() -> None:
    """The groups are those of the protocol, and every type is in exactly one."""
    found = {group: {type_.value for type_ in EventType if group_of(type_) == group} for group in GROUPS}
    assert found == GROUPS


@pytest.mark.parametrize("kind", [TaskEvent, CommentEvent, ProjectEvent, UserEvent])
def test_class_takes_its_own_group_alone(kind: type[WebSocketEvent]) -> None:
    """A class refuses a type of another group; the base takes all."""
    for type_ in EventType:
        WebSocketEvent(type_)
        if group_of(type_) == kind.group:
            assert kind(type_).type is type_
        else:
            with pytest.raises(ValueError, match="is not an event of the group"):
                kind(type_)


def test_envelope() -> None:
    """The frame is the documented envelope; what is unknown is null, there is no seq."""
    moment = datetime(2026, 11, 22, 10, 0, 0, 123_000, tzinfo=UTC)
    project_id, user_id = uuid4(), uuid4()
    event = UserEvent(EventType.TYPING, {"name": "Анна"}, project_id, user_id, moment)
    assert orjson.loads(event.encode()) == {
        "type": "typing",
        "project_id": str(project_id),
        "timestamp": "2026-11-22T10:00:00.123Z",
        "user_id": str(user_id),
        "data": {"name": "Анна"},
    }
    assert WebSocketEvent(EventType.NOTIFICATION).to_dict()["user_id"] is None
