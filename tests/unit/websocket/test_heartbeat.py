"""The one clock of all connections."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import structlog

from app.services.history import LogHead
from app.websocket.connection import Connection, SocketUser
from app.websocket.heartbeat import MAX_TICK_S, SLOTS, Heartbeat
from app.websocket.manager import ConnectionManager
from app.websocket.presence import ANNOUNCE_S, Presence
from app.websocket.protocol import CloseCode
from tests.support.realtime import EPOCH, FakeClock, FakeTransport, eventually, make_user

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
BEAT_S = 25.0


class Clinic:
    """A heartbeat whose time a test moves."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.wall = NOW
        self.announced = 0
        self.manager = ConnectionManager(clock=self.clock)
        presence = Presence("0", lambda *_: None, self._count, grace_s=0, clock=self.clock)
        self.heartbeat = Heartbeat(
            self.manager, presence, heartbeat_s=BEAT_S, slow_s=30, clock=self.clock, now=lambda: self.wall
        )

    def _count(self, _: object) -> None:
        self.announced += 1

    def connect(self, slot: int = 0, user: SocketUser | None = None) -> Connection:
        """Take in a connection whose turn is in a certain slot."""
        connection = Connection(FakeTransport(), user, clock=self.clock)
        connection.id = UUID(int=slot)
        self.manager.connect(connection)
        return connection

    def tick(self, seconds: float) -> None:
        """Let time pass, then tick."""
        self.clock.now += seconds
        self.heartbeat.tick()


def pings(connection: Connection) -> int:
    return sum(b'"ping"' in frame for frame in connection._queue)


def ends(*connections: Connection) -> list[int | None]:
    return [connection.close_code for connection in connections]


def test_every_connection_is_pinged_once_an_interval_each_in_its_part() -> None:
    """Over one interval each connection gets one ping, and never two of different slots at the same tick."""
    clinic = Clinic()
    connections = [clinic.connect(slot) for slot in range(SLOTS)]
    pinged_at: list[int] = []
    for _ in range(SLOTS):
        before = sum(map(pings, connections))
        clinic.tick(BEAT_S / SLOTS)
        pinged_at.append(sum(map(pings, connections)) - before)
    assert [pings(connection) for connection in connections] == [1] * SLOTS
    assert pinged_at == [1] * SLOTS


def test_late_tick_leaves_nobody_out() -> None:
    """A tick that comes late pings everybody whose turn has passed, once."""
    clinic = Clinic()
    connections = [clinic.connect(slot) for slot in range(SLOTS)]
    clinic.tick(BEAT_S * 1.5)
    assert {pings(connection) for connection in connections} == {1}


def test_ping_names_the_heads_of_the_rooms_read() -> None:
    """So that a client which missed something notices."""
    clinic = Clinic()
    connection = clinic.connect()
    room = clinic.manager.open_room(uuid4(), LogHead(EPOCH, 423, 0))
    clinic.manager.join_project(connection, room, since=None, role=None)
    clinic.tick(BEAT_S)
    assert f'{{"heads":{{"{room.project_id}":423}}}}'.encode() in connection._queue[0]


def test_silent_connection_is_closed_after_two_beats() -> None:
    """Who answers lives; who has not been heard of for two beats is dead."""
    clinic = Clinic()
    silent, alive = clinic.connect(1), clinic.connect(2)
    clinic.tick(2 * BEAT_S + MAX_TICK_S)
    assert ends(silent, alive) == [None, None]
    alive.heard()
    clinic.tick(0.01)
    assert ends(silent, alive) == [CloseCode.NO_HEARTBEAT, None]


def test_stuck_connection_is_closed_as_too_slow() -> None:
    """A write that has made no progress for the limit ends it, even if the peer talks."""
    clinic = Clinic()
    connection = clinic.connect()
    connection.stuck_since = clinic.clock.now
    clinic.tick(30)
    assert ends(connection) == [None]
    clinic.clock.now += 0.01
    connection.heard()
    clinic.tick(0)
    assert ends(connection) == [CloseCode.TOO_SLOW]


def test_expired_token_closes_with_its_own_code() -> None:
    """At expiry, not before; an anonymous connection has nothing that expires."""
    clinic = Clinic()
    known = clinic.connect(1, make_user(token_expires_at=NOW + timedelta(seconds=5)))
    anonymous = clinic.connect(2)
    clinic.wall += timedelta(seconds=4.999)
    clinic.tick(1)
    assert ends(known, anonymous) == [None, None]
    clinic.wall += timedelta(seconds=0.001)
    clinic.tick(1)
    assert ends(known, anonymous) == [CloseCode.TOKEN_EXPIRED, None]


def test_presence_is_announced_every_so_often() -> None:
    """Other servers hear of ours at their interval, not at every tick."""
    clinic = Clinic()
    for _ in range(int(ANNOUNCE_S) * 2):
        clinic.tick(1)
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
