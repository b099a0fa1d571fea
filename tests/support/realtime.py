"""The realtime side without a network: sockets made of lists, a log made of a list, a clock that stands still."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID, uuid4

import orjson

from app.broker.memory import MemoryBroker
from app.config import Settings
from app.domain.events import Event, EventType
from app.errors import NotFound, TokenExpired, Unauthorized
from app.permissions import Role, Visibility
from app.services.admission import Entry
from app.services.history import LogHead
from app.websocket.connection import Connection, SocketUser
from app.websocket.directory import Admission, Directory
from app.websocket.framing import payloads
from app.websocket.hub import Hub
from app.websocket.room import Batch, Room

DEADLINE_S = 5.0
TURNS = 50
"""Turns of the event loop that everything woken in memory needs, and more."""
EPOCH = "epoch1"
Message = dict[str, Any]
Found = TypeVar("Found")


async def settle() -> None:
    """Let everything that can go on go on."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def eventually(holds: Callable[[], bool]) -> None:
    """Return when a condition holds; fail when it does not within the deadline."""
    async with asyncio.timeout(DEADLINE_S):
        while not holds():  # noqa: ASYNC110 - a condition of the product's, which signals nothing to tests
            await asyncio.sleep(0.002)


async def eventually_found(
    look: Callable[[], Awaitable[Found]], holds: Callable[[Found], object] = bool, *, deadline_s: float = DEADLINE_S
) -> Found:
    """Return what looking finds, once that is as wanted; fail when it is not within the deadline."""
    async with asyncio.timeout(deadline_s):
        while not holds(found := await look()):  # noqa: ASYNC110 - nor do a database or another process
            await asyncio.sleep(0.02)
    return found


class FakeClock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class FakeTransport:
    """A peer that notes what it takes, and can stop taking."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.writes = 0
        self.closed: tuple[int, str] | None = None
        self.connection: Connection | None = None
        """Whom to tell that it takes again."""
        self.on_send: Callable[[Message], None] = lambda _: None
        self.is_writable = True
        self.backlog_bytes = 0

    @property
    def types(self) -> list[str]:
        """Types of the messages taken, in order."""
        return [message["type"] for message in self.sent]

    @property
    def seqs(self) -> list[int]:
        """Numbers of the durable events taken, in order."""
        return [message["seq"] for message in self.sent if "seq" in message]

    def of_type(self, type_: str) -> list[Message]:
        """Return the messages of one type."""
        return [message for message in self.sent if message["type"] == type_]

    def block(self) -> None:
        """Take nothing from now on."""
        self.is_writable = False
        if self.connection is not None:
            self.connection.pause()

    def unblock(self) -> None:
        """Take everything again."""
        self.is_writable = True
        if self.connection is not None:
            self.connection.resume()

    def write(self, frames: bytes) -> None:
        self.writes += 1
        for text in payloads(frames):
            message = orjson.loads(text)
            self.sent.append(message)
            self.on_send(message)

    def close(self, code: int, reason: str) -> None:
        if self.closed is None:
            self.closed = (code, reason)


class FakePeer:
    """The other side of the portable path: it takes one message at a time, and can stop taking, or vanish."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.closed: tuple[int, str] | None = None
        self.is_gone = False
        self._takes = asyncio.Event()
        self._takes.set()

    @property
    def types(self) -> list[str]:
        """Types of the messages taken, in order."""
        return [message["type"] for message in self.sent]

    def block(self) -> None:
        """Take nothing from now on."""
        self._takes.clear()

    def unblock(self) -> None:
        """Take everything again."""
        self._takes.set()

    def vanish(self) -> None:
        """Be gone."""
        self.is_gone = True
        self._takes.set()

    async def send(self, text: bytes) -> None:
        await self._takes.wait()
        if self.is_gone:
            raise ConnectionResetError
        self.sent.append(orjson.loads(text))

    async def close(self, code: int, reason: str) -> None:
        if self.is_gone:
            raise ConnectionResetError
        self.closed = (code, reason)


def connect(transport: FakeTransport, user: SocketUser | None = None, **options: Any) -> Connection:
    """Return a connection over a transport that knows it."""
    connection = transport.connection = Connection(transport, user, **options)
    return connection


def make_user(name: str = "Anna", **fields: Any) -> SocketUser:
    """Return somebody signed in for an hour."""
    known: dict[str, Any] = {
        "id": uuid4(),
        "session_id": uuid4(),
        "token_expires_at": datetime.now(UTC) + timedelta(hours=1),
    }
    return SocketUser(name=name, **(known | fields))


