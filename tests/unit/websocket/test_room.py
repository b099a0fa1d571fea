"""A room: what its tail holds, and where a cursor's frames come from."""

import asyncio

import pytest

from app.services.history import LogHead
from app.websocket import room as room_module
from app.websocket.framing import frame
from app.websocket.protocol import encode
from app.websocket.room import Room
from tests.support.realtime import FakeLog, FakeTransport, connect, make_event, make_room, numbers, settle


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


def publish(log: FakeLog, room: Room, count: int = 1, **data: str) -> None:
    """Append events to the log and to the room."""
    for event in log.fill(room.project_id, count, **data):
        room.append(event.seq, event.encoded)


async def test_what_was_appended_is_read_from_memory(log: FakeLog) -> None:
    """Frames in the tail cost no reading of the log."""
    room = make_room(log)
    publish(log, room, 3)
    assert numbers(await room.read(1)) == [2, 3]
    assert log.readings == []


async def test_nothing_is_read_at_the_head_or_beyond(log: FakeLog) -> None:
    """A cursor at the head gets nothing, and costs nothing."""
    room = make_room(log, events=3)
    assert await room.read(3) is None
    assert await room.read(9) is None
    assert log.readings == []


async def test_events_must_come_in_order(log: FakeLog) -> None:
    """A room refuses an event that is not the next, and stays where it was."""
    room = make_room(log)
    for seq in (0, 2):
        with pytest.raises(ValueError, match="expected event 1, got"):
            room.append(seq, make_event(room.project_id, seq).encoded)
    assert room.seq == 0


async def test_older_than_the_tail_is_read_from_the_log(log: FakeLog) -> None:
    """A cursor from before the room was opened gets its events from the log, without a gap to the live ones."""
    room = make_room(log, events=5)
    publish(log, room, 2)
    assert numbers(await room.read(2)) == [3, 4, 5, 6, 7]


async def test_tail_keeps_so_many_events(log: FakeLog) -> None:
    """Beyond its limit the tail forgets the oldest; they are found in the log."""
    room = make_room(log, max_tail_events=3)
    publish(log, room, 5)
    assert numbers(await room.read(2)) == [3, 4, 5]
    assert log.readings == []
    assert numbers(await room.read(1)) == [2, 3, 4, 5]
    assert len(log.readings) == 1


