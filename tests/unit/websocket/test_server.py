"""The quick way in, over a transport that does what a real one cannot be made to do."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.server import ServerState

from app.websocket.server import SocketProtocol
from tests.support.raw import HANDSHAKE, request
from tests.support.realtime import Bench, settle


class Wire(asyncio.Transport):
    """A TCP connection made of a list."""

    def __init__(self, peer: object) -> None:
        super().__init__({"peername": peer})
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is none."""

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = True

    def resume_reading(self) -> None:
        """It always reads."""


Dial = Callable[..., Awaitable[SocketProtocol]]


def dialler(bench: Bench, trusted: str | None) -> Dial:
    """Return a way to dial a server that trusts some proxies."""
    application: Any = SimpleNamespace(state=SimpleNamespace(hub=bench.hub))
    if trusted is not None:
        application = ProxyHeadersMiddleware(application, trusted)
    config: Any = SimpleNamespace(loaded_app=application)

    async def dial(peer: object, **headers: str) -> SocketProtocol:
        socket = SocketProtocol(config, ServerState(), {})
        socket.connection_made(Wire(peer))
        told = HANDSHAKE | {name.replace("_", "-"): value for name, value in headers.items()}
        socket.data_received(request(**{name.lower(): value for name, value in told.items()}))
        await settle()
        return socket

    return dial


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "network"),
    [
        (("192.0.2.1", 5), None, "127.0.0.1", "192.0.2.1"),
        (("192.0.2.1", 5), "198.51.100.7", "127.0.0.1", "192.0.2.1"),
        (("192.0.2.1", 5), "198.51.100.7", None, "192.0.2.1"),
        (("127.0.0.1", 5), "198.51.100.7", "127.0.0.1", "198.51.100.7"),
        (("127.0.0.1", 5), "203.0.113.9, 198.51.100.7", "127.0.0.1", "198.51.100.7"),
        (("127.0.0.1", 5), "2001:db8::7", "127.0.0.1", "2001:db8::/64"),
        (("127.0.0.1", 5), "", "127.0.0.1", "127.0.0.1"),
        (("::ffff:192.0.2.1", 5, 0, 0), None, "127.0.0.1", "192.0.2.1"),
        ("", None, "127.0.0.1", ""),
        (None, None, "127.0.0.1", ""),
    ],
)
async def test_client_is_where_a_trusted_proxy_says(
    peer: object, forwarded: str | None, trusted: str | None, network: str
) -> None:
    """The last address a trusted proxy has added, else the peer's own; a stranger's word counts for nothing."""
    async with Bench() as bench:
        headers = {} if forwarded is None else {"X_Forwarded_For": forwarded}
        socket = await dialler(bench, trusted)(peer, **headers)
        (connection,) = bench.hub.manager.connections.values()
        assert connection.network == network
        socket.connection_lost(None)
        assert bench.hub.manager.connections == {}


async def test_hub_is_found_below_any_middleware() -> None:
    """Uvicorn wraps the application, and so may whoever serves it."""
    async with Bench() as bench:
        application: Any = SimpleNamespace(state=SimpleNamespace(hub=bench.hub))
        wrapped: Any = SimpleNamespace(app=ProxyHeadersMiddleware(application, "127.0.0.1"))
        config: Any = SimpleNamespace(loaded_app=wrapped)
        socket = SocketProtocol(config, ServerState(), {})
        assert socket._hub is bench.hub
        assert socket._trusted is not None


async def test_shutdown_says_goodbye_and_lingers_no_longer_than_the_peer() -> None:
    """The server's stop closes with 1012; when the peer has gone no timer is left."""
    async with Bench() as bench:
        socket = await dialler(bench, None)(("192.0.2.1", 5))
        socket.shutdown()
        assert isinstance(socket._transport, Wire)
        assert socket._transport.written[-1][:4] == b"\x88\x15\x03\xf4"
        assert bench.hub.manager.connections == {}
        assert socket._linger is not None
        socket.connection_lost(None)
        assert socket._linger.cancelled()


async def test_peer_that_goes_at_once_is_never_served(recwarn: pytest.WarningsRecorder) -> None:
    """A join and the end in one moment: what was to see it through never begins, and is not left half begun."""
    async with Bench() as bench:
        socket = await dialler(bench, None)(("192.0.2.1", 5))
        message = b'{"type":"join_project","project_id":"%b"}' % str(bench.directory.project()).encode()
        with structlog.testing.capture_logs() as logs:
            socket.data_received(bytes((0x81, 0x80 | len(message), 0, 0, 0, 0)) + message)
            socket.connection_lost(None)
            await settle()
        assert logs == []
        assert bench.hub.manager.rooms == {}
    assert not recwarn.list
