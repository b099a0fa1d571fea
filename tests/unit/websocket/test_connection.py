"""A connection: the order in which it writes, what it holds on to, and how it ends."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from app.permissions import Role
from app.services.history import LogHead
from app.websocket import connection as connection_module
from app.websocket import room as room_module
from app.websocket.connection import MAX_QUEUED_EPHEMERAL, MAX_QUEUED_FRAMES, Connection
from app.websocket.protocol import CloseCode, encode
from app.websocket.room import Room
from tests.support.realtime import EPOCH, FakeClock, FakeLog, FakeTransport, make_room, make_user, settle, writing


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


@pytest.fixture
def transport() -> FakeTransport:
    return FakeTransport()


@pytest.fixture
async def connection(transport: FakeTransport) -> AsyncIterator[Connection]:
    """A connection whose writer runs."""
    connection = Connection(transport, make_user(), replay_max_events=20)
    async with writing(connection):
        yield connection


def publish(log: FakeLog, room: Room, count: int = 1) -> None:
    for event in log.fill(room.project_id, count):
        room.append(event.seq, event.encoded)


async def test_identity() -> None:
    """A connection is somebody's or nobody's, and says so."""
    anonymous, user = Connection(FakeTransport()), make_user()
    known = Connection(FakeTransport(), user)
    assert (anonymous.user_id, anonymous.is_authenticated) == (None, False)
    assert (known.user_id, known.is_authenticated) == (user.id, True)
    assert anonymous.id != known.id


async def test_answer_comes_before_the_events_it_announces(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """What was queued before a cursor opened is written before the room's first frame."""
    room = make_room(log, events=2)
    connection.send_json({"type": "project_joined"})
    connection.open_cursor(room, 0, Role.EDITOR)
    await settle()
    assert transport.types == ["project_joined", "task_created", "task_created"]
    assert transport.seqs == [1, 2]
    assert connection.messages_sent == 3
    assert connection.events_delivered == 2


