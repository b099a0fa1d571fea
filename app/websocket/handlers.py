"""What each message does: one method a type, found by a table; every message with an `id` gets exactly one answer.

Changes are made over REST only, so nothing here writes to a project.
"""

import contextlib
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final
from uuid import UUID

import orjson
import structlog

from app.config import Settings
from app.domain.clock import format_time, utc_now
from app.domain.rate_limit import TokenBucket
from app.errors import AppError, NotFound, Unauthorized
from app.websocket import messages
from app.websocket.activity import Activity, find_cursor
from app.websocket.conduct import Conduct
from app.websocket.connection import Connection, SocketUser
from app.websocket.directory import Admission, Directory
from app.websocket.events import CommentEvent, EventType, ProjectEvent, TaskEvent, UserEvent, WebSocketEvent
from app.websocket.joining import Joining
from app.websocket.manager import ConnectionManager
from app.websocket.presence import Presence
from app.websocket.protocol import SUBPROTOCOL, CloseCode, CloseError, ErrorCode, MessageError, encode, encode_error
from app.websocket.relay import Relay

_TOO_MANY: Final = "you have too many connections open; close one first"
_log = structlog.get_logger(__name__)
Command = Callable[[Connection, Any], None]
SlowCommand = Callable[[Connection, Any], Awaitable[None]]
Rest = Callable[[], Awaitable[None]]
"""What is left to do for a message, for it must be awaited."""