async def test_tail_keeps_so_many_bytes(log: FakeLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large events push old ones out by weight; the newest stays whatever it weighs."""
    monkeypatch.setattr(room_module, "TAIL_BYTES", 1000)
    room = make_room(log)
    publish(log, room, 3, title="x" * 600)
    await room.read(2)
    assert log.readings == []
    await room.read(1)
    assert len(log.readings) == 1


async def test_one_reading_hands_over_a_bounded_weight(log: FakeLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the tail and from the log a cursor gets at most a batch at once, and at least one frame."""
    monkeypatch.setattr(room_module, "BATCH_BYTES", 1000)
    live, cold = make_room(log), make_room(log)
    publish(log, live, 5, title="x" * 400)
    log.fill(cold.project_id, 5, title="x" * 400)
    cold.seq = 5
    assert numbers(await live.read(0)) == numbers(await cold.read(0)) == [1, 2]
    monkeypatch.setattr(room_module, "BATCH_BYTES", 1)
    assert numbers(await live.read(2)) == [3]


async def test_cursors_at_one_place_cause_one_reading(log: FakeLog) -> None:
    """A thousand who come back to the same place are served by one query."""
    room = make_room(log, events=10)
    found = await asyncio.gather(*(room.read(4) for _ in range(1000)))
    assert [numbers(frames) for frames in found] == [[5, 6, 7, 8, 9, 10]] * 1000
    assert len(log.readings) == 1


async def test_cursors_at_many_places_are_served_by_what_was_read(log: FakeLog) -> None:
    """Readings queue up for the log, and what one brought into the tail spares the others theirs."""
    room = make_room(log, events=10)
    found = await asyncio.gather(*(room.read(since) for since in range(3, 9)))
    assert [numbers(frames)[0] for frames in found] == [4, 5, 6, 7, 8, 9]
    assert log.readings == [(3, 7)]


async def test_reading_fills_the_tail_up_to_its_limit(log: FakeLog) -> None:
    """The newest of what was read is kept, no more of it than a tail may hold."""
    room = make_room(log, events=10, max_tail_events=4)
    await room.read(0)
    assert numbers(await room.read(6)) == [7, 8, 9, 10]
    assert len(log.readings) == 1
    await room.read(5)
    assert len(log.readings) == 2


async def test_long_backlog_is_read_in_parts(log: FakeLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cursor far behind gets one batch after the other, in order; a part that does not reach the tail is not kept."""
    monkeypatch.setattr(room_module, "READ_BATCH", 3)
    room = make_room(log, events=10, max_tail_events=3)
    since = 0
    read: list[int] = []
    while frames := await room.read(since):
        read += numbers(frames)
        since = read[-1]
    assert read == list(range(1, 11))


async def test_event_published_while_reading_is_not_lost(log: FakeLog) -> None:
    """What comes while the log is being read follows what was read."""
    room = make_room(log, events=3)
    log.gate.clear()
    reading = asyncio.create_task(room.read(0))
    await settle()
    publish(log, room)
    log.gate.set()
    first = numbers(await reading)
    rest = numbers(await room.read(first[-1]))
    assert first + rest == [1, 2, 3, 4]


async def test_reading_never_runs_ahead_of_the_room(log: FakeLog) -> None:
    """What is in the log but was not handed to the room yet is not read: it may take somebody's access away."""
    room = make_room(log, events=3)
    log.fill(room.project_id, 4)
    assert numbers(await room.read(0)) == [1, 2, 3]
    assert await room.read(3) is None


async def test_abandoned_reading_disturbs_nobody(log: FakeLog) -> None:
    """One of two who wait for a reading goes away: the other still gets it; a failure nobody waits for is silent."""
    room = make_room(log, events=3)
    log.gate.clear()
    leaving, staying = asyncio.create_task(room.read(0)), asyncio.create_task(room.read(0))
    await settle()
    leaving.cancel()
    log.gate.set()
    assert numbers(await staying) == [1, 2, 3]
    assert len(log.readings) == 1


async def test_failed_reading_is_tried_again(log: FakeLog) -> None:
    """A database that is away for a moment is asked again by the next reader."""
    room = make_room(log, events=3)
    log.failure = OSError("away")
    with pytest.raises(OSError, match="away"):
        await room.read(0)
    log.failure = None
    assert numbers(await room.read(0)) == [1, 2, 3]


async def test_reading_cut_off_by_the_end_of_the_server_is_forgotten(log: FakeLog) -> None:
    """A cancelled reading leaves nothing behind."""
    room = make_room(log, events=3)
    log.gate.clear()
    waiting = asyncio.create_task(room.read(0))
    await settle()
    for task in asyncio.all_tasks():
        if task.get_name().startswith("log-"):
            task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert room._reads == {}


@pytest.mark.parametrize("floor", [2, 5])
async def test_events_trimmed_meanwhile_are_never_given_in_part(log: FakeLog, floor: int) -> None:
    """When the log has lost what a cursor wants next, it gets nothing at all, and the room knows its new floor."""
    room = make_room(log, events=5)
    log.trim(room.project_id, floor)
    assert await room.read(1) is None
    assert room.floor == floor
    assert numbers(await room.read(floor)) == list(range(floor + 1, 6))


async def test_restart_forgets_the_tail(log: FakeLog) -> None:
    """After a restart nothing of the old log is given to anybody."""
    room = make_room(log)
    publish(log, room, 3)
    room.restart(LogHead("epoch2", 1, 0))
    assert room.head == LogHead("epoch2", 1, 0)
    assert room.access_seq == 1
    log.events[room.project_id] = [make_event(room.project_id, 1, data={"title": "new"})]
    batch = await room.read(0)
    assert batch is not None
    assert (b"new" in batch.frames, batch.event_count) == (True, 1)


async def test_reading_of_a_log_replaced_meanwhile_is_thrown_away(log: FakeLog) -> None:
    """A restart in the middle of a reading: the old log's events go to nobody, the new one's readers start afresh."""
    room = make_room(log, events=3)
    log.gate.clear()
    old = asyncio.create_task(room.read(0))
    await settle()
    room.restart(LogHead("epoch2", 3, 0))
    new = asyncio.create_task(room.read(0))
    log.gate.set()
    assert await old is None
    assert numbers(await new) == [1, 2, 3]


async def test_what_several_miss_is_joined_once(log: FakeLog) -> None:
    """Viewers at the same place are handed the same bytes, until something is appended."""
    room = make_room(log)
    publish(log, room, 3)
    batch = room.find_batch(1)
    assert batch is not None
    assert room.find_batch(1) is batch
    assert batch.frames == b"".join(frame(event.encoded) for event in log.events[room.project_id][1:])
    publish(log, room)
    assert numbers(room.find_batch(1)) == [2, 3, 4]


async def test_joined_batches_are_a_handful(log: FakeLog) -> None:
    """Viewers at many places do not fill the memory with copies of the tail."""
    room = make_room(log)
    publish(log, room, 100)
    for since in range(100):
        assert numbers(room.find_batch(since)) == list(range(since + 1, 101))
    assert len(room.batches) == room_module.MAX_BATCHES


async def test_viewers_are_written_to_and_shown_signs_of_life(log: FakeLog) -> None:
    """Every event reaches every viewer; a sign of life all but its author."""
    room = make_room(log)
    transports = FakeTransport(), FakeTransport()
    one, two = (connect(transport) for transport in transports)
    for viewer in (one, two):
        viewer.open_cursor(room, 0, None)
    publish(log, room)
    await settle()
    room.send_ephemeral(encode("typing"), exclude=one)
    await settle()
    assert [transport.types for transport in transports] == [["task_created"], ["task_created", "typing"]]
