"""The portable way to a peer: one message after the other, and what a peer that takes nothing costs."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.websocket.connection import Connection
from app.websocket.framing import frame
from app.websocket.protocol import CloseCode
from app.websocket.transport import WriterTransport
from tests.support.realtime import FakeLog, FakePeer, make_room, settle

PONG = frame(b'{"type":"pong"}')


@pytest.fixture
def peer() -> FakePeer:
    return FakePeer()


@pytest.fixture
async def transport(peer: FakePeer) -> AsyncIterator[WriterTransport]:
    """A transport whose task runs."""
    transport = WriterTransport(peer)
    running = asyncio.create_task(transport.run())
    yield transport
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def connection(transport: WriterTransport) -> Connection:
    connection = transport.connection = Connection(transport)
    return connection


async def test_joined_frames_are_sent_one_by_one(transport: WriterTransport, peer: FakePeer) -> None:
    """A server with a framing of its own is given the messages, in their order."""
    texts = [b'{"type":"%b"}' % name for name in (b"a", b"b" * 200, b"c" * 70_000, b"")]
    transport.write(b"".join(map(frame, texts)))
    transport.write(frame(b'{"type":"last"}'))
    await settle()
    assert peer.types == ["a", "b" * 200, "c" * 70_000, "", "last"]


async def test_it_takes_no_more_until_everything_is_written(
    transport: WriterTransport, connection: Connection, peer: FakePeer
) -> None:
    """Nothing piles up here for a peer that does not take: the cursors wait; then they read on."""
    log = FakeLog()
    room = make_room(log)
    connection.open_cursor(room, 0, None)
    peer.block()
    for event in log.fill(room.project_id, 1):
        room.append(event.seq, event.encoded)
    await settle()
    held = transport.backlog_bytes
    assert 0 < held == len(frame(log.events[room.project_id][0].encoded))
    assert not transport.is_writable
    assert connection.stuck_since is not None
    for event in log.fill(room.project_id, 100):
        room.append(event.seq, event.encoded)
    await settle()
    assert transport.backlog_bytes == held
    peer.unblock()
    await settle()
    assert [message["seq"] for message in peer.sent] == list(range(1, 102))
    assert transport.backlog_bytes == 0
    assert [transport.is_writable, connection.stuck_since] == [True, None]


async def test_peer_that_takes_everything_does_not_hold_the_loop(transport: WriterTransport, peer: FakePeer) -> None:
    """Between two writes others get their turn, though sending never has to wait."""
    for _ in range(3):
        transport.write(PONG)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert 0 < len(peer.sent) < 3


async def test_close_comes_after_what_was_written(transport: WriterTransport, peer: FakePeer) -> None:
    """The last words go out first; the first reason is the one that is told."""
    peer.block()
    transport.write(PONG)
    transport.close(CloseCode.LOGGED_OUT, "this session has ended")
    transport.close(CloseCode.NORMAL, "")
    assert transport.ending.is_set()
    await settle()
    assert peer.closed is None
    peer.unblock()
    await settle()
    assert peer.types == ["pong"]
    assert peer.closed == (CloseCode.LOGGED_OUT, "this session has ended")


async def test_last_words_and_the_end_before_it_runs(peer: FakePeer) -> None:
    """What was written before the close is not lost when nothing has been sent yet."""
    transport = WriterTransport(peer)
    transport.write(PONG)
    transport.close(CloseCode.NORMAL, "")
    await transport.run()
    assert (peer.types, peer.closed) == (["pong"], (CloseCode.NORMAL, ""))


@pytest.mark.parametrize("when", ["sending", "closing"])
async def test_peer_that_vanishes_stops_the_connection(
    transport: WriterTransport, connection: Connection, peer: FakePeer, when: str
) -> None:
    """Nobody tries to write to what is not there."""
    peer.vanish()
    if when == "sending":
        connection.send_json({"type": "pong"})
    else:
        connection.close(CloseCode.NORMAL, "")
    await settle()
    connection.send_json({"type": "pong"})
    assert connection.close_code == CloseCode.NORMAL
    assert (peer.sent, peer.closed) == ([], None)


async def test_peer_that_vanishes_before_there_is_a_connection_is_no_error(
    transport: WriterTransport, peer: FakePeer
) -> None:
    """There is nobody to tell."""
    peer.vanish()
    transport.write(PONG)
    await settle()
    assert peer.sent == []