def make_event(
    project_id: UUID, seq: int, type_: EventType = EventType.TASK_CREATED, data: Message | None = None
) -> Event:
    """Return one fact of a project's log."""
    moment = datetime(2026, 11, 22, 10, tzinfo=UTC)
    return Event(project_id, seq, type_, moment, None, None, orjson.dumps(data or {"title": f"task {seq}"}))


def numbers(batch: Batch | None) -> list[int]:
    """Return the seqs of a batch."""
    return [orjson.loads(text)["seq"] for text in payloads(batch.frames)] if batch else []


class FakeLog:
    """The logs of projects, and a count of the readings."""

    def __init__(self) -> None:
        self.events: defaultdict[UUID, list[Event]] = defaultdict(list)
        self.epochs: defaultdict[UUID, str] = defaultdict(lambda: EPOCH)
        self.floors: defaultdict[UUID, int] = defaultdict(int)
        self.readings: list[tuple[int, int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None

    def head(self, project_id: UUID) -> LogHead:
        """Return where a log stands."""
        floor, events = self.floors[project_id], self.events[project_id]
        return LogHead(self.epochs[project_id], events[-1].seq if events else floor, floor)

    def append(self, project_id: UUID, type_: EventType = EventType.TASK_CREATED, data: Message | None = None) -> Event:
        """Write the next event."""
        event = make_event(project_id, self.head(project_id).seq + 1, type_, data)
        self.events[project_id].append(event)
        return event

    def fill(self, project_id: UUID, count: int, **data: Any) -> list[Event]:
        """Write some events."""
        return [self.append(project_id, data=data or None) for _ in range(count)]

    def trim(self, project_id: UUID, floor: int) -> None:
        """Forget events up to a number."""
        self.floors[project_id] = floor
        self.events[project_id] = [event for event in self.events[project_id] if event.seq > floor]

    async def read(self, project_id: UUID, since: int, limit: int) -> list[Event]:
        self.readings.append((since, limit))
        await self.gate.wait()
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        return [event for event in self.events[project_id] if event.seq > since][:limit]

    async def read_heads(self, project_ids: list[UUID]) -> dict[UUID, LogHead]:
        await self.gate.wait()
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        return {id_: self.head(id_) for id_ in project_ids if id_ in self.events or id_ in self.floors}


class FakeDirectory(Directory):
    """Who is who, and who may what, without a database."""

    def __init__(self, log: FakeLog | None = None) -> None:
        self.log = log or FakeLog()
        self.roles: dict[tuple[UUID, UUID], Role] = {}
        self.visibility: defaultdict[UUID, Visibility] = defaultdict(lambda: Visibility.PRIVATE)
        self.tokens: dict[str, SocketUser | Unauthorized] = {"old": TokenExpired("expired")}
        self.dead_sessions: set[UUID] = set()
        self.ended_sessions: set[UUID] = set()
        self.unread: defaultdict[UUID, int] = defaultdict(int)
        self.entering: Callable[[], None] = lambda: None
        """Called after a permission was read and before it is answered."""
        self.gate = asyncio.Event()
        self.gate.set()

    def project(self, *members: SocketUser, role: Role = Role.EDITOR, events: int = 0) -> UUID:
        """Make a project with some members and a log."""
        project_id = uuid4()
        self.log.events[project_id] = []
        self.log.fill(project_id, events)
        for member in members:
            self.roles[project_id, member.id] = role
        return project_id

    def verify(self, token: str) -> SocketUser:
        found = self.tokens.get(token, Unauthorized("not valid"))
        if isinstance(found, Unauthorized):
            raise found
        return found

    async def enter(self, user: SocketUser | None, project_id: UUID) -> Entry:
        role = self.roles.get((project_id, user.id)) if user else None
        if role is None and self.visibility[project_id] is not Visibility.PUBLIC:
            message = "no such project"
            raise NotFound(message)
        entry = Entry(role, self.log.head(project_id))
        self.entering()
        await self.gate.wait()
        return entry

    async def find_own(self, user_id: UUID) -> tuple[LogHead, int]:
        found = self.log.head(user_id), self.unread[user_id]
        self.entering()
        await self.gate.wait()
        return found

    async def admit(self, user: SocketUser) -> Admission:
        await self.gate.wait()
        if user.session_id in self.dead_sessions:
            message = "this session has ended"
            raise Unauthorized(message)
        return Admission(user, [project_id for project_id, user_id in self.roles if user_id == user.id])

    async def read_log(self, project_id: UUID, since: int, limit: int) -> list[Event]:
        return await self.log.read(project_id, since, limit)

    async def read_heads(self, project_ids: list[UUID]) -> dict[UUID, LogHead]:
        return await self.log.read_heads(project_ids)

    async def find_dead_sessions(self, session_ids: list[UUID], since: datetime) -> set[UUID]:
        return self.ended_sessions | self.dead_sessions & set(session_ids)


def make_room(log: FakeLog, *, events: int = 0, max_tail_events: int = 1000, project_id: UUID | None = None) -> Room:
    """Return a room whose log holds some events already; its tail holds none."""
    project_id = project_id or uuid4()
    log.fill(project_id, events)
    return Room(project_id, log.head(project_id), log.read, max_tail_events=max_tail_events)


class Peer:
    """One connection of a bench and what its other side has taken."""

    def __init__(self, hub: Hub, user: SocketUser | None) -> None:
        self.hub = hub
        self.transport = FakeTransport()
        self.connection = self.transport.connection = hub.make_connection(self.transport, user)

    @property
    def sent(self) -> list[Message]:
        """Everything it was sent."""
        return self.transport.sent

    @property
    def seqs(self) -> list[int]:
        """Numbers of the durable events it was sent."""
        return self.transport.seqs

    async def say(self, type_: str, **fields: Any) -> list[Message]:
        """Say something; return what comes because of it."""
        return await self.say_raw(orjson.dumps({"type": type_} | fields))

    async def say_raw(self, text: str | bytes) -> list[Message]:
        """Say something that may be wrong; return what comes because of it."""
        before = len(self.sent)
        await self.hub.handler.receive(self.connection, text)
        await settle()
        return self.sent[before:]

    async def join(self, project_id: UUID, since: Message | None = None) -> Message:
        """Join a project; return the answer's data."""
        fields = {"project_id": project_id} | ({"since": since} if since else {})
        answer = (await self.say("join_project", id=1, **fields))[0]
        assert answer["type"] == "project_joined", answer
        data: Message = answer["data"]
        return data

    async def leave(self) -> None:
        """Go."""
        self.connection.close(1000, "")
        self.hub.handler.disconnect(self.connection)
        self.connection.stop()


class Bench:
    """The whole realtime side of a server, over a directory without a database. Sweeps run when a test says so."""

    def __init__(self, **settings: Any) -> None:
        known: dict[str, Any] = {"data_dir": Path("/nowhere"), "relay_check_s": 3600, "presence_grace_s": 0}
        self.broker = MemoryBroker()
        self.directory = FakeDirectory()
        self.log = self.directory.log
        self.hub = Hub(Settings(**(known | settings)), self.directory, self.broker, server_id="one")
        self.peers: list[Peer] = []

    async def __aenter__(self) -> Self:
        await self.hub.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for peer in self.peers:
            await peer.leave()
        await self.hub.stop()
        await self.broker.close()

    async def connect(self, user: SocketUser | None = None) -> Peer:
        """Let somebody in."""
        peer = Peer(self.hub, user)
        self.peers.append(peer)
        await self.hub.handler.connect(peer.connection)
        await settle()
        return peer

    async def publish(
        self, project_id: UUID, type_: EventType = EventType.TASK_CREATED, data: Message | None = None
    ) -> Event:
        """Commit an event and tell of it."""
        event = self.log.append(project_id, type_, data)
        await self.broker.publish(event)
        await settle()
        return event

    async def remove_member(self, project_id: UUID, user: SocketUser) -> Event:
        """Take somebody out of a project."""
        del self.directory.roles[project_id, user.id]
        return await self.publish(project_id, EventType.PROJECT_MEMBER_REMOVED, {"user_id": str(user.id)})

    async def set_member(self, project_id: UUID, user: SocketUser, role: Role) -> Event:
        """Make somebody a member, or change their role."""
        is_new = (project_id, user.id) not in self.directory.roles
        self.directory.roles[project_id, user.id] = role
        type_ = EventType.PROJECT_MEMBER_ADDED if is_new else EventType.PROJECT_MEMBER_UPDATED
        return await self.publish(project_id, type_, {"user_id": str(user.id), "role": role.value})


class Clock:
    """What time it is for a worker; it stands still until a test turns it."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now