async def test_answer_does_not_wait_for_a_long_backlog(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """A question asked in the middle of a replay is answered between two of its events."""
    room = make_room(log, events=20)
    transport.on_send = lambda message: connection.send_json({"type": "pong"}) if message.get("seq") == 3 else None
    connection.open_cursor(room, 0, None)
    await settle()
    assert transport.types.index("pong") == 3
    assert transport.seqs == list(range(1, 21))


async def test_long_backlog_lets_others_have_their_turn(
    connection: Connection, transport: FakeTransport, log: FakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer that takes everything at once does not hold the event loop for a whole replay."""
    monkeypatch.setattr(connection_module, "FRAMES_IN_A_ROW", 5)
    room = make_room(log, events=20)
    await room.read(0)
    at_turns: list[int] = []
    connection.open_cursor(room, 0, None)
    for _ in range(4):
        await asyncio.sleep(0)
        at_turns.append(len(transport.sent))
    assert at_turns == [5, 10, 15, 20]


async def test_closed_cursor_stops_in_the_middle_of_a_batch(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """After a cursor is closed not one more frame of its room is written, however many are at hand."""
    room = make_room(log, events=10)

    def close_at_three(message: dict[str, Any]) -> None:
        if message.get("seq") == 3:
            assert connection.close_cursor(room.project_id)

    transport.on_send = close_at_three
    connection.open_cursor(room, 0, None)
    await settle()
    assert transport.seqs == [1, 2, 3]
    assert not connection.is_in_project(room.project_id)
    assert room.viewers == set()
    assert not connection.close_cursor(room.project_id)


async def test_cursor_closed_while_another_room_is_written_says_nothing_more(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """Two rooms, the second is taken away while the first is written: not even a resync of it goes out."""
    first, second = make_room(log, events=1), make_room(log, events=50)

    def revoke(message: dict[str, Any]) -> None:
        if message["project_id"] == str(first.project_id):
            connection.close_cursor(second.project_id)
            connection.send_json({"type": "project_left", "project_id": str(second.project_id)})

    transport.on_send = revoke
    connection.open_cursor(first, 0, None)
    connection.open_cursor(second, 0, None)
    await settle()
    assert transport.types == ["task_created", "project_left"]


async def test_rejoining_reads_from_the_new_position(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """A room joined again while its first backlog is being written goes on where the second join says."""
    room = make_room(log, events=10)

    def rejoin(message: dict[str, Any]) -> None:
        if message.get("seq") == 3:
            connection.close_cursor(room.project_id)
            connection.send_json({"type": "project_joined"})
            connection.open_cursor(room, 8, None)

    transport.on_send = rejoin
    connection.open_cursor(room, 0, None)
    await settle()
    assert transport.seqs == [1, 2, 3, 9, 10]
    assert transport.types.index("project_joined") == 3


async def test_two_rooms_are_read_side_by_side(
    connection: Connection, transport: FakeTransport, log: FakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long backlog in one room gives way to the other after a batch."""
    monkeypatch.setattr(room_module, "BATCH_BYTES", 1)
    long, short = make_room(log, events=10), make_room(log, events=2)
    connection.open_cursor(long, 0, None)
    connection.open_cursor(short, 0, None)
    await settle()
    rooms = [message["project_id"] == str(long.project_id) for message in transport.sent]
    assert rooms[:4] == [True, False, True, False]
    assert len(rooms) == 12


async def test_live_events_follow_the_replay(connection: Connection, transport: FakeTransport, log: FakeLog) -> None:
    """Events published during and after a replay come once each, in order."""
    room = make_room(log, events=5)
    transport.on_send = lambda message: publish(log, room) if message["seq"] in {2, 5} else None
    connection.open_cursor(room, 0, None)
    await settle()
    publish(log, room)
    await settle()
    assert transport.seqs == list(range(1, 9))


@pytest.mark.parametrize(
    ("position", "change"),
    [
        pytest.param(0, "far", id="more events behind than a replay may have"),
        pytest.param(1, "trimmed", id="before the floor"),
        pytest.param(1, "trimmed unknown to the room", id="before a floor the room learns of by reading"),
        pytest.param(9, "restarted", id="in another life of the log"),
    ],
)
async def test_cursor_that_cannot_be_served_whole_jumps_to_the_head(
    connection: Connection, transport: FakeTransport, log: FakeLog, position: int, change: str
) -> None:
    """In place of a partial backlog there is one resync with the head, and live events after it."""
    room = make_room(log, events=21 if change == "far" else 10)
    connection.open_cursor(room, position, None)
    if change.startswith("trimmed"):
        log.trim(room.project_id, 5)
        room.floor = 0 if "unknown" in change else 5
    if change == "restarted":
        log.epochs[room.project_id] = "epoch2"
        room.restart(LogHead("epoch2", 10, 0))
    epoch, seq = room.epoch, room.seq
    await settle()
    publish(log, room)
    await settle()
    assert transport.types == ["resync", "task_created"]
    assert transport.sent[0] == {
        "type": "resync",
        "project_id": str(room.project_id),
        "data": {"epoch": epoch, "seq": seq},
    }
    assert transport.seqs == [seq + 1]


async def test_backlog_of_exactly_the_limit_is_replayed(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """The limit itself is still served."""
    connection.open_cursor(make_room(log, events=20), 0, None)
    await settle()
    assert transport.seqs == list(range(1, 21))


async def test_slow_peer_holds_no_queue_and_reads_on(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """While a peer takes nothing, its events wait in the log; when it takes again it gets every one."""
    room = make_room(log)
    connection.open_cursor(room, 0, None)
    transport.block()
    publish(log, room, 15)
    await settle()
    assert len(connection._queue) == 0
    transport.unblock()
    await settle()
    assert transport.seqs == list(range(1, 16))


async def test_slow_peer_too_far_behind_is_told_to_resync(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """A peer that slept through more than a replay gets the head instead of the backlog."""
    room = make_room(log)
    connection.open_cursor(room, 0, None)
    publish(log, room)
    await settle()
    transport.block()
    publish(log, room, 1)
    await settle()
    publish(log, room, 30)
    transport.unblock()
    await settle()
    assert transport.types == ["task_created", "task_created", "resync"]
    assert transport.sent[-1]["data"] == {"epoch": EPOCH, "seq": 32}


async def test_stuck_write_is_noticed() -> None:
    """A write that does not come back is dated, for the heartbeat to judge."""
    clock, transport = FakeClock(), FakeTransport()
    connection = Connection(transport, clock=clock)
    async with writing(connection):
        transport.block()
        connection.send_json({"type": "pong"})
        await settle()
        assert connection.stuck_since == clock.now
        transport.unblock()
        await settle()
        assert connection.stuck_since is None


async def test_peer_that_asks_without_reading_is_cut_off(connection: Connection, transport: FakeTransport) -> None:
    """Answers may wait only so long in number; then the connection is too slow."""
    transport.block()
    for _ in range(MAX_QUEUED_FRAMES + 2):
        connection.send_json({"type": "pong"})
        await asyncio.sleep(0)
    assert connection.close_code == CloseCode.TOO_SLOW
    transport.unblock()
    await settle()
    assert transport.closed == (CloseCode.TOO_SLOW, "you ask faster than you read")


async def test_signs_of_life_are_dropped_first(connection: Connection, transport: FakeTransport) -> None:
    """Beyond a few waiting frames signs of life are dropped; after the drain somebody is asked to tell them whole."""
    drained: list[Connection] = []
    connection.on_drained = drained.append
    transport.block()
    for number in range(MAX_QUEUED_EPHEMERAL * 2):
        connection.send_ephemeral(encode("typing", number))
        await asyncio.sleep(0)
    assert connection.missed_ephemeral
    assert not connection.is_closing
    assert drained == []
    transport.unblock()
    await settle()
    assert len(transport.sent) == MAX_QUEUED_EPHEMERAL + 1  # one was on its way already
    assert drained == [connection]
    assert not connection.missed_ephemeral


async def test_close_writes_what_is_queued_and_no_more_events(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """The last words still go out, then the close frame; the rooms are read no more."""
    room = make_room(log)
    connection.open_cursor(room, 0, None)
    publish(log, room)
    connection.send_json({"type": "reconnect"})
    connection.close(CloseCode.RESTART, "the server restarts")
    connection.close(CloseCode.NORMAL, "a second reason")
    await settle()
    assert transport.types == ["reconnect"]
    assert transport.closed == (CloseCode.RESTART, "the server restarts")
    assert connection.ending.is_set()


async def test_close_in_the_middle_of_a_batch(connection: Connection, transport: FakeTransport, log: FakeLog) -> None:
    """A connection closed while it reads stops at that frame."""

    def close(_: dict[str, Any]) -> None:
        connection.close(CloseCode.LOGGED_OUT, "")

    transport.on_send = close
    connection.open_cursor(make_room(log, events=10), 0, None)
    await settle()
    assert transport.seqs == [1]
    assert transport.closed == (CloseCode.LOGGED_OUT, "")


async def test_vanished_peer_ends_the_writer(connection: Connection, transport: FakeTransport) -> None:
    """When the peer has gone the writer returns, and nobody tries to close what is not there."""
    transport.vanish()
    connection.send_json({"type": "pong"})
    await settle()
    assert connection.close_code == CloseCode.NORMAL
    assert transport.closed is None


async def test_peer_that_vanishes_before_the_close_frame_is_no_error(
    connection: Connection, transport: FakeTransport
) -> None:
    """Closing a peer that has gone is harmless."""
    transport.vanish()
    connection.close(CloseCode.NORMAL, "")
    await settle()
    assert transport.closed is None


@pytest.mark.parametrize("failure", [RuntimeError("disk"), ConnectionRefusedError("no database")])
async def test_unreadable_log_closes_with_an_error_code(
    connection: Connection, transport: FakeTransport, log: FakeLog, failure: Exception
) -> None:
    """A database error in a replay closes the connection as the server's fault: the client comes back and resumes.

    A database that refuses connections must not be taken for a peer that has gone.
    """
    log.failure = failure
    connection.open_cursor(make_room(log, events=3), 0, None)
    await settle()
    assert transport.sent == []
    assert transport.closed is not None
    assert transport.closed[0] == CloseCode.INTERNAL


async def test_heard_notes_the_time() -> None:
    """Whatever the peer says shows that it lives."""
    clock = FakeClock()
    connection = Connection(FakeTransport(), clock=clock)
    clock.now += 5
    connection.heard()
    assert connection.heard_at == clock.now


async def test_unknown_project_is_not_read() -> None:
    """Closing a cursor that was never opened says so."""
    assert not Connection(FakeTransport()).close_cursor(uuid4())
