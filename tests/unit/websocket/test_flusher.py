"""When rooms write: everybody once a pass, a slice at a time, and nobody at another's cost."""

import asyncio
from itertools import pairwise

import pytest
import structlog

from app.domain.demand import Demand
from app.websocket import flusher as flusher_module
from app.websocket import room as room_module
from app.websocket.connection import Connection
from app.websocket.flusher import SOCKETS_PER_LOOK, Flusher
from app.websocket.protocol import CloseCode
from app.websocket.room import Room
from tests.support.realtime import DEADLINE_S, FakeLog, FakeTransport, connect, make_room, settle


class Hall:
    """Rooms of one flusher, with viewers at their heads."""

    def __init__(self) -> None:
        self.log = FakeLog()
        self.demand = Demand()
        self.flusher = Flusher(self.demand)
        self.transports: list[FakeTransport] = []

    def open(self, viewers: int) -> Room:
        """Open a room."""
        room = make_room(self.log)
        room._flusher = self.flusher
        for _ in range(viewers):
            self.enter(room)
        return room

    def enter(self, room: Room) -> Connection:
        """Let one more viewer in."""
        self.transports.append(FakeTransport())
        connection = connect(self.transports[-1])
        connection.open_cursor(room, room.seq, None)
        return connection

    def publish(self, room: Room, count: int = 1) -> None:
        """Append events."""
        for event in self.log.fill(room.project_id, count):
            room.append(event.seq, event.encoded)

    @property
    def reached(self) -> int:
        """How many viewers have been written to."""
        return sum(transport.writes > 0 for transport in self.transports)

    async def reach(self, count: int) -> None:
        """Return when so many have been written to, before anything else happens."""
        while self.reached < count:  # noqa: ASYNC110 - turn by turn
            await asyncio.sleep(0)


@pytest.fixture
def hall() -> Hall:
    return Hall()


@pytest.fixture
def no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every look at the clock find that the slice is over."""
    monkeypatch.setattr(flusher_module, "SLICE_S", 0.0)
    monkeypatch.setattr(flusher_module, "LONG_SLICE_S", 0.0)


async def test_pass_reaches_every_viewer_of_every_room(hall: Hall) -> None:
    """Each is written to once, whatever the number of events and of rooms."""
    rooms = [hall.open(viewers) for viewers in (0, 1, SOCKETS_PER_LOOK, 100)]
    for room in rooms:
        hall.publish(room, 3)
    await settle()
    assert {transport.writes for transport in hall.transports} == {1}
    assert {len(transport.seqs) for transport in hall.transports} == {3}


@pytest.mark.usefixtures("no_time")
async def test_others_get_their_turn_between_slices(hall: Hall) -> None:
    """A large room does not hold the event loop: a few sockets each turn."""
    hall.publish(hall.open(SOCKETS_PER_LOOK * 3))
    reached: list[int] = []
    while not reached or reached[-1] < len(hall.transports):
        await asyncio.sleep(0)
        reached.append(hall.reached)
    steps = {after - before for before, after in pairwise(reached)}
    assert steps <= {0, SOCKETS_PER_LOOK}
    assert SOCKETS_PER_LOOK * 2 in reached


@pytest.mark.parametrize(("waiting", "looks"), [(0, 4), (1, 1)])
async def test_slice_is_short_while_somebody_waits_for_an_answer(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, waiting: int, looks: int
) -> None:
    """Otherwise it is long: nobody else wants the loop. In the end everybody has been written to."""
    monkeypatch.setattr(flusher_module, "SLICE_S", 0.0)
    monkeypatch.setattr(flusher_module, "LONG_SLICE_S", 3600.0)
    hall.demand.waiting = waiting
    hall.publish(hall.open(SOCKETS_PER_LOOK * 4))
    async with asyncio.timeout(DEADLINE_S):
        await hall.reach(1)
        assert hall.reached == SOCKETS_PER_LOOK * looks
        await hall.reach(SOCKETS_PER_LOOK * 4)


@pytest.mark.usefixtures("no_time")
async def test_what_is_appended_during_a_pass_travels_with_it(hall: Hall) -> None:
    """Those not reached yet get it in the same write; those who were, in the next pass; nobody twice."""
    room = hall.open(SOCKETS_PER_LOOK * 4)
    hall.publish(room)
    await hall.reach(SOCKETS_PER_LOOK)
    hall.publish(room)
    await settle()
    assert {tuple(transport.seqs) for transport in hall.transports} == {(1, 2)}
    writes = [transport.writes for transport in hall.transports]
    assert sorted(writes) == [1] * SOCKETS_PER_LOOK * 3 + [2] * SOCKETS_PER_LOOK


@pytest.mark.usefixtures("no_time")
async def test_who_leaves_during_a_pass_gets_nothing(hall: Hall) -> None:
    """Not one frame after the cursor is closed, although the pass had them on its list."""
    room = hall.open(SOCKETS_PER_LOOK)
    leaving = [hall.enter(room) for _ in range(SOCKETS_PER_LOOK * 2)]
    hall.publish(room)
    await hall.reach(1)
    for connection in leaving:
        connection.close_cursor(room.project_id)
    already = [transport.writes for transport in hall.transports]
    await settle()
    told = [transport for transport, before in zip(hall.transports, already, strict=True) if transport.writes > before]
    assert not {connection.transport for connection in leaving} & set(told)


async def test_slow_viewer_does_without_until_it_takes_again(hall: Hall) -> None:
    """The others at the same place are written to; it reads on by itself later."""
    room = hall.open(4)
    for transport in hall.transports[::2]:
        transport.block()
    hall.publish(room, 3)
    await settle()
    assert sorted(len(transport.seqs) for transport in hall.transports) == [0, 0, 3, 3]
    for transport in hall.transports[::2]:
        transport.unblock()
    await settle()
    assert {tuple(transport.seqs) for transport in hall.transports} == {(1, 2, 3)}


async def test_long_news_come_to_everybody_a_batch_at_a_time(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each viewer reads on by itself where the first batch ends, also who was handed another's."""
    monkeypatch.setattr(room_module, "BATCH_BYTES", 1)
    hall.publish(hall.open(4), 3)
    await settle()
    assert {tuple(transport.seqs) for transport in hall.transports} == {(1, 2, 3)}
    assert {transport.writes for transport in hall.transports} == {3}


@pytest.mark.parametrize("place", [0, 1], ids=["for whom the news are joined", "who is given them like others"])
async def test_broken_viewer_does_not_stop_the_others(hall: Hall, monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    """It is closed as the server's fault and logged; everybody else is written to."""
    room = hall.open(3)
    broken = hall.transports[place]

    def fail(_: bytes) -> None:
        message = "bug"
        raise RuntimeError(message)

    monkeypatch.setattr(broken, "write", fail)
    with structlog.testing.capture_logs() as logs:
        hall.publish(room)
        await settle()
    assert [entry["event"] for entry in logs] == ["write_failed"]
    assert [transport.seqs for transport in hall.transports if transport is not broken] == [[1], [1]]
    assert broken.seqs == []
    assert broken.closed is not None
    assert broken.closed[0] == CloseCode.INTERNAL


async def test_it_rests_when_all_is_written_and_begins_again(hall: Hall) -> None:
    """Nothing is scheduled while there is nothing to write."""
    room = hall.open(2)
    for number in range(1, 4):
        hall.publish(room)
        await settle()
        assert {len(transport.seqs) for transport in hall.transports} == {number}
        assert not hall.flusher._is_scheduled
