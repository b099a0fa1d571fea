"""Whatever happens on the way, everybody who says they are up to date sees the board as it is, and nobody else sees it.

The real engine on a real SQLite database; only the network is missing. A broker loses, repeats and reorders what it is
given; peers stop reading, vanish and come back; members are removed and added; logs are trimmed; the server dies.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.broker.base import EventListener, Signal, SignalListener
from app.db.engine import create_engine
from app.db.unit_of_work import Database
from app.domain.events import Event, Notice
from app.permissions import Role
from app.schemas.projects import MemberAdd, ProjectCreate
from app.schemas.tasks import TaskCreate, TaskMove
from app.schemas.users import Register
from app.security import AccessTokens
from app.services import history, invitations, members, projects, retention, sessions, task_shelves, tasks, users
from app.services.access import Actor
from app.services.admission import Entry
from app.services.board import snapshot
from app.services.mailing import Mailing
from app.websocket.connection import Connection, SocketUser
from app.websocket.directory import Directory
from app.websocket.hub import Hub
from tests.support.realtime import FakeTransport
from tests.support.reducer import Json, reduce, reduce_all
from tests.support.server import make_settings

NAMES = ("anna", "boris", "clara")
"""Anna owns the project and stays; the other two come and go."""
Result = TypeVar("Result")
MAILING = Mailing.make(is_on=False, base_url="http://x", secret="x", invitations_per_hour=1)
people = st.sampled_from(NAMES)
chances = st.integers(min_value=0, max_value=1000)
places = st.sampled_from(["after the permission", "before the log"])


class UnreliableBroker:
    """Keeps what is published until the test says what becomes of it. Signals arrive."""

    reaches_others = True

    def __init__(self) -> None:
        self.pending: list[Event] = []
        self.on_event: EventListener | None = None
        self.on_signal: SignalListener | None = None

    async def start(self, on_event: EventListener, on_signal: SignalListener) -> None:
        self.on_event, self.on_signal = on_event, on_signal

    async def publish(self, *events: Event) -> None:
        # nobody here listens to what people are told
        self.pending += [event for event in events if not isinstance(event, Notice)]

    async def signal(self, signal: Signal) -> None:
        if self.on_signal is not None:
            self.on_signal(signal)

    async def ping(self) -> None:
        """It is there."""

    async def close(self) -> None:
        self.on_event = self.on_signal = None

    def deliver(self, event: Event) -> None:
        """Hand one publication over."""
        assert self.on_event is not None
        self.on_event(event)


class AmbushedDirectory(Directory):
    """Lets something happen between two looks at the database: there is no better moment to lose access."""

    def __init__(self, database: Database, tokens: AccessTokens) -> None:
        super().__init__(database, tokens)
        self.ambushes: dict[str, Callable[[], Awaitable[None]]] = {}

    async def _spring(self, place: str) -> None:
        if ambush := self.ambushes.pop(place, None):
            await ambush()

    async def enter(self, user: SocketUser | None, project_id: UUID) -> Entry:
        entry = await super().enter(user, project_id)
        await self._spring("after the permission")
        return entry

    async def read_log(self, project_id: UUID, since: int, limit: int) -> list[Event]:
        await self._spring("before the log")
        return await super().read_log(project_id, since, limit)


class Screen:
    """A person's client: it keeps a copy of the board by the rules of the protocol, and checks all it is sent."""

    def __init__(self, user: SocketUser, email: str) -> None:
        self.user = user
        self.email = email
        self.removed_at: int | None = None
        """The event that removed the person; None while they are a member."""
        self.board: Json | None = None
        self.connection: Connection | None = None
        self.transport = FakeTransport()
        self.faults: list[AssertionError] = []
        self._forget()

    def _forget(self) -> None:
        self.is_in = False
        self.needs_board = False
        self.early: list[Json] = []
        self.last = 0

    @property
    def actor(self) -> Actor:
        return Actor(self.user.id, self.user.session_id, self.user.name, is_admin=False)

    @property
    def position(self) -> Json | None:
        """Where the copy is true; None when there is none."""
        return {"epoch": self.board["epoch"], "seq": self.board["seq"]} if self.board and not self.needs_board else None

    @property
    def has_mail(self) -> bool:
        """Whether something waits for it that it would take."""
        connection = self.connection
        if connection is None or not self.transport.is_writable:
            return False
        cursors = connection.cursors.values()
        is_behind = any((cursor.epoch, cursor.seq) != (cursor.room.epoch, cursor.room.seq) for cursor in cursors)
        return bool(connection._queue) or is_behind

    def dial(self, hub: Hub) -> Connection:
        self._forget()
        self.transport = FakeTransport()
        self.transport.on_send = self.take
        self.connection = self.transport.connection = hub.make_connection(self.transport, self.user)
        return self.connection

    async def hang_up(self, hub: Hub) -> None:
        if self.connection is not None:
            hub.handler.disconnect(self.connection)
            self.connection.stop()
        self.connection = None
        if self.needs_board:
            self.board = None
        self._forget()

    def take(self, message: Json) -> None:
        """Do what a client does with a message, and note whatever it may not be sent."""
        try:
            self._take(message)
        except AssertionError as fault:
            self.faults.append(fault)

    def _take(self, message: Json) -> None:
        data = message["data"]
        if message["type"] == "project_joined":
            self.is_in, self.early = True, []
            self.needs_board = not data["recovered"]
            self.last = data["seq"] - data["replay"]
            if data["recovered"]:
                assert self.board is not None
                assert self.last == self.board["seq"]
        elif message["type"] == "resync":
            assert self.is_in
            self.needs_board, self.early, self.last = True, [], data["seq"]
        elif message["type"] == "project_left":
            self.board = None
            self._forget()
        elif "seq" in message:
            self._take_event(message)

    def _take_event(self, event: Json) -> None:
        assert self.is_in, "an event of a room that was left"
        assert event["seq"] == self.last + 1, "an event out of order"
        assert self.removed_at is None or event["seq"] < self.removed_at, "an event after the removal"
        self.last = event["seq"]
        if self.needs_board:
            self.early.append(event)
        else:
            assert self.board is not None
            self.board = reduce(self.board, event)
            assert self.board["seq"] >= event["seq"]

    def take_board(self, board: Json) -> None:
        """Start from a snapshot, with what came since the join."""
        self.board = reduce_all(board, self.early)
        self.needs_board, self.early = False, []
        assert self.board["seq"] >= self.last


