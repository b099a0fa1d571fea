"""The first moment of every TCP connection: what clearly asks for our socket gets it at once, all else is HTTP's.

When a server restarts everybody comes back in the same second, and an HTTP protocol with its parser and its scope is
most of what an upgrade costs. So a request whose head came in one piece and is beyond doubt an upgrade of our socket is
read here; whatever is not, malformed ones included, is handed to `app.websocket.listener` unread.
"""

import asyncio
import re
from typing import Any, Final, cast

import uvicorn
from uvicorn.server import ServerState

from app.websocket.handshake import PATH
from app.websocket.listener import HEAD_S, MAX_HEAD_BYTES, MAX_HEADERS, HttpProtocol, WaitingRoom
from app.websocket.server import SocketProtocol

_HEAD: Final = re.compile(
    rb"GET (%b(?:\?[!-~]*)?) HTTP/1\.1\r\n((?:[-!#$%%&'*+.^_`|~0-9A-Za-z]+: [\t -~\x80-\xff]*\r\n)+)\r\n"
    % re.escape(PATH.encode())
)
"""A whole head: RFC 9112's grammar without what nobody sends in an upgrade, such as a header without a space."""
_NOT_AN_UPGRADE: Final = frozenset({"content-length", "transfer-encoding", "expect"})


class Entrance(asyncio.Protocol):
    """A TCP connection that has said nothing yet; constructed by uvicorn for each."""

    __slots__ = ("_arguments", "_room", "_server", "_transport")

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._arguments = config, server_state, app_state, _loop
        self._server = server_state
        self._room: WaitingRoom
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        self._transport = cast("asyncio.Transport", transport)
        self._server.connections.add(cast("Any", self))
        self._room = WaitingRoom.of(self._server)
        self._room.enter(self, HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """Wait no more."""
        self._leave()

    def data_received(self, data: bytes) -> None:
        """Hand over to who serves what the first bytes ask for."""
        if self._transport.is_closing():
            return
        self._leave()
        asked = read_upgrade(data)
        if asked is None:
            http = HttpProtocol(*self._arguments)
            self._transport.set_protocol(http)
            http.connection_made(self._transport)
            http.data_received(data)
        else:
            socket = SocketProtocol(*self._arguments)
            self._transport.set_protocol(socket)
            socket.connection_made(self._transport)
            socket.shake_hands("GET", *asked)

    def end_waiting(self) -> None:
        """Give up on somebody who says nothing."""
        self._transport.close()

    def shutdown(self) -> None:
        """Close: the server stops."""
        self._transport.close()

    def _leave(self) -> None:
        self._room.leave(self)
        self._server.connections.discard(cast("Any", self))


def read_upgrade(data: bytes) -> tuple[str, dict[str, str]] | None:
    """Return target and headers (names in lower case) of what is beyond doubt a whole upgrade of our socket."""
    found = _HEAD.fullmatch(data) if len(data) <= MAX_HEAD_BYTES else None
    if found is None:
        return None
    lines = found[2].decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines[:-1]:
        name, _, value = line.partition(": ")
        name, value = name.lower(), value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if len(lines) - 1 > MAX_HEADERS or not _NOT_AN_UPGRADE.isdisjoint(headers) or not _asks_for_upgrade(headers):
        return None
    return found[1].decode(), headers


def _asks_for_upgrade(headers: dict[str, str]) -> bool:
    wishes = {wish.strip().lower() for wish in headers.get("connection", "").split(",")}
    return "upgrade" in wishes and headers.get("upgrade", "").lower() == "websocket" and "host" in headers
