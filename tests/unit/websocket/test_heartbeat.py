"""The one clock of all connections."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import structlog

from app.services.history import LogHead
from app.websocket.connection import Connection, SocketUser
from app.websocket.heartbeat import MAX_SLOT_S, SLOTS, Heartbeat
from app.websocket.manager import ConnectionManager
from app.websocket.presence import ANNOUNCE_S, Presence
from app.websocket.protocol import CloseCode
from tests.support.realtime import EPOCH, FakeClock, FakeTransport, connect, eventually, make_user, settle

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
BEAT_S, SLOW_S = 25.0, 30.0
SLOT_S = BEAT_S / SLOTS


class Clinic:
    """A heartbeat whose time a test moves."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.announced = 0
        self.manager = ConnectionManager(clock=self.clock)
        presence = Presence("0", lambda *_: None, self._count, grace_s=0, clock=self.clock)
        self.heartbeat = Heartbeat(
            self.manager, presence, heartbeat_s=BEAT_S, slow_s=SLOW_S, clock=self.clock, now=self._now
        )
        self._began = self.clock.now

    def _now(self) -> datetime:
        return NOW + timedelta(seconds=self.clock.now - self._began)

    def _count(self, _: object) -> None:
        self.announced += 1

    async def connect(self, part: int = 0, user: SocketUser | None = None) -> Connection:
        """Take in a connection that is pinged in a certain part of the interval."""
        connection = connect(FakeTransport(), user, clock=self.clock)
        connection.id = UUID(int=part)
        self.manager.connect(connection)
        await self.tick(0)
        return connection

    async def tick(self, seconds: float) -> None:
        """Let time pass, then tick."""
        self.clock.now += seconds
        self.heartbeat.tick()
        await settle()

    async def pass_time(self, seconds: float) -> None:
        """Let time pass as it does, ticking all the while."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            await self.tick(min(SLOT_S, until - self.clock.now))


def transport_of(connection: Connection) -> FakeTransport:
    assert isinstance(connection.transport, FakeTransport)
    return connection.transport


def pings(connection: Connection) -> int:
    return len(transport_of(connection).of_type("ping"))


def ends(*connections: Connection) -> list[int | None]:
    return [connection.close_code for connection in connections]


async def test_every_connection_is_pinged_once_an_interval_each_in_its_part() -> None:
    """Over one interval each connection gets one ping, and never two of different parts at the same tick."""
    clinic = Clinic()
    connections = [await clinic.connect(part) for part in range(SLOTS)]
    pinged_at: list[int] = []
    for _ in range(SLOTS):
        before = sum(map(pings, connections))
        await clinic.tick(SLOT_S)
        pinged_at.append(sum(map(pings, connections)) - before)
    assert [pings(connection) for connection in connections] == [1] * SLOTS
    assert pinged_at == [1] * SLOTS


async def test_late_tick_leaves_nobody_out() -> None:
    """A tick that comes late pings everybody whose turn has passed, once."""
    clinic = Clinic()
    connections = [await clinic.connect(part) for part in range(SLOTS)]
    await clinic.tick(BEAT_S * 1.5)
    assert {pings(connection) for connection in connections} == {1}


async def test_clock_that_slept_turns_only_to_slots_with_somebody_in_them() -> None:
    """After a suspended machine wakes, the wheel does not turn to every slot in between; nobody is left behind."""
    clinic = Clinic()
    early, late = await clinic.connect(1), await clinic.connect(2)
    await clinic.tick(SLOT_S * 2.5)
    assert (pings(early), pings(late)) == (1, 0)
    for connection in (early, late):
        connection.heard_at += 1e6
    await clinic.tick(1e6)
    assert (pings(early), pings(late)) == (2, 1)


async def test_tick_costs_nothing_for_those_whose_turn_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand connections are not looked at for one that is to be pinged."""
    clinic = Clinic()
    connections = [await clinic.connect(part) for part in range(SLOTS)]
    looked_after: list[Connection] = []
    look_after = clinic.heartbeat._look_after

    def look(connection: Connection, now: float, wall: datetime) -> None:
        looked_after.append(connection)
        look_after(connection, now, wall)

    monkeypatch.setattr(clinic.heartbeat, "_look_after", look)
    await clinic.tick(SLOT_S)
    assert looked_after == connections[:1]


async def test_nothing_is_kept_of_those_who_went() -> None:
    """Gone, or with its end decided: no ping, and at the next turn no trace."""
    clinic = Clinic()
    gone, closing = await clinic.connect(1), await clinic.connect(2)
    clinic.manager.disconnect(gone)
    closing.close(CloseCode.NORMAL, "")
    await clinic.pass_time(BEAT_S)
    assert (pings(gone), pings(closing)) == (0, 0)
    assert clinic.heartbeat._slots == {}
    assert clinic.manager.arrivals == []


async def test_ping_names_the_heads_of_the_rooms_read() -> None:
    """So that a client which missed something notices."""
    clinic = Clinic()
    connection = await clinic.connect()
    room = clinic.manager.open_room(uuid4(), LogHead(EPOCH, 423, 0))
    clinic.manager.join_project(connection, room, since=None, role=None)
    await clinic.tick(SLOT_S)
    (ping,) = transport_of(connection).of_type("ping")
    assert ping["data"] == {"heads": {str(room.project_id): 423}}


