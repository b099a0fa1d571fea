"""Reading a room: of a project, or one's own, which tells of one's notifications. Both are logs, read by a cursor."""

from typing import Any, Final
from uuid import UUID

import orjson

from app.config import Settings
from app.permissions import Action, may
from app.services.admission import Entry
from app.services.history import LogHead, Position
from app.websocket import messages
from app.websocket.connection import Connection, SocketUser
from app.websocket.directory import Directory
from app.websocket.manager import ConnectionManager
from app.websocket.presence import Presence
from app.websocket.protocol import ErrorCode, MessageError, encode
from app.websocket.relay import Relay
from app.websocket.room import Room

_SIGN_IN: Final = "only somebody signed in has notifications; authenticate first"


class Joining:
    """Lets connections into rooms."""

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

    async def join_project(self, connection: Connection, message: messages.JoinProject) -> None:
        """Let a connection read a project's room, from where it wants if that can be had.

        Raises:
            MessageError: it reads as many rooms as it may.
            NotFound: the project does not exist for it.
        """
        rooms = self._settings.ws_max_rooms
        read = sum(not cursor.room.is_personal for cursor in connection.cursors.values())
        if read >= rooms and not connection.is_in_project(message.project_id):
            text = f"a connection reads at most {rooms} projects; leave one first"
            raise MessageError(ErrorCode.LIMIT_EXCEEDED, text)
        entry, room = await self.enter(connection.user, message.project_id)
        if connection.is_closing:
            return
        if entry.role is not None and connection.user is not None:
            self._presence.set_member(connection.user.id, message.project_id, is_member=True)
        position, since = self._position(room.head, message.since)
        connection.close_cursor(room.project_id)
        sees_members = may(entry.role, Action.SEE_MEMBERS_LIST)
        data = position | {
            "role": entry.role,
            "online": orjson.Fragment(self._presence.online(room.project_id)) if sees_members else [],
            "anonymous": room.anonymous_count,
        }
        connection.send_text(encode("project_joined", data, project_id=room.project_id, message_id=message.id))
        self._manager.join_project(connection, room, since=since, role=entry.role)

    async def join_user(self, connection: Connection, message: messages.JoinUser) -> None:
        """Let a connection read its user's own room, like a project's.

        Raises:
            MessageError: it is nobody's.
        """
        user = connection.user
        if user is None:
            raise MessageError(ErrorCode.UNAUTHORIZED, _SIGN_IN)
        while True:
            head, unread = await self._directory.find_own(user.id)
            room = await self._relay.enter(user.id, head, is_personal=True)
            if (room.epoch, room.seq) == (head.epoch, head.seq) and self._manager.is_open(room):
                break  # what is unread is of the position that is answered
        if connection.is_closing:
            return
        position, since = self._position(room.head, message.since)
        connection.close_cursor(room.project_id)
        connection.send_text(encode("user_joined", position | {"unread": unread}, message_id=message.id))
        self._manager.join_project(connection, room, since=since, role=None)

    async def enter(self, user: SocketUser | None, project_id: UUID) -> tuple[Entry, Room]:
        """Return the room and a permission for it that no event of the room has made stale.

        The caller joins it without awaiting anything first.
        """
        while True:
            entry = await self._directory.enter(user, project_id)
            room = await self._relay.enter(project_id, entry.head)
            is_current = entry.head.epoch == room.epoch and room.access_seq <= entry.head.seq <= room.seq
            if is_current and self._manager.is_open(room):
                return entry, room

    def _position(self, head: LogHead, since: messages.Since | None) -> tuple[dict[str, Any], int | None]:
        """Return what a joining client is told of its place, and the number it reads on from; None: the head."""
        failure = (
            head.why_not(Position(since.epoch, since.seq), limit=self._settings.replay_max_events) if since else None
        )
        resumes = since is not None and failure is None
        data = {
            "epoch": head.epoch,
            "seq": head.seq,
            "recovered": resumes if since else None,
            "replay": head.seq - since.seq if since and resumes else 0,
        }
        if not resumes:
            data["reason"] = failure.value if failure else "fresh"
        return data, since.seq if since and resumes else None
