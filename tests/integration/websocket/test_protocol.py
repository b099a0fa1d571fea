"""Below the messages: frames as they come and go on both ways in, and what our own protocol does beyond that."""

import asyncio

import pytest
from websockets.frames import Opcode

from app.websocket import server as protocol
from tests.integration.websocket.conftest import Serve, Stage, fill, narrow_socket, quick_alone
from tests.integration.websocket.test_slow import buffered
from tests.support.raw import open_raw
from tests.support.realtime import eventually
from tests.support.server import TestServer
from tests.support.sockets import open_socket


@quick_alone
async def test_peer_that_is_done_with_is_cut(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that took nothing and was let go does not keep its socket and its buffer for ever.

    Other servers may close gently, and wait until it has taken what is left.
    """
    monkeypatch.setattr(protocol, "LINGER_S", 0.1)
    stage = await serve(ws_slow_s=0.2)
    narrow = await narrow_socket(stage.server)
    async with open_socket(stage.server, stage.anna, sock=narrow, max_queue=1) as slow:
        await slow.join(stage.project)
        await fill(stage, 30)
        await eventually(lambda: stage.server.hub.manager.connections == {})
        await eventually(lambda: buffered(stage.server) == [])
        slow.connection.transport.abort()


@quick_alone
async def test_peer_that_answers_the_close_is_not_cut(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The moment is for those who need it: a reader gets its close code, and no timer of ours is left behind."""
    timers: list[asyncio.TimerHandle | None] = []
    end = protocol.SocketProtocol.connection_lost

    def lost(self: protocol.SocketProtocol, exc: Exception | None) -> None:
        end(self, exc)
        timers.append(self._linger)

    monkeypatch.setattr(protocol.SocketProtocol, "connection_lost", lost)
    async with open_socket(stage.server, stage.anna) as socket:
        await stage.anna.call("POST", "/auth/logout", expect=204)
        assert await socket.closed() == 4410
    await eventually(lambda: bool(timers))
    assert [timer.cancelled() for timer in timers if timer is not None] == [True]


async def test_pings_are_answered(sqlite_server: TestServer) -> None:
    """A ping of the WebSocket layer gets its pong."""
    wire = await open_raw(sqlite_server)
    await wire.send(Opcode.PING, b"hello")
    assert await wire.receive() == (Opcode.PONG, b"hello")
    wire.hang_up()


async def test_message_in_pieces(sqlite_server: TestServer) -> None:
    """A message may come in several frames, with others between them."""
    wire = await open_raw(sqlite_server)
    await wire.send(Opcode.TEXT, b'{"type":', is_last=False)
    await wire.send(Opcode.PONG, b"between")
    await wire.send(Opcode.CONT, b'"ping",', is_last=False)
    await wire.send(Opcode.CONT, b'"id":1}')
    assert (await wire.hear("pong", "error"))["id"] == 1
    wire.hang_up()


async def test_goodbye_is_answered(sqlite_server: TestServer) -> None:
    """A client that closes gets its own code back, and the end of the TCP connection; nothing is kept of it."""
    for code in (1000, 1001, 4999):
        wire = await open_raw(sqlite_server)
        await wire.send(Opcode.CLOSE, code.to_bytes(2) + "прощай".encode())
        assert await wire.closed() == code
        assert await wire.rest() == b""
    await eventually(lambda: sqlite_server.hub.manager.connections == {})


async def test_goodbye_without_a_code(sqlite_server: TestServer) -> None:
    """An empty goodbye is one, too."""
    wire = await open_raw(sqlite_server)
    await wire.send(Opcode.CLOSE)
    opcode, _ = await wire.receive()
    assert opcode == Opcode.CLOSE
    assert await wire.rest() == b""
    await eventually(lambda: sqlite_server.hub.manager.connections == {})


async def test_what_came_before_a_goodbye_disturbs_nobody(sqlite_server: TestServer) -> None:
    """Questions and the goodbye in one packet: the server may answer them or not, but it ends in order."""
    wire = await open_raw(sqlite_server)
    for _ in range(3):
        wire.writer.write(b"\x81\x8f\0\0\0\0" + b'{"type":"ping"}')
    await wire.send(Opcode.CLOSE, (1000).to_bytes(2))
    assert await wire.closed() == 1000
    assert await wire.rest() == b""
    await eventually(lambda: sqlite_server.hub.manager.connections == {})