class World:
    """A server that can die, its database, and the screens in front of it."""

    screen_type: type[Screen] = Screen

    def __init__(self, template: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="delivery-"))
        shutil.copy(template, self.folder / "timetodo.sqlite3")
        self.settings = make_settings(
            self.folder,
            replay_max_events=6,
            room_tail_events=3,
            relay_check_s=3600,
            presence_grace_s=0,
            ws_messages_per_s=1e6,
            ws_burst=10**6,
        )
        self.engine = create_engine(self.settings.resolved_database_url)
        self.tokens = AccessTokens("k" * 40, lifetime_s=3600)
        self.screens: dict[str, Screen] = {}
        self.task_ids: list[UUID] = []

    async def begin(self) -> None:
        await self.start_server()
        for name in NAMES:
            body = Register(email=f"{name}@example.org", name=name, password="correct horse")
            async with self.database.write() as uow:
                user = await users.insert_user(uow, body, "-", is_admin=False)
            signed_in = await sessions.open_session(self.database, self.settings, user, sessions.Device("", ""))
            known = SocketUser(user.id, name, signed_in.session_id, self.tokens.expiry_from_now())
            self.screens[name] = self.screen_type(known, body.email)
        self.owner = self.screens["anna"]
        async with self.database.write() as uow:
            self.project_id = (await projects.create(uow, self.owner.actor, ProjectCreate(name="Website"))).id
        for name in NAMES[1:]:
            await self.add(self.screens[name])

    async def start_server(self) -> None:
        self.broker = UnreliableBroker()
        self.database = Database(self.engine, self.broker, server_id="one")
        self.directory = AmbushedDirectory(self.database, self.tokens)
        self.hub = Hub(self.settings, self.directory, self.broker, server_id="one")
        await self.hub.start()

    async def stop_server(self) -> None:
        for screen in self.screens.values():
            await screen.hang_up(self.hub)
        await self.hub.stop()

    async def end(self) -> None:
        await self.stop_server()
        await self.engine.dispose()
        shutil.rmtree(self.folder)

    async def add(self, screen: Screen) -> None:
        async with self.database.write() as uow:
            body = MemberAdd(email=screen.email, role=Role.EDITOR)
            owner = self.owner.actor
            await invitations.add_or_invite(uow, owner, self.project_id, body, mailing=MAILING, lifetime_s=60)
        screen.removed_at = None

    async def remove(self, screen: Screen) -> None:
        async with self.database.write() as uow:
            await members.remove(uow, self.owner.actor, self.project_id, screen.user.id)
            screen.removed_at = max(event.seq for event in uow.events if event.project_id == self.project_id)

    async def board(self, screen: Screen) -> Json:
        async with self.database.read() as uow:
            board: Json = (await snapshot(uow, screen.actor, self.project_id)).model_dump(mode="json")
            return board

    async def say(self, screen: Screen, text: dict[str, Any]) -> None:
        assert screen.connection is not None
        await self.hub.handler.receive(screen.connection, orjson.dumps(text))

    async def idle(self) -> None:
        """Return when nothing goes on any more."""
        quiet = 0
        while quiet < 5:
            is_busy = (
                bool(self.hub._relay._repairs)
                or any(room._reads for room in self.hub.manager.rooms.values())
                or any(screen.has_mail for screen in self.screens.values())
            )
            quiet = 0 if is_busy else quiet + 1
            await asyncio.sleep(0.0005 if is_busy else 0)

    async def catch_up(self) -> None:
        """Let every client that must read the board do so."""
        await self.idle()
        for screen in self.screens.values():
            if screen.is_in and screen.needs_board and screen.removed_at is None:
                screen.take_board(await self.board(screen))

    async def converge(self) -> None:
        """End all trouble, then see that everybody has the truth."""
        for screen in self.screens.values():
            screen.transport.unblock()
        self.broker.pending.clear()
        self.directory.ambushes.clear()
        await self.idle()
        await self.hub._relay.check_rooms()
        await self.catch_up()
        self.check_faults()
        for screen in self.screens.values():
            assert not (screen.is_in and screen.removed_at is not None), "a removed member is still in the room"
            if screen.connection is not None:
                assert screen.connection.close_code is None
            if screen.is_in:
                assert screen.board == await self.board(screen)

    def check_faults(self) -> None:
        """Fail with the first thing somebody was sent against the rules."""
        for screen in self.screens.values():
            for fault in screen.faults:
                raise fault

    async def check_log(self) -> None:
        async with self.database.read() as uow:
            (head,) = (await history.read_heads(uow, [self.project_id])).values()
            events = await history.read_events(uow, self.project_id, 0, 10_000)
        assert [event.seq for event in events] == list(range(head.floor + 1, head.seq + 1))


