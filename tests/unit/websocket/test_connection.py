"""A connection: the order in which it writes, what it holds on to, and how it ends."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
import structlog

from app.permissions import Role
from app.services.history import LogHead
from app.websocket import room as room_module
from app.websocket.connection import MAX_QUEUED_EPHEMERAL, MAX_QUEUED_FRAMES, Connection
from app.websocket.protocol import FAILED, CloseCode, encode
from app.websocket.room import Room
from tests.support.realtime import EPOCH, FakeClock, FakeLog, FakeTransport, connect, make_room, make_user, settle


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


@pytest.fixture
def transport() -> FakeTransport:
    return FakeTransport()


@pytest.fixture
def connection(transport: FakeTransport) -> Connection:
    return connect(transport, make_user(), replay_max_events=20)


@pytest.fixture
def one_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every batch hold one event."""
    monkeypatch.setattr(room_module, "BATCH_BYTES", 1)


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


async def test_everything_there_is_is_one_write(connection: Connection, transport: FakeTransport, log: FakeLog) -> None:
    """Answers and the events of several rooms travel together, whatever their number."""
    rooms = [make_room(log) for _ in range(3)]
    for room in rooms:
        connection.open_cursor(room, 0, None)
        publish(log, room, 4)
    connection.send_json({"type": "pong"})
    await settle()
    assert transport.writes == 1
    assert transport.types == ["pong", *["task_created"] * 12]


