"""Below the messages: what a peer can do with frames alone."""

import asyncio
import os
import struct

import pytest
from websockets.frames import Opcode

from app.websocket import server as protocol
from tests.integration.websocket.conftest import Serve, Stage, fill, narrow_socket
from tests.integration.websocket.test_slow import buffered
from tests.support.realtime import eventually
from tests.support.server import TestServer
from tests.support.sockets import open_socket


class RawSocket:
    """A WebSocket client that does as it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, opcode: int, payload: bytes = b"", *, is_last: bool = True, times: int = 1) -> None:
        """Send a masked frame, several times over."""
        key = os.urandom(4)
        masked = bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))
        assert len(payload) < 126
        frame = struct.pack("!BB4s", opcode | (0x80 if is_last else 0), 0x80 | len(payload), key) + masked
        self.writer.write(frame * times)
        await self.writer.drain()

    async def receive(self) -> tuple[int, bytes]:
        """Take the next frame."""
        async with asyncio.timeout(5):
            first, second = await self.reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", await self.reader.readexactly(2))
            return first & 0x0F, await self.reader.readexactly(length)


async def open_raw(server: TestServer, *, narrow: bool = False) -> RawSocket:
    """Shake hands and take the welcome."""
    if narrow:
        reader, writer = await asyncio.open_connection(sock=await narrow_socket(server), limit=1024)
    else:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.settings.port)
    writer.write(
        b"GET /api/v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 101 " in head
    socket = RawSocket(reader, writer)
    opcode, _ = await socket.receive()
    assert opcode == Opcode.TEXT
    return socket


async def test_peer_that_is_done_with_is_cut(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that took nothing and was let go does not keep its socket and its buffer for ever."""
    monkeypatch.setattr(protocol, "LINGER_S", 0.1)
    stage = await serve(ws_slow_s=0.2)
    narrow = await narrow_socket(stage.server)
    async with open_socket(stage.server, stage.anna, sock=narrow, max_queue=1) as slow:
        await slow.join(stage.project)
        await fill(stage, 30)
        await eventually(lambda: stage.server.hub.manager.connections == {})
        await eventually(lambda: buffered(stage.server) == [])
        slow.connection.transport.abort()


async def test_peer_that_answers_the_close_is_not_cut(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The moment is for those who need it: a reader gets its close code, and no timer is left behind."""
    timers: list[asyncio.TimerHandle | None] = []
    end = protocol.SocketProtocol.connection_lost

    def lost(self: protocol.SocketProtocol, exc: Exception | None) -> None:
        end(self, exc)
        timers.append(self._cut)

    monkeypatch.setattr(protocol.SocketProtocol, "connection_lost", lost)
    async with open_socket(stage.server, stage.anna) as socket:
        await stage.anna.call("POST", "/auth/logout", expect=204)
        assert await socket.closed() == 4410
    await eventually(lambda: bool(timers))
    assert all(timer is None or timer.cancelled() for timer in timers)


async def test_pings_are_answered(sqlite_server: TestServer) -> None:
    """A ping of the WebSocket layer gets its pong."""
    socket = await open_raw(sqlite_server)
    await socket.send(Opcode.PING, b"hello")
    assert await socket.receive() == (Opcode.PONG, b"hello")
    socket.writer.close()


async def test_pongs_do_not_pile_up(sqlite_server: TestServer) -> None:
    """Somebody who sends pings and never reads makes the server hold no more than the high-water mark."""
    socket = await open_raw(sqlite_server, narrow=True)
    held: list[int] = []
    for _ in range(40):
        await socket.send(Opcode.PING, b"x" * 125, times=400)
        await asyncio.sleep(0)
        held += buffered(sqlite_server)
    assert 0 < max(held) <= 256 * 1024
    socket.writer.transport.abort()


async def test_message_in_pieces(sqlite_server: TestServer) -> None:
    """A message may come in several frames; in thousands of empty ones it may not."""
    socket = await open_raw(sqlite_server)
    await socket.send(Opcode.TEXT, b'{"type":', is_last=False)
    await socket.send(Opcode.CONT, b'"ping"}')
    opcode, payload = await socket.receive()
    assert (opcode, payload[:14]) == (Opcode.TEXT, b'{"type":"pong"')
    await socket.send(Opcode.TEXT, b"x", is_last=False)
    await socket.send(Opcode.CONT, is_last=False, times=5000)
    opcode, payload = await socket.receive()
    assert (opcode, struct.unpack("!H", payload[:2])[0]) == (Opcode.CLOSE, 1009)
    await eventually(lambda: sqlite_server.hub.manager.connections == {})
    socket.writer.close()
