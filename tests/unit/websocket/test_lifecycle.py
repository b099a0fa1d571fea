"""However a connection ends, everything held for it is let go."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import orjson
import pytest
import structlog

from app.errors import Unauthorized
from app.websocket import lifecycle
from app.websocket.connection import Connection, SocketUser
from app.websocket.directory import Admission
from app.websocket.lifecycle import run_connection
from app.websocket.protocol import FAILED, CloseCode, CloseError
from tests.support.realtime import Bench, FakePeer, make_user, settle

ANNA = make_user("Anna")
NETWORK = "192.0.2.1"
Reading = Callable[[], Awaitable[object]]


class Life:
    """One connection run to its end."""

    def __init__(self, bench: Bench, user: SocketUser | None = ANNA) -> None:
        self.bench = bench
        self.peer = FakePeer()
        self.before = asyncio.all_tasks()
        self.task: asyncio.Task[None] | None = None
        self._user = user

    @property
    def connection(self) -> Connection:
        """The connection while it is taken in."""
        (connection,) = self.bench.hub.manager.connections.values()
        return connection

    async def begin(self, read: Reading | None = None) -> None:
        """Start it; by default the peer says nothing."""

        async def do_read(_: Connection) -> None:
            await (read or asyncio.Event().wait)()

        running = run_connection(self.bench.hub, self.peer, self._user, do_read, network=NETWORK)
        self.task = asyncio.create_task(running)
        await settle()

    async def end(self) -> tuple[int, str] | None:
        """Wait for the end; nothing may be left of it."""
        assert self.task is not None
        async with asyncio.timeout(5):
            await self.task
        assert self.bench.hub.manager.connections == {}
        assert self.bench.hub.manager.rooms == {}
        assert self.bench.hub.manager.count_from(NETWORK) == 0
        assert self.bench.hub.handler._conduct == {}
        assert orjson.loads(self.bench.hub.presence.online(UUID(int=0))) == []
        self.check_tasks()
        return self.peer.closed

    def check_tasks(self) -> None:
        """No task of the connection runs on."""
        assert asyncio.all_tasks() - self.before - {asyncio.current_task()} == set()


@pytest.fixture
async def life() -> AsyncIterator[Life]:
    async with Bench() as bench:
        bench.directory.roles[UUID(int=0), ANNA.id] = "editor"  # type: ignore[assignment]
        yield Life(bench)


async def test_peer_that_goes_ends_it(life: Life) -> None:
    """The reader returns: a normal end."""
    gone = asyncio.Event()
    await life.begin(gone.wait)
    assert life.peer.types == ["welcome"]
    assert life.bench.hub.manager.count_from(NETWORK) == 1
    gone.set()
    assert await life.end() == (CloseCode.NORMAL, "")


async def test_end_decided_elsewhere(life: Life) -> None:
    """A logout closes with its code, though the peer says nothing."""
    await life.begin()
    life.connection.close(CloseCode.LOGGED_OUT, "this session has ended")
    assert await life.end() == (CloseCode.LOGGED_OUT, "this session has ended")


async def test_refusal_while_reading(life: Life) -> None:
    """A message after which it cannot go on closes with that code."""

    async def read() -> None:
        raise CloseError(CloseCode.FLOODING, "too many messages")

    await life.begin(read)
    assert await life.end() == (CloseCode.FLOODING, "too many messages")


async def test_bug_while_reading(life: Life) -> None:
    """Anything unforeseen closes as the server's fault, and is logged, not hidden."""

    async def read() -> None:
        message = "secret"
        raise RuntimeError(message)

    with structlog.testing.capture_logs() as logs:
        await life.begin(read)
        assert await life.end() == (CloseCode.INTERNAL, FAILED)
    assert [entry["event"] for entry in logs] == ["connection_failed"]


async def test_session_ended_while_connecting(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused by the handler: closed, and never counted as a device."""

    async def refuse(_: object) -> Admission:
        message = "this session has ended"
        raise Unauthorized(message)

    monkeypatch.setattr(life.bench.directory, "admit", refuse)
    await life.begin()
    assert await life.end() == (CloseCode.UNAUTHORIZED, "this session has ended")


async def test_server_that_drains_takes_nobody(life: Life) -> None:
    """Whoever slipped in between the refusal of upgrades and the drain is sent away with "restart"."""
    life.bench.hub.is_draining = True
    await life.begin()
    assert await life.end() == (CloseCode.RESTART, "the server restarts")
    assert life.peer.sent == []


async def test_peer_that_takes_nothing_is_not_waited_for(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stuck writer is given a moment, then cut off."""
    monkeypatch.setattr(lifecycle, "CLOSE_S", 0.01)
    life.peer.block()
    await life.begin()
    life.connection.close(CloseCode.TOO_SLOW, "")
    assert await life.end() is None


async def test_peer_that_vanished_ends_it(life: Life) -> None:
    """The writer notices first."""
    await life.begin()
    life.peer.vanish()
    life.connection.send_json({"type": "pong"})
    assert await life.end() is None


async def test_message_being_served_is_dropped_at_the_end(life: Life) -> None:
    """Nothing a client asked for is finished after its connection was let go: no device arrives that never departs."""
    nobody = Life(life.bench, user=None)
    life.bench.directory.tokens["anna"] = ANNA

    async def read() -> None:
        life.bench.directory.gate.clear()
        await life.bench.hub.handler.receive(nobody.connection, '{"type":"authenticate","token":"anna"}')

    await nobody.begin(read)
    nobody.connection.close(CloseCode.TOO_SLOW, "")
    await nobody.end()
    life.bench.directory.gate.set()
    await settle()
    assert orjson.loads(life.bench.hub.presence.online(UUID(int=0))) == []


async def test_cancelled_from_outside_lets_go_too(life: Life) -> None:
    """A server that stops hard leaves nothing behind either."""
    await life.begin()
    assert life.task is not None
    life.task.cancel()
    await asyncio.gather(life.task, return_exceptions=True)
    assert life.bench.hub.manager.connections == {}
    life.check_tasks()
