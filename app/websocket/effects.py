"""What an event means for those who listen: an access that ends, a role that changes, somebody new.

The relay hands over each event of an open room, in order. Whoever loses access is put out before the event is shown,
so nothing of the room reaches them after it.
"""

from typing import Any
from uuid import UUID

import orjson

from app.broker.base import Signal, SignalType
from app.domain.events import Event
from app.permissions import Role, Visibility
from app.websocket.cluster import ClusterStats
from app.websocket.events import EventType, UserEvent
from app.websocket.manager import ConnectionManager
from app.websocket.presence import Presence
from app.websocket.protocol import CloseCode
from app.websocket.room import Room


class Effects:
    """Applies events and signals to this server's connections."""

    def __init__(
        self, manager: ConnectionManager, presence: Presence, cluster: ClusterStats, *, server_id: str
    ) -> None:
        self._manager = manager
        self._presence = presence
        self._cluster = cluster
        self._server_id = server_id

    def on_event(self, room: Room, event: Event) -> None:
        """Take the next event of an open room."""
        if event.type.startswith("project_"):
            room.access_seq = event.seq
            self._change_access(room, event.type, orjson.loads(event.data))
        if self._manager.is_open(room):
            room.append(event.seq, event.encoded)

    def on_unread(self, event: Event) -> None:
        """Take an event of a project nobody reads here: those who came or went may be connected all the same."""
        if event.type in {EventType.PROJECT_MEMBER_ADDED, EventType.PROJECT_MEMBER_REMOVED}:
            is_member = event.type is EventType.PROJECT_MEMBER_ADDED
            user_id = UUID(orjson.loads(event.data)["user_id"])
            self._presence.set_member(user_id, event.project_id, is_member=is_member)

    def on_signal(self, signal: Signal) -> None:
        """Take what another server, or this one, tells all."""
        match signal.type, signal.id:
            case SignalType.SESSION_ENDED, UUID() as session_id:
                connections = self._manager.connections_by_session().get(session_id, [])
                self._manager.close_all(connections, CloseCode.LOGGED_OUT, "this session has ended")
            case SignalType.USER_DEACTIVATED, UUID() as user_id:
                connections = list(self._manager.connections_of(user_id))
                self._manager.close_all(connections, CloseCode.LOGGED_OUT, "this account was deactivated")
            case SignalType.PRESENCE, _:
                self._presence.on_signal(signal.origin, signal.data)
            case SignalType.STATS, _:
                self._cluster.on_signal(signal.origin, signal.data)
            case SignalType.ACTIVITY, UUID() as project_id if signal.origin != self._server_id:
                type_, user_id = EventType(signal.data["type"]), UUID(signal.data["user_id"])
                self._manager.show_to_members(project_id, UserEvent(type_, signal.data["data"], project_id, user_id))

    def _change_access(self, room: Room, type_: EventType, data: dict[str, Any]) -> None:
        project_id = room.project_id
        match type_:
            case EventType.PROJECT_MEMBER_ADDED | EventType.PROJECT_MEMBER_UPDATED:
                self._set_role(room, UUID(data["user_id"]), Role(data["role"]))
            case EventType.PROJECT_MEMBER_REMOVED:
                user_id = UUID(data["user_id"])
                self._manager.revoke(project_id, lambda viewer: viewer.user_id == user_id, "revoked")
                self._presence.set_member(user_id, project_id, is_member=False)
            case EventType.PROJECT_UPDATED if data["visibility"] == Visibility.PRIVATE:
                self._manager.revoke(project_id, lambda viewer: viewer.cursors[project_id].role is None, "revoked")
            case EventType.PROJECT_DELETED:
                self._manager.revoke(project_id, lambda _: True, "deleted")

    def _set_role(self, room: Room, user_id: UUID, role: Role) -> None:
        for viewer in room.viewers:
            if viewer.user_id == user_id:
                self._manager.set_role(viewer, room, role)
        self._presence.set_member(user_id, room.project_id, is_member=True)
