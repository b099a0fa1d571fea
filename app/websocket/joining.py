"""Joining a log: a project's, or one's own. The permission and the room are of one moment, and nothing comes between.

A person's own stream is a room like a project's, whose id is the person's; nobody else may read it.
"""

from typing import Any
from uuid import UUID

import orjson

from app.config import Settings
from app.services.admission import Entry
from app.services.history import LogHead, Position
from app.websocket.connection import Connection, SocketUser
from app.websocket.directory import Directory, Stream
from app.websocket.manager import ConnectionManager
from app.websocket.messages import JoinProject, JoinUser, Since
from app.websocket.presence import Presence
from app.websocket.protocol import ErrorCode, MessageError, encode
from app.websocket.relay import Relay
from app.websocket.room import Room


class Joining:
    """Lets connections read rooms."""

    def __init__(
        self,
        manager: ConnectionManager,
        *,
        settings: Settings,
        directory: Directory,
        relay: Relay,
        presence: Presence,
    ) -> None:
        self._manager = manager
        self._settings = settings
        self._directory = directory
        self._relay = relay
        self._presence = presence

    async def join_project(self, connection: Connection, message: JoinProject) -> None:
        """Let a connection read a project's room."""
        self._check_rooms(connection, message.project_id)
        entry, room = await self.enter(connection, message.project_id)
        if connection.is_closing:
            return
        if entry.role is not None and connection.user is not None:
            self._presence.set_member(connection.user.id, message.project_id, is_member=True)
        since, position = self._resume(room.head, message.since)
        connection.close_cursor(room.project_id)
        data = position | {
            "role": entry.role,
            "online": orjson.Fragment(self._presence.online(room.project_id)),
            "anonymous": room.anonymous_count,
        }
        answer = encode("project_joined", data, project_id=room.project_id, message_id=message.id)
        connection.send_text(answer)
        self._manager.join_project(connection, room, since=since, role=entry.role)

    async def join_user(self, connection: Connection, message: JoinUser) -> None:
        """Let a connection read its user's own stream.

        Raises:
            MessageError: nobody has signed in on it.
        """
        user = connection.user
        if user is None:
            text = "sign in first: only people have a stream of their own"
            raise MessageError(ErrorCode.UNAUTHORIZED, text)
        stream, room = await self._enter_stream(user)
        if connection.is_closing:
            return
        since, position = self._resume(room.head, message.since)
        data = position | {"unread": stream.unread}
        connection.send_text(encode("user_joined", data, message_id=message.id, user_id=user.id))
        self._manager.join_project(connection, room, since=since, role=None)

    async def enter(self, connection: Connection, project_id: UUID) -> tuple[Entry, Room]:
        """Return a project's room and a permission for it that no event of the room has made stale.

        The caller joins it without awaiting anything first.
        """
        while True:
            entry = await self._directory.enter(connection.user, project_id)
            room = await self._relay.enter(project_id, entry.head)
            is_current = entry.head.epoch == room.epoch and room.access_seq <= entry.head.seq <= room.seq
            if is_current and self._manager.is_open(room):
                return entry, room

    async def _enter_stream(self, user: SocketUser) -> tuple[Stream, Room]:
        """Return somebody's room and their stream as it stands there: what is unread is of that position."""
        while True:
            stream = await self._directory.enter_stream(user)
            room = await self._relay.enter(user.id, stream.head, is_personal=True)
            if (stream.head.epoch, stream.head.seq) == (room.epoch, room.seq) and self._manager.is_open(room):
                return stream, room

    def _resume(self, head: LogHead, since: Since | None) -> tuple[int | None, dict[str, Any]]:
        """Return after which event reading goes on (None: from the head on), and what the answer says of it."""
        failure = (
            head.why_not(Position(since.epoch, since.seq), limit=self._settings.replay_max_events) if since else None
        )
        resumes = since is not None and failure is None
        position: dict[str, Any] = {
            "epoch": head.epoch,
            "seq": head.seq,
            "recovered": resumes if since else None,
            "replay": head.seq - since.seq if since and resumes else 0,
        }
        if not resumes:
            position["reason"] = failure.value if failure else "fresh"
        return since.seq if since and resumes else None, position

    def _check_rooms(self, connection: Connection, project_id: UUID) -> None:
        rooms = self._settings.ws_max_rooms
        own = connection.user_id is not None and connection.is_in_project(connection.user_id)
        if len(connection.cursors) - own >= rooms and not connection.is_in_project(project_id):
            text = f"a connection reads at most {rooms} projects; leave one first"
            raise MessageError(ErrorCode.LIMIT_EXCEEDED, text)
