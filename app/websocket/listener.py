"""uvicorn's HTTP side with bounds: how large a request's head may be, and how long its sender may take.

uvicorn trusts that a proxy stands in front. Without one, an endless header line is held without limit, and a request
that is never finished keeps its connection for ever.
"""

import asyncio
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

MAX_HEAD_BYTES: Final = 32 * 1024
"""The request line and all headers."""
MAX_HEADERS: Final = 100
HEAD_S: Final = 10.0
"""How long a head may take, from the connection's first moment or from the first byte after an answer."""
BODY_S: Final = 60.0
"""How long a body may take after that."""
MAX_UNFINISHED: Final = 4096
"""Connections whose request is not there yet, as many as the kernel hands over at once; beyond that the oldest goes."""
SWEEP_S: Final = 1.0

_TOO_LARGE: Final = 431, b"the request's headers are too large or too many"
_TOO_LATE: Final = 408, b"the request took too long to come"
_INVALID: Final = 400, b"this is not a valid HTTP request"


class HttpProtocol(HttpToolsProtocol):
    """One HTTP connection."""

    _head_bytes = 0
    _is_in_head = False
    _is_too_large = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._waiting_room = WaitingRoom.of(self.server_state)
        self._waiting_room.enter(self, HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._waiting_room.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what comes, until it makes a head too large."""
        if self.transport.is_closing():
            return
        if self._is_in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > MAX_HEAD_BYTES:
            self.refuse(*_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        self._is_in_head, self._head_bytes = True, 0
        self._waiting_room.enter(self, HEAD_S)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header.

        Raises:
            ValueError: it is one too many, or too large; the parser makes it a refusal.
        """
        if len(self.headers) >= MAX_HEADERS or len(name) + len(value) > MAX_HEAD_BYTES:
            self._is_too_large = True
            raise ValueError
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Serve the request."""
        self._is_in_head = False
        self._waiting_room.enter(self, BODY_S)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait no more: the request is there."""
        self._waiting_room.leave(self)
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words
        """Refuse what the parser cannot take."""
        self.refuse(*(_TOO_LARGE if self._is_too_large else _INVALID))

    def end_waiting(self) -> None:
        """Give up on a request that does not come."""
        if self._is_in_head:
            self.refuse(*_TOO_LATE)
        else:
            self.transport.close()

    def refuse(self, status: int, reason: bytes) -> None:
        """Answer, and close the connection."""
        headers = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + headers % len(reason) + reason)
        self.transport.close()


class Waiting(Protocol):
    """A connection whose request is not there yet."""

    def end_waiting(self) -> None:
        """Give up on it."""


class WaitingRoom:
    """The connections of one server whose request is not there yet, and one timer for all of them."""

    _all: WeakKeyDictionary[ServerState, "WaitingRoom"] = WeakKeyDictionary()

    def __init__(self) -> None:
        self._deadlines: dict[Waiting, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def of(cls, server: ServerState) -> "WaitingRoom":
        """Return the room of a server."""
        if server not in cls._all:
            cls._all[server] = cls()
        return cls._all[server]

    def enter(self, connection: Waiting, seconds: float) -> None:
        """Begin to wait, or to wait anew."""
        loop = asyncio.get_running_loop()
        self._deadlines.pop(connection, None)
        self._deadlines[connection] = loop.time() + seconds
        if len(self._deadlines) > MAX_UNFINISHED:
            oldest = next(iter(self._deadlines))
            oldest.end_waiting()
            self.leave(oldest)
        if self._timer is None:
            self._timer = loop.call_later(SWEEP_S, self._sweep)

    def leave(self, connection: Waiting) -> None:
        """Wait no more."""
        self._deadlines.pop(connection, None)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        for connection, deadline in list(self._deadlines.items()):
            if deadline <= loop.time():
                connection.end_waiting()
                self.leave(connection)
        self._timer = loop.call_later(SWEEP_S, self._sweep) if self._deadlines else None