async def test_silent_connection_is_closed_after_two_beats() -> None:
    """Who answers lives; who has not been heard of for two beats, and the time of their turn, is dead."""
    clinic = Clinic()
    silent, alive = await clinic.connect(1), await clinic.connect(2)
    await clinic.pass_time(2 * BEAT_S)
    assert ends(silent, alive) == [None, None]
    alive.heard()
    await clinic.pass_time(BEAT_S + MAX_SLOT_S)
    assert ends(silent, alive) == [CloseCode.NO_HEARTBEAT, None]


async def test_stuck_connection_is_closed_as_too_slow() -> None:
    """Nothing taken for the limit ends it within one slot, even if the peer talks."""
    clinic = Clinic()
    connection = await clinic.connect()
    transport_of(connection).block()
    await clinic.pass_time(SLOW_S)
    assert ends(connection) == [None]
    connection.heard()
    await clinic.tick(SLOT_S)
    assert ends(connection) == [CloseCode.TOO_SLOW]


async def test_slow_connection_that_takes_a_little_lives() -> None:
    """Progress counts, not whether the peer ever has everything."""
    clinic = Clinic()
    connection = await clinic.connect()
    transport = transport_of(connection)
    transport.backlog_bytes = 200_000
    transport.block()
    for _ in range(4):
        transport.backlog_bytes -= 1
        await clinic.pass_time(SLOW_S * 0.9)
        connection.heard()
    assert ends(connection) == [None]
    await clinic.pass_time(SLOW_S + SLOT_S)
    assert ends(connection) == [CloseCode.TOO_SLOW]


async def test_expired_token_closes_with_its_own_code() -> None:
    """Within one slot of its expiry, not before; an anonymous connection has nothing that expires."""
    clinic = Clinic()
    known = await clinic.connect(20, make_user(token_expires_at=NOW + timedelta(seconds=5)))
    anonymous = await clinic.connect(21)
    await clinic.pass_time(4.999)
    assert ends(known, anonymous) == [None, None]
    await clinic.pass_time(SLOT_S + 0.001)
    assert ends(known, anonymous) == [CloseCode.TOKEN_EXPIRED, None]


async def test_renewed_token_expires_when_the_new_one_does() -> None:
    """The turn of the old token comes to nothing."""
    clinic = Clinic()
    connection = await clinic.connect(20, make_user(token_expires_at=NOW + timedelta(seconds=5)))
    connection.user = make_user(token_expires_at=NOW + timedelta(seconds=10))
    await clinic.pass_time(9.999)
    assert ends(connection) == [None]
    await clinic.pass_time(SLOT_S + 0.001)
    assert ends(connection) == [CloseCode.TOKEN_EXPIRED]


async def test_connection_that_signs_in_is_looked_after_when_its_token_ends() -> None:
    """Its turn as a nobody was later; it is pinged once an interval all the same."""
    clinic = Clinic()
    connection = await clinic.connect(SLOTS - 1)
    connection.user = make_user(token_expires_at=NOW + timedelta(seconds=30))
    clinic.manager.identify(connection)
    await clinic.pass_time(29.9)
    assert pings(connection) == 1
    assert ends(connection) == [None]
    await clinic.pass_time(SLOT_S + 0.1)
    assert ends(connection) == [CloseCode.TOKEN_EXPIRED]


async def test_connection_has_one_place_in_the_wheel() -> None:
    """However often it signs in, its old entries come to nothing as the wheel turns."""
    clinic = Clinic()
    connection = await clinic.connect(SLOTS - 1)
    for seconds in (100, 10, 5):
        connection.user = make_user(token_expires_at=NOW + timedelta(seconds=seconds))
        clinic.manager.identify(connection)
        await clinic.tick(0)
    connection.user = make_user(token_expires_at=NOW + timedelta(hours=1))
    await clinic.pass_time(BEAT_S + SLOT_S)
    assert sum(map(len, clinic.heartbeat._slots.values())) == 1


async def test_presence_is_announced_every_so_often() -> None:
    """Other servers hear of ours at their interval, not at every tick."""
    clinic = Clinic()
    for _ in range(int(ANNOUNCE_S) * 2):
        await clinic.tick(1)
    assert clinic.announced == 2


async def test_one_bad_tick_does_not_stop_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong in a tick is logged, and the next one comes."""
    heartbeat = Heartbeat(
        ConnectionManager(), Presence("0", lambda *_: None, lambda _: None, grace_s=0), heartbeat_s=0.01, slow_s=1
    )
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(1)
        message = "bug"
        raise RuntimeError(message)

    monkeypatch.setattr(heartbeat, "tick", tick)
    await heartbeat.stop()
    with structlog.testing.capture_logs() as logs:
        heartbeat.start()
        await eventually(lambda: len(ticks) > 2)
        await heartbeat.stop()
    assert logs[0]["event"] == "heartbeat_failed"
