"""What is read at the entrance, and what is left to HTTP."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from uvicorn.server import ServerState

from app.websocket.entrance import Entrance, read_upgrade
from app.websocket.listener import MAX_HEAD_BYTES, MAX_HEADERS, WaitingRoom
from tests.support.raw import HANDSHAKE, request


def upgrade(target: str = "/api/v1/ws", **headers: str) -> bytes:
    return request(target, **HANDSHAKE | {name.replace("_", "-"): value for name, value in headers.items()})


def test_upgrade_is_read() -> None:
    """Target and headers, names in lower case, values without the space around them; repeated ones are joined."""
    head = upgrade("/api/v1/ws?ticket=x", Cookie=" a=b\t")
    found = read_upgrade(
        head.replace(b"\r\n\r\n", b"\r\nsec-websocket-PROTOCOL: a\r\nSec-WebSocket-Protocol: b\r\n\r\n")
    )
    assert found is not None
    target, headers = found
    assert target == "/api/v1/ws?ticket=x"
    assert headers == {name.lower(): value for name, value in HANDSHAKE.items()} | {
        "cookie": "a=b",
        "sec-websocket-protocol": "a, b",
    }


@pytest.mark.parametrize("connection", ["upgrade", "keep-alive, Upgrade", "UPGRADE ,x"])
def test_wish_may_be_among_others(connection: str) -> None:
    """Browsers keep alive and upgrade in one line."""
    assert read_upgrade(upgrade(Connection=connection)) is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET /api/v1/ws HTTP/1.1\r\n\r\n",
        request("/livez", Host="x"),
        upgrade("/api/v1/wsx"),
        upgrade("/api/v1/ws/"),
        upgrade("/api/v1/ws#x"),
        upgrade().replace(b"GET", b"get"),
        upgrade().replace(b"GET", b"POST"),
        upgrade().replace(b"HTTP/1.1", b"HTTP/1.0"),
        upgrade()[:-2],
        upgrade() + b"\x81\x80\0\0\0\0",
        upgrade(Connection="close"),
        upgrade(Connection="upgraded"),
        upgrade(Upgrade="h2c"),
        upgrade().replace(b"Host: x\r\n", b""),
        upgrade().replace(b"Host: x", b"Host:x"),
        upgrade().replace(b"Host: x", b"Host : x"),
        upgrade().replace(b"Host: x", b" Host: x"),
        upgrade().replace(b"Host: x\r\n", b"Host: x\n"),
        upgrade(X="a\0b"),
        upgrade(X="a\rb"),
        upgrade(Content_Length="1"),
        upgrade(Transfer_Encoding="chunked"),
        upgrade(Expect="100-continue"),
        upgrade(X="x" * MAX_HEAD_BYTES),
        upgrade(**{f"X{number}": "" for number in range(MAX_HEADERS)}),
    ],
)
def test_what_is_not_beyond_doubt_is_left_to_http(data: bytes) -> None:
    """Its parser knows what to answer."""
    assert read_upgrade(data) is None


class Wire(asyncio.Transport):
    """A TCP connection on which nothing comes."""

    is_closed = False

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


@pytest.mark.parametrize("end", ["shutdown", "end_waiting"])
async def test_who_says_nothing_is_let_go(end: str) -> None:
    """When the server stops, or after a while; what comes after that is not read, and nothing is left."""
    state = ServerState()
    config: Any = SimpleNamespace()
    entrance, wire = Entrance(config, state, {}), Wire()
    entrance.connection_made(wire)
    room = WaitingRoom.of(state)
    assert (len(state.connections), len(room._deadlines)) == (1, 1)
    getattr(entrance, end)()
    entrance.data_received(upgrade())
    assert wire.is_closed
    entrance.connection_lost(None)
    assert (len(state.connections), len(room._deadlines)) == (0, 0)
    assert room._timer is not None
    room._timer.cancel()
