"""How somebody comes in on the quick way: the batch that finds out who they are welcomes them, and no task waits."""

from typing import Protocol

from app.websocket.connection import Connection
from app.websocket.directory import SESSION_ENDED, Admission
from app.websocket.handlers import WebSocketHandler
from app.websocket.protocol import CloseCode, CloseError


class Socket(Protocol):
    """The socket of somebody who comes in."""

    def begin(self) -> None:
        """Serve what the peer says: it has been welcomed."""

    def fail(self, error: Exception) -> None:
        """End the conversation for what went wrong."""


class Arrival:
    """Takes the answer to who a connection belongs to (`app.websocket.batcher.Receiver`)."""

    __slots__ = ("_connection", "_handler", "_socket")

    def __init__(self, socket: Socket, handler: WebSocketHandler, connection: Connection) -> None:
        self._socket, self._handler, self._connection = socket, handler, connection

    def done(self) -> bool:
        """Whether they have gone, or are about to, so that nobody waits any more."""
        return self._connection.is_closing

    def set_result(self, admission: Admission | None, /) -> None:
        """Welcome them, or not: their session has ended. Whatever fails concerns them alone."""
        try:
            if admission is None and self._connection.user is not None:
                raise CloseError(CloseCode.UNAUTHORIZED, SESSION_ENDED)
            self._handler.welcome(self._connection, admission)
            self._socket.begin()
        except Exception as error:  # noqa: BLE001 - that is the point
            self._socket.fail(error)

    def set_exception(self, error: Exception, /) -> None:
        """End the conversation: nobody could tell."""
        self._socket.fail(error)
