"""The quick way in under uvicorn: one object per socket, no task and no timer once it is open.

It is uvicorn's WebSocket protocol class (`timetodo serve` names it) and the transport of one `Connection`: what rooms
have ready goes to the TCP transport as it is. Messages are served by a task that lives only while there are some.
Whatever a peer can make the server hold or do by sending alone is bounded: message and frame sizes from their headers
on, the number of frames, pongs for somebody who does not read. Semantics of the frames: RFC 6455.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

import structlog
import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.server import ServerState

from app.domain.networks import network_of
from app.websocket import handshake
from app.websocket.arrival import Arrival
from app.websocket.connection import Connection, SocketUser
from app.websocket.door import Handshake
from app.websocket.framing import FrameReader, FramingError, Opcode, check_utf8, close_frame, frame, read_close
from app.websocket.handlers import Rest
from app.websocket.hub import Hub
from app.websocket.protocol import FAILED, CloseCode, CloseError

HIGH_WATER_BYTES: Final = 64 * 1024
"""With this much waiting for a peer its cursors wait; with the batch then under way it is less than 128 KiB.

Not more: small writes that wait weigh several times as much in the event loop as on the wire.
"""
LINGER_S: Final = 5.0
"""How long a peer may take to accept the last bytes and to answer the close frame."""
MAX_WAITING_MESSAGES: Final = 64
"""Messages read but not yet served, before no more are read."""
_log = structlog.get_logger(__name__)


class SocketProtocol(asyncio.Protocol):
    """One WebSocket over TCP; constructed by uvicorn for each upgrade."""

    __slots__ = (
        "_connection",
        "_direct",
        "_hub",
        "_inbox",
        "_is_entering",
        "_is_over",
        "_linger",
        "_opening",
        "_reader",
        "_server",
        "_serving",
        "_socket",
        "_transport",
        "_trusted",
        "is_writable",
    )

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],  # noqa: ARG002 - uvicorn's
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._hub, self._trusted = _find_hub(config)
        self._server = server_state
        self._transport: asyncio.Transport
        self._reader: FrameReader | None = None
        self._connection: Connection | None = None
        self._inbox: deque[bytes] | None = None
        self._serving: asyncio.Task[None] | None = None
        self._linger: asyncio.TimerHandle | None = None
        self._is_entering = True
        """Whether it is not welcomed yet: what the peer says meanwhile is served after that."""
        self._is_over = False
        self._opening = b""
        """The answer to the handshake, until there is something to write with it."""
        self._socket: socket.SocketType | None = None
        self._direct: socket.SocketType | None = None
        """The same; None while something may wait in the event loop's buffer, or the answer to the handshake does."""
        self.is_writable = True

    # The transport of a connection

    @property
    def backlog_bytes(self) -> int:
        """How much of what was written the peer has not taken."""
        return self._transport.get_write_buffer_size()

    def write(self, frames: bytes) -> None:
        """Write some whole frames: straight to the socket as long as nothing waits in the event loop's buffer.

        Everything is written here, or the rest of a frame would end up behind another. Nothing follows a goodbye.
        """
        if self._direct is None:
            if self._is_over:
                return
            frames, self._opening = self._opening + frames, b""
            self._direct = None if self._transport.get_write_buffer_size() else self._socket
        if self._direct is not None:
            try:
                sent = self._direct.send(frames)
            except OSError:
                sent = 0  # its buffer is full, or the peer has gone: the event loop finds out
            if sent == len(frames):
                return
            frames, self._direct = frames[sent:], None
        self._transport.write(frames)

    def close(self, code: int, reason: str) -> None:
        """Say goodbye, let everything go that was held, and give the peer a moment to answer."""
        if not self._is_over:
            self.write(close_frame(code, reason))
            self._end()
            self._resume_reading()  # its goodbye

    # What the event loop and uvicorn call

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the TCP connection of a request that asks for an upgrade."""
        self._transport = cast("asyncio.Transport", transport)
        self._server.connections.add(cast("Any", self))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """Let everything go: the peer has gone."""
        self._server.connections.discard(cast("Any", self))
        if self._socket is not None:
            self._socket.detach()
            self._socket = None
        self._end()
        if self._linger is not None:
            self._linger.cancel()

    def pause_writing(self) -> None:
        """The peer does not take what is written."""
        self.is_writable = False
        if self._connection is not None:
            self._connection.pause()

    def resume_writing(self) -> None:
        """The peer takes again."""
        self.is_writable = True
        if self._connection is not None:
            self._connection.resume()

    def shutdown(self) -> None:
        """End the conversation: the server stops."""
        self.close(CloseCode.RESTART, "the server restarts")
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Take what the peer sends; the first may be its request, which uvicorn hands over whole."""
        if self._reader is None:
            self.shake_hands(*handshake.parse_head(data))
            return
        try:
            for opcode, payload in self._reader.feed(data):
                self._take(opcode, payload)
        except FramingError as error:
            if self._is_over:
                self._transport.abort()
            else:
                self.close(error.code, error.reason)

    def shake_hands(self, method: str, target: str, headers: dict[str, str]) -> None:
        """Answer the request that asks for an upgrade; names of headers are in lower case."""
        asked = handshake.to_handshake(target, headers, network_of(self._client_address(headers)))
        refusal = handshake.check_upgrade(method, target, headers) or self._hub.door.refuse(asked)
        if refusal is not None:
            self._is_over = True
            self._transport.write(handshake.refuse(refusal))
            self._transport.close()
            return
        self._socket = _share_socket(self._transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        self._reader = FrameReader(self._hub.settings.ws_message_bytes)
        self._opening = handshake.accept(headers["sec-websocket-key"], asked.subprotocol)
        if asked.ticket is not None:
            self._serving = asyncio.create_task(self._guard(self._redeem, asked))
            return
        try:
            self._come_in(asked, self._hub.door.recognise(asked))
        except CloseError as error:
            self.fail(error)

    def _client_address(self, headers: dict[str, str]) -> str:
        peer = self._transport.get_extra_info("peername")
        host = peer[0] if isinstance(peer, tuple) else ""
        forwarded = headers.get("x-forwarded-for")
        if forwarded is None or self._trusted is None or host not in self._trusted:
            return host
        return self._trusted.get_trusted_client_address(forwarded)[0] or host

    def _take(self, opcode: Opcode, payload: bytes) -> None:
        """Take one message or control frame. After our goodbye only the peer's counts."""
        if opcode is Opcode.CLOSE:
            code, _ = read_close(payload)
            self.close(code if code != 1005 else 1000, "")
            self._transport.close()
        elif self._is_over or opcode is Opcode.PONG:
            return
        elif opcode is Opcode.PING:
            if self.is_writable:  # the last pong stands for all (RFC 6455, 5.5.3)
                self.write(frame(payload, Opcode.PONG))
        else:
            if opcode is Opcode.TEXT:
                check_utf8(payload)
            self._enqueue(payload)

    def _enqueue(self, message: bytes) -> None:
        if self._inbox is None:
            self._inbox = deque()
        self._inbox.append(message)
        if len(self._inbox) >= MAX_WAITING_MESSAGES:
            self._transport.pause_reading()
        if self._serving is None and not self._is_entering:
            self._serve()

    async def _redeem(self, asked: Handshake) -> None:
        self._come_in(asked, await self._hub.door.identify(asked))

    def _come_in(self, asked: Handshake, user: SocketUser | None) -> None:
        self._connection = self._hub.make_connection(self, user, network=asked.network)
        self._hub.take_in_soon(self._connection, Arrival(self, self._hub.handler, self._connection))
        if not self._hub.directory.answers_at_once:
            self.write(b"")  # the handshake's answer need not wait for that

    def begin(self) -> None:
        """Serve what the peer says: it has been welcomed."""
        assert self._connection is not None
        self._is_entering = False
        self._connection.pump()
        if self._inbox:
            self._serve()

    def fail(self, error: Exception) -> None:
        """End the conversation for what went wrong, with a code, after what is queued for the peer."""
        code, reason = (error.code, error.reason) if isinstance(error, CloseError) else (CloseCode.INTERNAL, FAILED)
        if not isinstance(error, CloseError):  # a bug, or the database is away: the client comes back
            _log.error("connection_failed", exc_info=error)
        if self._connection is not None:
            self._connection.close(code, reason)
        else:
            self.close(code, reason)

    async def _guard(self, work: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        """Do some work for the peer; whatever goes wrong ends the conversation, not the server."""
        try:
            await work(*arguments)
        except Exception as error:  # noqa: BLE001 - that is the point
            self.fail(error)
        finally:
            self._serving = None

    def _serve(self) -> None:
        """Serve what the peer has said, in a task as soon as something must be awaited."""
        try:
            rest = self._serve_some()
        except Exception as error:  # noqa: BLE001 - it ends the conversation, not the server
            self.fail(error)
        else:
            if rest is not None:
                self._serving = asyncio.create_task(self._guard(self._serve_on, rest))

    async def _serve_on(self, rest: Rest | None) -> None:
        """See one message through, then serve those that came meanwhile."""
        while rest is not None:
            await rest()
            rest = self._serve_some()

    def _serve_some(self) -> Rest | None:
        """Serve one message after the other; return the rest of the first that must wait for something."""
        while self._inbox and self._connection is not None and not self._connection.is_closing:
            rest = self._hub.handler.serve(self._connection, self._inbox.popleft())
            if rest is not None:
                return rest
        self._inbox = None
        self._resume_reading()
        return None

    def _resume_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _end(self) -> None:
        """Let go of everything but the TCP connection, which has a moment left."""
        if self._is_over:
            return
        self._is_over, self._direct = True, None
        if self._linger is None:
            self._linger = asyncio.get_running_loop().call_later(LINGER_S, self._transport.abort)
        connection, self._connection = self._connection, None
        if connection is not None:
            self._hub.handler.disconnect(connection)
            connection.stop()
        if self._serving is not None and self._serving is not asyncio.current_task():
            self._serving.cancel()
        self._inbox = None


def _find_hub(config: uvicorn.Config) -> tuple[Hub, Any]:
    """Return the application's realtime side, and the proxies that uvicorn's middleware trusts."""
    application: Any = config.loaded_app
    trusted = None
    while not hasattr(application, "state"):
        if isinstance(application, ProxyHeadersMiddleware):
            trusted = application.trusted_hosts
        application = application.app
    return application.state.hub, trusted


def _share_socket(transport: asyncio.Transport) -> socket.SocketType | None:
    """Return the transport's socket, to write to; None when what is written must be encrypted first.

    It is the transport's to close: the caller detaches from it when the connection is lost.
    """
    shared: socket.SocketType | None = transport.get_extra_info("socket")
    if shared is None or transport.get_extra_info("sslcontext") is not None:
        return None
    return socket.SocketType(shared.family, shared.type, shared.proto, shared.fileno())