class WebSocketHandler:
    """Serves the connections of one server."""

    def __init__(
        self,
        manager: ConnectionManager,
        *,
        settings: Settings,
        directory: Directory,
        relay: Relay,
        presence: Presence,
        show_elsewhere: Callable[[UUID, UserEvent], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.manager = manager
        self._settings = settings
        self._directory = directory
        self._presence = presence
        self._joining = Joining(manager, settings=settings, directory=directory, relay=relay, presence=presence)
        self._activity = Activity(manager, presence, show_elsewhere)
        self._clock = clock
        self._conduct: dict[UUID, Conduct] = {}
        self._commands: dict[type[messages.ClientMessage], Command] = {
            messages.LeaveProject: self._leave_project,
            messages.Ping: self._ping,
            messages.Pong: self._pong,
            messages.Typing: self._activity.type,
            messages.Viewing: self._activity.view,
        }
        self._slow_commands: dict[type[messages.ClientMessage], SlowCommand] = {
            messages.JoinProject: self._join_project,
            messages.JoinUser: self._join_user,
            messages.Authenticate: self._authenticate,
        }

    async def connect(self, connection: Connection) -> None:
        """Take a connection in and welcome it.

        Raises:
            CloseError: the server or the user has too many, or the session has just ended.
        """
        self.check_in(connection)
        try:
            admission = await self._directory.admit(connection.user) if connection.user else None
        except Unauthorized as error:
            raise CloseError(CloseCode.UNAUTHORIZED, error.detail) from None
        self.welcome(connection, admission)

    def check_in(self, connection: Connection) -> None:
        """Take a connection in. Its session must be asked for after this, so that none that ends is missed.

        Raises:
            CloseError: the server or the user has too many.
        """
        self._check_capacity(connection.user_id)
        connection.on_drained = self._tell_presence
        self._conduct[connection.id] = self._make_conduct()
        self.manager.connect(connection)

    def welcome(self, connection: Connection, admission: Admission | None) -> None:
        """Welcome a connection; somebody's is given what was found of their session."""
        if admission is not None:
            connection.identify(admission.user)
        connection.send_text(encode("welcome", self._welcome(connection)))
        if admission is not None:
            self._arrive(connection, admission.user, admission.project_ids)

    def disconnect(self, connection: Connection) -> None:
        """Let a connection go."""
        if connection.id not in self.manager.connections:
            return
        self._conduct.pop(connection.id, None)
        self.manager.disconnect(connection)
        for project_id in list(connection.viewing):
            self._activity.stop_viewing(connection, project_id)
        if connection.user is not None and connection.is_present:
            at_once = connection.close_code == CloseCode.LOGGED_OUT
            self._presence.depart(connection.user.id, at_once=at_once)

    async def receive(self, connection: Connection, text: str | bytes) -> None:
        """Serve one message. What is wrong with it is answered; the connection lives.

        Raises:
            CloseError: the connection cannot go on.
        """
        rest = self.serve(connection, text)
        if rest is not None:
            await rest()

    def serve(self, connection: Connection, text: str | bytes) -> Rest | None:
        """Serve one message like `receive`; return the rest of it when something must be awaited."""
        connection.heard()
        self.manager.messages_received += 1
        conduct = self._conduct[connection.id]
        if _weigh(text) > self._settings.ws_message_bytes:
            raise CloseError(CloseCode.TOO_BIG, f"a message has at most {self._settings.ws_message_bytes} bytes")
        try:
            conduct.check_rate(self._clock())
            message = messages.parse(text)
        except MessageError as error:
            connection.send_text(encode_error(error, messages.find_id(text)))
            if error.code is not ErrorCode.RATE_LIMITED:
                conduct.count_bad(self._clock())
            return None
        command = self._commands.get(type(message))
        if command is None:
            return partial(self._serve_slowly, connection, message)
        try:
            command(connection, message)
        except Exception as error:  # noqa: BLE001 - see there
            self._tell_failure(connection, message, error)
        return None

    async def _serve_slowly(self, connection: Connection, message: messages.AnyMessage) -> None:
        try:
            await self._slow_commands[type(message)](connection, message)
        except Exception as error:  # noqa: BLE001 - see there
            self._tell_failure(connection, message, error)

    def _tell_failure(self, connection: Connection, message: messages.AnyMessage, error: Exception) -> None:
        """Answer a message that failed: a bug in one command must not end the connection."""
        match error:
            case CloseError():
                raise error
            case MessageError():
                failure = error
            case AppError():
                failure = MessageError.of(error)
            case _:
                _log.error("message_failed", type=message.type, exc_info=error)
                failure = MessageError(ErrorCode.INTERNAL, "something went wrong on the server; try again")
        connection.send_text(encode_error(failure, message.id))

    def broadcast_task_event(self, type_: EventType, data: dict[str, Any], user_id: UUID | None = None) -> int:
        """Show a task event that is not stored to the room of `data["project_id"]`; return how many get it.

        Stored events come from the log by themselves; this is for what a plug-in wants to show now and never again.
        """
        return self._broadcast(TaskEvent, type_, data, user_id)

    def broadcast_comment_event(self, type_: EventType, data: dict[str, Any], user_id: UUID | None = None) -> int:
        """Show a comment event that is not stored; like `broadcast_task_event`."""
        return self._broadcast(CommentEvent, type_, data, user_id)

    def broadcast_project_event(self, type_: EventType, data: dict[str, Any], user_id: UUID | None = None) -> int:
        """Show a project event that is not stored; like `broadcast_task_event`."""
        return self._broadcast(ProjectEvent, type_, data, user_id)

    def _broadcast(
        self, kind: type[WebSocketEvent], type_: EventType, data: dict[str, Any], user_id: UUID | None
    ) -> int:
        project_id = UUID(str(data["project_id"]))
        return self.manager.broadcast_to_project(project_id, kind(type_, data, project_id, user_id))

    async def _join_project(self, connection: Connection, message: messages.JoinProject) -> None:
        self._conduct[connection.id].check_join(self._clock())
        await self._joining.join_project(connection, message)

    async def _join_user(self, connection: Connection, message: messages.JoinUser) -> None:
        self._conduct[connection.id].check_join(self._clock())
        await self._joining.join_user(connection, message)

    def _leave_project(self, connection: Connection, message: messages.LeaveProject) -> None:
        find_cursor(connection, message.project_id)
        self._activity.stop_viewing(connection, message.project_id)
        self.manager.leave_project(connection, message.project_id)
        data = {"reason": "left"}
        answer = encode("project_left", data, project_id=message.project_id, message_id=message.id)
        connection.send_text(answer)

    def _ping(self, connection: Connection, message: messages.Ping) -> None:
        connection.send_text(encode("pong", {"server_time": format_time(utc_now())}, message_id=message.id))

    def _pong(self, connection: Connection, message: messages.Pong) -> None:
        """The message has been heard; there is no answer."""

    async def _authenticate(self, connection: Connection, message: messages.Authenticate) -> None:
        user = self._directory.verify(message.token)
        if connection.user is None:
            user = await self._sign_in(connection, user)
        elif connection.user.id == user.id:
            user = (await self._directory.admit(user)).user
            connection.identify(user)
        else:
            text = "this connection belongs to another user; open a new one"
            raise MessageError(ErrorCode.FORBIDDEN, text)
        connection.send_text(encode("authenticated", _identity(user), message_id=message.id))

    async def _sign_in(self, connection: Connection, user: SocketUser) -> SocketUser:
        """Make an anonymous connection somebody's, in the rooms it reads already too; return who it is."""
        admission = await self._directory.admit(user)
        if self.manager.has_too_many(user.id):
            raise CloseError(CloseCode.TOO_MANY, _TOO_MANY)
        user = admission.user
        connection.identify(user)
        self.manager.identify(connection)
        self._arrive(connection, user, admission.project_ids)
        for project_id in list(connection.cursors):
            with contextlib.suppress(NotFound):  # the event that took it away is on its way
                entry, room = await self._joining.enter(connection.user, project_id)
                self.manager.set_role(connection, room, entry.role)
        return user

    def _arrive(self, connection: Connection, user: SocketUser, projects: list[UUID]) -> None:
        self._presence.arrive(user.id, user.name, projects)
        connection.is_present = True

    def _make_conduct(self) -> Conduct:
        settings, now = self._settings, self._clock()
        messages_bucket = TokenBucket(settings.ws_messages_per_s, settings.ws_burst, now)
        return Conduct(messages_bucket, TokenBucket(settings.ws_joins_per_s, settings.ws_join_burst, now), now)

    def _tell_presence(self, connection: Connection) -> None:
        for project_id, cursor in connection.cursors.items():
            if cursor.sees_members:
                online = {"online": orjson.Fragment(self._presence.online(project_id))}
                connection.send_text(encode("presence", online, project_id=project_id))

    def _check_capacity(self, user_id: UUID | None) -> None:
        code = self.manager.why_full(user_id)
        if code is CloseCode.TOO_MANY:
            raise CloseError(code, _TOO_MANY)
        if code is not None:
            raise CloseError(code, "the server has as many connections as it takes; try again later")

    def _welcome(self, connection: Connection) -> dict[str, Any]:
        settings = self._settings
        identity = _identity(connection.user) if connection.user else {"user": None, "token_expires_at": None}
        return {
            "connection_id": str(connection.id),
            **identity,
            "protocol": SUBPROTOCOL,
            "server_time": format_time(utc_now()),
            "heartbeat_s": settings.ws_heartbeat_s,
            "limits": {
                "message_bytes": settings.ws_message_bytes,
                "rooms": settings.ws_max_rooms,
                "messages_per_s": settings.ws_messages_per_s,
                "burst": settings.ws_burst,
            },
        }


def _weigh(text: str | bytes) -> int:
    """Return the size in bytes of what came."""
    return len(text) if isinstance(text, bytes) or text.isascii() else len(text.encode(errors="surrogatepass"))


def _identity(user: SocketUser) -> dict[str, Any]:
    return {
        "user": {"id": str(user.id), "name": user.name},
        "token_expires_at": format_time(user.token_expires_at),
    }