@pytest.mark.usefixtures("one_a_batch")
async def test_answer_does_not_wait_for_a_long_backlog(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """A question asked in the middle of a replay is answered between two of its batches."""
    room = make_room(log, events=20)
    transport.on_send = lambda message: connection.send_json({"type": "pong"}) if message.get("seq") == 3 else None
    connection.open_cursor(room, 0, None)
    await settle()
    assert transport.types.index("pong") == 3
    assert transport.seqs == list(range(1, 21))


@pytest.mark.usefixtures("one_a_batch")
async def test_long_backlog_lets_others_have_their_turn(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """A peer that takes everything at once gets a batch each turn of the loop, not the whole replay in one."""
    room = make_room(log)
    publish(log, room, 4)
    await settle()
    at_turns: list[int] = []
    connection.open_cursor(room, 0, None)
    for _ in range(4):
        await asyncio.sleep(0)
        at_turns.append(len(transport.sent))
    assert at_turns == [1, 2, 3, 4]


@pytest.mark.usefixtures("one_a_batch")
async def test_closed_cursor_stops_in_the_middle_of_a_backlog(
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


async def test_cursor_closed_before_its_turn_says_nothing(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """Two rooms, one is taken away before the loop's next turn: not even a resync of it goes out."""
    staying, leaving = make_room(log, events=1), make_room(log, events=50)
    connection.open_cursor(staying, 0, None)
    connection.open_cursor(leaving, 0, None)
    connection.close_cursor(leaving.project_id)
    connection.send_json({"type": "project_left", "project_id": str(leaving.project_id)})
    await settle()
    assert transport.types == ["project_left", "task_created"]
    assert transport.sent[1]["project_id"] == str(staying.project_id)


async def test_cursor_closed_while_its_log_is_read_says_nothing(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """What a reading brings for a room that was left meanwhile is thrown away."""
    room = make_room(log, events=3)
    log.gate.clear()
    connection.open_cursor(room, 0, None)
    await settle()
    connection.close_cursor(room.project_id)
    log.gate.set()
    await settle()
    assert transport.sent == []


@pytest.mark.usefixtures("one_a_batch")
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


async def test_rejoining_while_the_log_is_read_gets_each_event_once(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """A reading for the old cursor does not move the new one, even from the same place."""
    room = make_room(log, events=3)
    log.gate.clear()
    for position in (0, 0, 1):
        connection.close_cursor(room.project_id)
        connection.open_cursor(room, position, None)
        await settle()
    log.gate.set()
    await settle()
    assert transport.seqs == [2, 3]


@pytest.mark.usefixtures("one_a_batch")
async def test_two_rooms_are_read_side_by_side(connection: Connection, transport: FakeTransport, log: FakeLog) -> None:
    """A long backlog in one room gives way to the other after a batch."""
    long, short = make_room(log), make_room(log)
    publish(log, long, 10)
    publish(log, short, 2)
    connection.open_cursor(long, 0, None)
    connection.open_cursor(short, 0, None)
    await settle()
    rooms = [message["project_id"] == str(long.project_id) for message in transport.sent]
    assert rooms[:4] == [True, False, True, False]
    assert len(rooms) == 12


async def test_reading_one_rooms_log_does_not_hold_up_another(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """While a cursor waits for the database the other rooms go on; two that need it take turns."""
    cold, colder, live = make_room(log, events=2), make_room(log, events=2), make_room(log)
    log.gate.clear()
    for room in (cold, colder, live):
        connection.open_cursor(room, 0, None)
    publish(log, live)
    await settle()
    assert [message["project_id"] for message in transport.sent] == [str(live.project_id)]
    log.gate.set()
    await settle()
    assert len(transport.sent) == 5


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
    assert connection.messages_sent == 2


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
    assert transport.sent == []
    assert len(connection._queue) == 0
    transport.unblock()
    await settle()
    assert transport.seqs == list(range(1, 16))


async def test_peer_that_stops_taking_while_its_log_is_read_gets_it_later(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """A reading that comes back to a full socket is not pressed into it."""
    log.gate.clear()
    connection.open_cursor(make_room(log, events=3), 0, None)
    await settle()
    transport.block()
    log.gate.set()
    await settle()
    assert transport.sent == []
    transport.unblock()
    await settle()
    assert transport.seqs == [1, 2, 3]


async def test_cursor_that_jumps_while_its_log_is_read_does_not_go_back(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """What the reading brings is from before the resync."""
    room = make_room(log, events=3)
    log.gate.clear()
    connection.open_cursor(room, 0, None)
    await settle()
    publish(log, room, 30)
    await settle()
    log.gate.set()
    await settle()
    publish(log, room)
    await settle()
    assert transport.types == ["resync", "task_created"]
    assert transport.seqs == [34]


async def test_slow_peer_too_far_behind_is_told_to_resync(
    connection: Connection, transport: FakeTransport, log: FakeLog
) -> None:
    """A peer that slept through more than a replay gets the head instead of the backlog."""
    room = make_room(log)
    connection.open_cursor(room, 0, None)
    publish(log, room)
    await settle()
    transport.block()
    publish(log, room, 31)
    await settle()
    transport.unblock()
    await settle()
    assert transport.types == ["task_created", "resync"]
    assert transport.sent[-1]["data"] == {"epoch": EPOCH, "seq": 32}


async def test_peer_that_takes_nothing_is_noticed() -> None:
    """Since when it has taken nothing is noted, for the heartbeat to judge; what it takes meanwhile counts."""
    clock, transport = FakeClock(), FakeTransport()
    connection = connect(transport, clock=clock)
    transport.backlog_bytes = 1000
    transport.block()
    began = clock.now
    for backlog, stuck_since in ((1000, began), (999, began + 10), (999, began + 10), (1200, began + 10)):
        clock.now += 5
        transport.backlog_bytes = backlog
        transport.block()
        connection.note_progress()
        assert connection.stuck_since == stuck_since
    transport.unblock()
    assert connection.stuck_since is None


async def test_peer_that_asks_without_reading_is_cut_off(connection: Connection, transport: FakeTransport) -> None:
    """Answers may wait only so long in number; then the connection is too slow."""
    transport.block()
    for number in range(MAX_QUEUED_FRAMES + 1):
        assert connection.close_code is None, number
        connection.send_json({"type": "pong"})
        await asyncio.sleep(0)
    assert connection.close_code == CloseCode.TOO_SLOW
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
    assert [message["data"] for message in transport.sent] == list(range(MAX_QUEUED_EPHEMERAL))
    assert drained == [connection]
    assert not connection.missed_ephemeral


async def test_signs_of_life_missed_are_not_told_to_a_socket_that_is_full_again(
    connection: Connection, transport: FakeTransport
) -> None:
    """They are told whole only when everything else has been taken."""
    drained: list[Connection] = []
    connection.on_drained = drained.append
    transport.block()
    for number in range(MAX_QUEUED_EPHEMERAL + 1):
        connection.send_ephemeral(encode("typing", number))
    transport.on_send = lambda _: transport.block()
    transport.unblock()
    assert drained == []
    transport.on_send = lambda _: None
    transport.unblock()
    assert drained == [connection]


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


@pytest.mark.usefixtures("one_a_batch")
async def test_close_in_the_middle_of_a_backlog(connection: Connection, transport: FakeTransport, log: FakeLog) -> None:
    """A connection closed while it reads stops at that batch."""

    def close(_: dict[str, Any]) -> None:
        connection.close(CloseCode.LOGGED_OUT, "")

    transport.on_send = close
    connection.open_cursor(make_room(log, events=10), 0, None)
    await settle()
    assert transport.seqs == [1]
    assert transport.closed == (CloseCode.LOGGED_OUT, "")


@pytest.mark.parametrize("end", [lambda connection: connection.close(CloseCode.NORMAL, ""), Connection.stop])
async def test_end_while_the_log_is_read_leaves_no_task(
    connection: Connection, transport: FakeTransport, log: FakeLog, end: Any
) -> None:
    """However it ends, the reading is given up, and nothing it brings is written."""
    before = asyncio.all_tasks()
    log.gate.clear()
    connection.open_cursor(make_room(log, events=3), 0, None)
    await settle()
    end(connection)
    await settle()
    assert not [task for task in asyncio.all_tasks() - before if task.get_name().startswith("reader-")]
    log.gate.set()
    await settle()
    assert asyncio.all_tasks() == before
    assert transport.sent == []


async def test_nothing_is_written_to_a_peer_that_has_gone(connection: Connection, transport: FakeTransport) -> None:
    """What was queued for it is forgotten."""
    connection.send_json({"type": "pong"})
    connection.stop()
    await settle()
    assert connection.close_code == CloseCode.NORMAL
    assert transport.sent == []


@pytest.mark.parametrize("failure", [RuntimeError("disk"), ConnectionRefusedError("no database")])
async def test_unreadable_log_closes_with_an_error_code(
    connection: Connection, transport: FakeTransport, log: FakeLog, failure: Exception
) -> None:
    """A database error in a replay closes the connection as the server's fault: the client comes back and resumes.

    A database that refuses connections must not be taken for a peer that has gone.
    """
    log.failure = failure
    connection.open_cursor(make_room(log, events=3), 0, None)
    with structlog.testing.capture_logs() as logs:
        await settle()
    assert transport.sent == []
    assert transport.closed == (CloseCode.INTERNAL, FAILED)
    assert [entry["event"] for entry in logs] == ["log_not_read"]


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
