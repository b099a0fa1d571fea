"""The connections and rooms of this server: who is here, who reads what, and what everybody must be told.

Everything here runs on the event loop and never awaits a socket: it moves cursors, and what there is to write is
written by the flusher and by the connections themselves. So one slow reader delays nobody.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from app.domain.demand import Demand
from app.permissions import Role
from app.services.history import LogHead
from app.websocket.connection import Connection
from app.websocket.events import WebSocketEvent
from app.websocket.flusher import Flusher
from app.websocket.framing import frame
from app.websocket.protocol import CloseCode, encode
from app.websocket.room import LogReader, Room


class ConnectionManager:
    """All connections of this server, and the rooms they are in."""

    def __init__(
        self,
        read_log: LogReader | None = None,
        *,
        replay_max_events: int = 1000,
        max_tail_events: int = 1000,
        max_connections: int = 10_000,
        max_connections_per_user: int = 50,
        demand: Demand | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.connections: dict[UUID, Connection] = {}
        self.arrivals: list[Connection] = []
        """Taken in, or known better, since the heartbeat looked last."""
        self.rooms: dict[UUID, Room] = {}
        self.total_connections = 0
        self.messages_received = 0
        self.replays = 0
        self.replay_max_events = replay_max_events
        self._max_tail_events = max_tail_events
        self._max_connections = max_connections
        self._max_connections_per_user = max_connections_per_user
        self._by_user: defaultdict[UUID, set[Connection]] = defaultdict(set)
        self._by_network: Counter[str] = Counter()
        self._flusher = Flusher(demand)
        self._read_log = read_log or _no_log
        self._clock = clock
        self._started_at = clock()
        self._messages_sent_by_gone = 0
        self._events_delivered_by_gone = 0

    def why_full(self, user_id: UUID | None) -> CloseCode | None:
        """Return the close code for one connection too many, or None when there is room."""
        if len(self.connections) >= self._max_connections:
            return CloseCode.TRY_LATER
        if user_id is not None and self.has_too_many(user_id):
            return CloseCode.TOO_MANY
        return None

    def has_too_many(self, user_id: UUID) -> bool:
        """Whether a user has as many connections as one user gets."""
        return len(self._by_user.get(user_id, ())) >= self._max_connections_per_user

    def count_from(self, network: str) -> int:
        """Return how many connections come from one address (`app.domain.networks`)."""
        return self._by_network.get(network, 0)

    def connect(self, connection: Connection) -> None:
        """Take a connection in."""
        self.connections[connection.id] = connection
        self.arrivals.append(connection)
        self._by_network[connection.network] += 1
        self.total_connections += 1
        if connection.user_id is not None:
            self._by_user[connection.user_id].add(connection)

    def identify(self, connection: Connection) -> None:
        """Note that a connection taken in as anonymous has signed in."""
        self.arrivals.append(connection)
        if connection.user_id is not None:
            self._by_user[connection.user_id].add(connection)

    def disconnect(self, connection: Connection) -> None:
        """Let a connection go, with everything that was held for it; harmless when it has gone."""
        if self.connections.pop(connection.id, None) is None:
            return
        self._by_network[connection.network] -= 1
        if not self._by_network[connection.network]:
            del self._by_network[connection.network]
        self._messages_sent_by_gone += connection.messages_sent
        self._events_delivered_by_gone += connection.events_delivered
        for project_id in list(connection.cursors):
            self.leave_project(connection, project_id)
        if connection.user_id is not None:
            self._by_user[connection.user_id].discard(connection)
            if not self._by_user[connection.user_id]:
                del self._by_user[connection.user_id]

    def connections_of(self, user_id: UUID) -> set[Connection]:
        """Return a user's connections to this server."""
        return set(self._by_user.get(user_id, ()))

    def connections_by_session(self) -> dict[UUID, list[Connection]]:
        """Return the signed-in connections by their session."""
        found: defaultdict[UUID, list[Connection]] = defaultdict(list)
        for connection in self.connections.values():
            if connection.user is not None:
                found[connection.user.session_id].append(connection)
        return found

    def open_room(self, project_id: UUID, head: LogHead, *, is_personal: bool = False) -> Room:
        """Return the room of a project or, with `is_personal`, of a user, made at `head` when nobody reads it yet."""
        if project_id not in self.rooms:
            self.rooms[project_id] = Room(
                project_id,
                head,
                self._read_log,
                max_tail_events=self._max_tail_events,
                flusher=self._flusher,
                is_personal=is_personal,
            )
        return self.rooms[project_id]

    def join_project(self, connection: Connection, room: Room, *, since: int | None, role: Role | None) -> None:
        """Let a connection read an open room: after `since`, or from its head on."""
        connection.close_cursor(room.project_id)
        room.hand_out()  # what was shown before somebody came is not for them
        if since is not None and since < room.seq:
            self.replays += 1
        connection.open_cursor(room, room.seq if since is None else since, role)

    def leave_project(self, connection: Connection, project_id: UUID) -> bool:
        """Let a connection read a room no more; return whether it did. An empty room is forgotten."""
        was_in = connection.close_cursor(project_id)
        self.forget_if_empty(project_id)
        return was_in

    def is_open(self, room: Room) -> bool:
        """Whether this room is the one its project's readers read; a forgotten one is not, nor its successor."""
        return self.rooms.get(room.project_id) is room

    def forget_if_empty(self, project_id: UUID) -> None:
        """Free a room that nobody reads."""
        room = self.rooms.get(project_id)
        if room is not None and not room.viewers:
            del self.rooms[project_id]

    def viewers(self, project_id: UUID) -> set[Connection]:
        """Return the connections that read a project's room on this server."""
        room = self.rooms.get(project_id)
        return set(room.viewers) if room is not None else set()

    def set_role(self, connection: Connection, room: Room, role: Role | None) -> None:
        """Note somebody's role in a room, if they still read it."""
        cursor = connection.cursors.get(room.project_id)
        if cursor is not None:
            saw_members, cursor.role = cursor.sees_members, role
            if cursor.sees_members and not saw_members:  # what was kept from them until now
                connection.missed_ephemeral = True
                connection.wake()

    def revoke(self, project_id: UUID, whose: Callable[[Connection], bool], reason: str) -> int:
        """Put every matching connection out of a room: it is told, and gets nothing of the room after that."""
        affected = [viewer for viewer in self.viewers(project_id) if whose(viewer)]
        for viewer in affected:
            self.leave_project(viewer, project_id)
            viewer.viewing.pop(project_id, None)
            viewer.send_text(encode("project_left", {"reason": reason}, project_id=project_id))
        return len(affected)

    def broadcast_to_project(
        self, project_id: UUID, event: WebSocketEvent | bytes, *, exclude: Connection | None = None
    ) -> int:
        """Show every viewer of a room something that is not stored; return how many there are."""
        room = self.rooms.get(project_id)
        if room is None:
            return 0
        room.send_ephemeral(_to_text(event), exclude=exclude)
        return len(room.viewers) - (exclude in room.viewers)

    def show_to_members(self, project_id: UUID, event: WebSocketEvent, *, exclude: Connection | None = None) -> None:
        """Show those viewers of a room who may know about each other what one of them does; it is not stored."""
        room = self.rooms.get(project_id)
        if room is not None:
            room.send_ephemeral(event.encode(), exclude=exclude, members_only=True)

    def broadcast_to_user(self, user_id: UUID, event: WebSocketEvent | bytes) -> int:
        """Send something to every connection of a user; return how many there are."""
        return self._send_to(self.connections_of(user_id), _to_text(event))

    def broadcast_to_all(self, event: WebSocketEvent | bytes) -> int:
        """Send something to every connection; return how many there are."""
        return self._send_to(list(self.connections.values()), _to_text(event))

    def close_all(self, connections: Iterable[Connection], code: CloseCode, reason: str) -> None:
        """End connections."""
        for connection in list(connections):
            connection.close(code, reason)

    def get_stats(self, *, details: bool = False) -> dict[str, Any]:
        """Return numbers about this server's sockets; with `details`, which rooms and users too."""
        present = self.connections.values()
        rooms = [room for room in self.rooms.values() if not room.is_personal]
        stats: dict[str, Any] = {
            "active_connections": len(self.connections),
            "authenticated_users": len(self._by_user),
            "anonymous_connections": sum(1 for connection in present if connection.user is None),
            "active_rooms": len(rooms),
            "total_connections": self.total_connections,
            "messages_sent": self._messages_sent_by_gone + sum(c.messages_sent for c in present),
            "messages_received": self.messages_received,
            "events_delivered": self._events_delivered_by_gone + sum(c.events_delivered for c in present),
            "replays": self.replays,
            "uptime_s": round(self._clock() - self._started_at, 3),
        }
        if details:
            stats["rooms"] = {str(room.project_id): len(room.viewers) for room in rooms}
            stats["users"] = {str(id_): len(connections) for id_, connections in self._by_user.items()}
        return stats

    @staticmethod
    def _send_to(connections: Iterable[Connection], text: bytes) -> int:
        ready, count = frame(text), 0
        for connection in connections:
            connection.send_frame(ready)
            count += 1
        return count


def _to_text(event: WebSocketEvent | bytes) -> bytes:
    return event.encode() if isinstance(event, WebSocketEvent) else event


async def _no_log(_project_id: UUID, _since: int, _limit: int) -> list[Any]:
    return []