class Delivery(RuleBasedStateMachine):
    """Does things to a world in any order."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = self.run(self._make())

    async def _make(self) -> World:
        world = World(self.template)
        await world.begin()
        return world

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    def teardown(self) -> None:
        try:
            self.run(self.world.converge())
            self.run(self.world.check_log())
        finally:
            self.run(self.world.end())
            self.runner.close()

    def screen(self, name: str) -> Screen:
        return self.world.screens[name]

    @initialize()
    def everybody_looks(self) -> None:
        for name in NAMES:
            self.connect(name)

    async def _write(self, name: str, kind: str, chance: int) -> None:
        world, screen = self.world, self.screen(name)
        actor = screen.actor if screen.removed_at is None else world.owner.actor
        async with world.database.write() as uow:
            if kind == "create" or not world.task_ids:
                body = TaskCreate(project_id=world.project_id, title=f"task {chance}")
                world.task_ids.append((await tasks.create(uow, actor, body)).id)
                return
            task_id = world.task_ids[chance % len(world.task_ids)]
            if kind == "move":
                status = ("todo", "in_progress", "done")[chance % 3]
                await tasks.move(uow, actor, task_id, TaskMove(status=status))
            else:
                world.task_ids.remove(task_id)
                await task_shelves.delete_task(uow, actor, task_id)

    @rule(name=people, kind=st.sampled_from(["create", "create", "move", "move", "delete"]), chance=chances)
    def write(self, name: str, kind: str, chance: int) -> None:
        self.run(self._write(name, kind, chance))

    @rule(chance=chances)
    def write_a_lot(self, chance: int) -> None:
        for _ in range(8):
            self.run(self._write("anna", "create", chance))

    @precondition(lambda self: self.world.broker.pending)
    @rule(chance=chances, fate=st.sampled_from(["deliver", "deliver", "lose", "repeat", "last first"]))
    def publish(self, chance: int, fate: str) -> None:
        pending = self.world.broker.pending
        event = pending[chance % len(pending)] if fate != "last first" else pending[-1]
        if fate != "repeat":
            pending.remove(event)
        if fate != "lose":
            self.run(self._deliver([event]))

    @rule()
    def publish_all(self) -> None:
        pending, self.world.broker.pending = self.world.broker.pending, []
        self.run(self._deliver(pending))

    async def _deliver(self, events: list[Event]) -> None:
        for event in events:
            self.world.broker.deliver(event)
        await self.world.idle()

    @rule(name=people)
    def connect(self, name: str) -> None:
        self.run(self._connect(self.screen(name)))

    async def _connect(self, screen: Screen) -> None:
        world = self.world
        if screen.connection is None:
            await world.hub.handler.connect(screen.dial(world.hub))
        since = {"since": screen.position} if screen.position else {}
        if not screen.is_in:
            await world.say(screen, {"type": "join_project", "project_id": str(world.project_id), "id": 1} | since)
        await world.catch_up()

    @rule(name=people)
    def disconnect(self, name: str) -> None:
        self.run(self.screen(name).hang_up(self.world.hub))

    @rule(name=people)
    def leave(self, name: str) -> None:
        screen = self.screen(name)
        if screen.is_in:
            self.run(self.world.say(screen, {"type": "leave_project", "project_id": str(self.world.project_id)}))
            self.run(self.world.idle())

    @rule(name=people)
    def stop_reading(self, name: str) -> None:
        self.screen(name).transport.block()

    @rule(name=people)
    def read_on(self, name: str) -> None:
        self.screen(name).transport.unblock()
        self.run(self.world.catch_up())

    @rule(name=st.sampled_from(NAMES[1:]), hint=st.booleans())
    def remove_or_add_member(self, name: str, hint: bool) -> None:
        screen = self.screen(name)
        change = self.world.remove if screen.removed_at is None else self.world.add
        self.run(change(screen))
        if hint:
            self.run(self._deliver([self.world.broker.pending.pop()]))

    @rule(name=st.sampled_from(NAMES[1:]), place=places, is_told=st.booleans())
    def come_back_into_an_ambush(self, name: str, place: str, is_told: bool) -> None:
        """Missed something, comes back, and is removed between two looks at the database; then a secret is written."""
        self.run(self._come_back(self.screen(name), place, is_told))

    async def _come_back(self, screen: Screen, place: str, is_told: bool) -> None:
        world = self.world

        async def strike() -> None:
            await (world.remove if screen.removed_at is None else world.add)(screen)
            await self._write("anna", "create", 0)
            if is_told:
                for event in world.broker.pending[-2:]:
                    world.broker.deliver(event)

        await screen.hang_up(world.hub)
        for _ in range(5):
            await self._write("anna", "create", 0)
        pending, world.broker.pending = world.broker.pending, []
        await self._deliver(pending)
        world.directory.ambushes[place] = strike
        await self._connect(screen)

    @rule(name=st.sampled_from(NAMES[1:]))
    def trim_a_removal_nobody_heard_of(self, name: str) -> None:
        """The event that takes the access away is gone before this server has it."""
        self.run(self._trim_removal(self.screen(name)))

    async def _trim_removal(self, screen: Screen) -> None:
        if screen.removed_at is None:
            await self.world.remove(screen)
        await self._write("anna", "create", 0)
        await self._write("anna", "create", 0)
        self.world.broker.pending.clear()
        await self._trim(1)
        await self.world.hub._relay.check_rooms()
        await self.world.idle()
        assert not screen.is_in or not screen.transport.is_writable

    @rule(keep=st.integers(min_value=1, max_value=4))
    def trim_the_log(self, keep: int) -> None:
        self.run(self._trim(keep))

    async def _trim(self, keep: int) -> None:
        changed = self.world.settings.model_copy(update={"log_keep_events": keep})
        await retention.sweep(self.world.database, changed)

    @rule()
    def compare_with_the_log(self) -> None:
        async def check() -> None:
            await self.world.hub._relay.check_rooms()
            await self.world.idle()

        self.run(check())

    @rule()
    def restart(self) -> None:
        async def restart() -> None:
            await self.world.stop_server()
            await self.world.start_server()

        self.run(restart())

    @rule()
    def look_at_everything(self) -> None:
        self.run(self.world.converge())

    @invariant()
    def nobody_was_sent_what_they_may_not_see(self) -> None:
        self.world.check_faults()


@pytest.mark.timeout(300)
def test_delivery(migrated_sqlite: Path) -> None:
    """The log has no gap; whoever says they are up to date is; a removed member gets nothing after the removal."""
    Delivery.template = migrated_sqlite
    machine = Delivery.TestCase
    machine.settings = settings(
        max_examples=15,
        stateful_step_count=30,
        deadline=None,
        derandomize=True,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # a failure is told at once; add Phase.shrink to look for a shorter one
    )
    machine().runTest()
