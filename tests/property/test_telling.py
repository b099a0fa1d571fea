"""Whatever happens on the way, everybody is told of each thing that concerns them once, and nobody of anything else.

What people do is counted here by rules of one line each; what they were told is what their clients made of their own
streams. The server dies, a broker loses, repeats and reorders, readers vanish, block and come back, streams are cut.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import delete, update

from app.models import LoggedNotice, User
from app.schemas.notifications import NotificationQuery
from app.schemas.tasks import CommentWrite, TaskCreate, TaskMove
from app.services import comments, notices, notifications, projects, tasks
from tests.property.test_delivery import NAMES, Result, Screen, World
from tests.support.reducer import Json

COLUMNS = ("todo", "in_progress", "done")
people = st.sampled_from(NAMES)
some_people = st.sets(people)
chances = st.integers(min_value=0, max_value=1000)


class Reader(Screen):
    """A person's client: an inbox kept up to date by the rules of the protocol."""

    def _forget(self) -> None:
        super()._forget()
        self.unread = -1

    def __init__(self, *arguments: Any) -> None:
        self.rows: dict[str, Json] = {}
        self.read_to: Json | None = None
        """Where the stream was read to; None: the inbox must be read anew."""
        super().__init__(*arguments)

    @property
    def shown(self) -> dict[str, tuple[str, int, bool]]:
        """What the inbox shows: kind, count, whether it is read."""
        return {id_: (row["kind"], row["count"], row["read_at"] is not None) for id_, row in self.rows.items()}

    def _take(self, message: Json) -> None:
        data = message["data"]
        if message["type"] == "user_joined":
            self.is_in, self.unread = True, data["unread"]
            self._stand(data if not data["recovered"] else None)
            if self.read_to is not None:
                assert self.read_to["seq"] == data["seq"] - data["replay"]
            self.last = data["seq"] - data["replay"]
        elif message["type"] == "resync":
            self._stand(data)
        elif message["type"] == "notification":
            self._take_notice(message)

    def _stand(self, head: Json | None) -> None:
        """Begin anew from `head`: the inbox must be read, and what comes is kept until then."""
        if head is not None:
            self.read_to, self.needs_board, self.early, self.last = None, True, [], head["seq"]
            self.epoch = head["epoch"]

    def _take_notice(self, notice: Json) -> None:
        assert self.is_in, "a notice of a stream that was not joined"
        assert notice["user_id"] == str(self.user.id), "a notice for somebody else"
        assert notice["seq"] == self.last + 1, "a notice out of order"
        self.last, self.unread = notice["seq"], notice["data"]["unread"]
        if self.needs_board:
            self.early.append(notice)
        else:
            self._apply(notice)

    def _apply(self, notice: Json) -> None:
        data = notice["data"]
        if data["action"] == "read_all":
            self.rows = {id_: row | {"read_at": notice["timestamp"]} for id_, row in self.rows.items()}
        elif data["action"] == "forgotten":
            self.rows = {id_: row for id_, row in self.rows.items() if row["project_id"] != data["project_id"]}
        elif data["notification"] is not None:
            self.rows[data["notification"]["id"]] = data["notification"]
        self.read_to = {"epoch": self.epoch, "seq": notice["seq"]}

    def take_inbox(self, rows: list[Json], unread: int) -> None:
        """Start from the inbox as it was read, with what came since the join."""
        self.unread = unread if not self.early else self.early[-1]["data"]["unread"]
        self.rows = {row["id"]: row for row in rows}
        self.read_to, self.needs_board = {"epoch": self.epoch, "seq": self.last - len(self.early)}, False
        early, self.early = self.early, []
        for notice in early:
            self._apply(notice)


class Office(World):
    """A world in which people are told of things, and what each of them should have been told."""

    screen_type = Reader

    async def begin(self) -> None:
        self.expected: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.concerned: dict[UUID, set[str]] = {}
        """By task, who wrote it, is assigned to it, or commented it."""
        self.status: dict[UUID, str] = {}
        self.assigned: dict[UUID, set[str]] = {}
        self.members = set(NAMES)
        await super().begin()
        for name in NAMES[1:]:
            self.expected[name]["project_added"] = 1

    def reader(self, name: str) -> Reader:
        found = self.screens[name]
        assert isinstance(found, Reader)
        return found

    def expect(self, actor: str, names: set[str], kind: str) -> set[str]:
        """Note that some people should be told; return who."""
        told = (names & self.members) - {actor}
        for name in told:
            self.expected[name][kind] += 1
        return told

    async def inbox(self, name: str) -> tuple[list[Json], int]:
        """Return somebody's whole inbox, and how much of it is unread, from the database."""
        async with self.database.read() as uow:
            page = await notifications.list_notifications(uow, self.reader(name).actor, NotificationQuery(limit=200))
        assert page.next_cursor is None
        return [row.model_dump(mode="json") for row in page.items], page.unread

    async def catch_up(self) -> None:
        await self.idle()
        for name in NAMES:
            reader = self.reader(name)
            if reader.is_in and reader.needs_board:
                reader.take_inbox(*(await self.inbox(name)))

    async def converge(self) -> None:
        """End all trouble, then see that everybody was told of what they should, once."""
        for screen in self.screens.values():
            screen.transport.unblock()
        self.broker.pending.clear()
        await self.idle()
        await self.hub._relay.check_rooms()
        await self.catch_up()
        self.check_faults()
        for name in NAMES:
            reader, (rows, unread) = self.reader(name), await self.inbox(name)
            assert sum(row["count"] for row in rows) == sum(self.expected[name].values()), name
            if reader.is_in:
                assert reader.shown == {
                    row["id"]: (row["kind"], row["count"], row["read_at"] is not None) for row in rows
                }
                assert reader.unread == unread


class Telling(RuleBasedStateMachine):
    """Lets people do things in any order, while anything goes wrong."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.office = Office(self.template)
        self.run(self.office.begin())

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    def teardown(self) -> None:
        try:
            self.run(self.office.converge())
        finally:
            self.run(self.office.end())
            self.runner.close()

    @initialize()
    def everybody_looks(self) -> None:
        for name in NAMES:
            self.connect(name)

    @rule(name=people, assignees=some_people)
    def create(self, name: str, assignees: set[str]) -> None:
        office = self.office
        if name in office.members:
            ids = [office.reader(one).user.id for one in assignees & office.members]
            body = TaskCreate(project_id=office.project_id, title="task", assignee_ids=ids)
            task_id = self._do(name, lambda uow, actor: tasks.create(uow, actor, body)).id
            office.task_ids.append(task_id)
            office.status[task_id] = COLUMNS[0]
            office.assigned[task_id] = assignees & office.members
            office.concerned[task_id] = {name}
            office.expect(name, assignees, "assigned")

    @precondition(lambda self: self.office.task_ids)
    @rule(name=people, chance=chances, named=some_people)
    def comment(self, name: str, chance: int, named: set[str]) -> None:
        office, task_id = self.office, self._task(chance)
        if name in office.members:
            text = " ".join(["see", *(f"@{one}" for one in sorted(named))])
            self._do(name, lambda uow, actor: comments.create(uow, actor, task_id, CommentWrite(body=text)))
            told = office.expect(name, named, "mentioned")
            audience = office.concerned[task_id] | office.assigned[task_id]
            office.expect(name, audience - told, "commented")
            office.concerned[task_id].add(name)

    @precondition(lambda self: self.office.task_ids)
    @rule(name=people, chance=chances, status=st.sampled_from(COLUMNS))
    def move(self, name: str, chance: int, status: str) -> None:
        office, task_id = self.office, self._task(chance)
        if name in office.members:
            self._do(name, lambda uow, actor: tasks.move(uow, actor, task_id, TaskMove(status=status)))
            if office.status[task_id] != status:
                office.status[task_id] = status
                office.expect(name, office.concerned[task_id] | office.assigned[task_id], "status_changed")

    @rule(name=st.sampled_from(NAMES[1:]))
    def remove_or_add_member(self, name: str) -> None:
        office = self.office
        if name in office.members:
            self.run(office.remove(office.screens[name]))
            office.members.discard(name)
            for assigned in office.assigned.values():
                assigned.discard(name)
            office.expected[name] = Counter(["project_removed"])
        else:
            self.run(office.add(office.screens[name]))
            office.members.add(name)
            office.expect("anna", {name}, "project_added")

    @rule(name=people)
    def read_all(self, name: str) -> None:
        self._do(name, lambda uow, actor: notifications.read_all(uow, actor, None))

    @precondition(lambda self: self.office.broker.pending)
    @rule(chance=chances, fate=st.sampled_from(["deliver", "deliver", "lose", "repeat", "all"]))
    def publish(self, chance: int, fate: str) -> None:
        pending = self.office.broker.pending
        chosen = list(pending) if fate == "all" else [pending[chance % len(pending)]]
        for event in chosen:
            if fate != "repeat":
                pending.remove(event)
            if fate != "lose":
                self.run(self._deliver(event))

    async def _deliver(self, event: Any) -> None:
        self.office.broker.deliver(event)
        await self.office.idle()

    @rule(name=people)
    def connect(self, name: str) -> None:
        self.run(self._connect(self.office.reader(name)))

    async def _connect(self, reader: Reader) -> None:
        office = self.office
        if reader.connection is None:
            await office.hub.handler.connect(reader.dial(office.hub))
        if not reader.is_in:
            since = {"since": reader.read_to} if reader.read_to else {}
            await office.say(reader, {"type": "join_user", "id": 1} | since)
        await office.catch_up()

    @rule(name=people)
    def disconnect(self, name: str) -> None:
        self.run(self.office.screens[name].hang_up(self.office.hub))

    @rule(name=people)
    def stop_reading(self, name: str) -> None:
        self.office.screens[name].transport.block()

    @rule(name=people)
    def read_on(self, name: str) -> None:
        self.office.screens[name].transport.unblock()
        self.run(self.office.catch_up())

    @rule(keep=st.integers(min_value=0, max_value=3))
    def cut_the_streams(self, keep: int) -> None:
        self.run(self._cut(keep))

    async def _cut(self, keep: int) -> None:
        floor = User.notice_seq - keep
        async with self.office.database.write() as uow:
            await uow.execute(update(User).where(User.notice_floor < floor).values(notice_floor=floor))
            for reader in self.office.screens.values():
                mine = (await notices.read_heads(uow, [reader.user.id]))[reader.user.id]
                gone = (LoggedNotice.user_id == reader.user.id, LoggedNotice.seq <= mine.floor)
                await uow.execute(delete(LoggedNotice).where(*gone))

    @rule(restored=st.booleans())
    def restart(self, restored: bool) -> None:
        async def restart() -> None:
            await self.office.stop_server()
            await self.office.start_server()
            if restored:
                async with self.office.database.write() as uow:
                    await projects.renew_epochs(uow)

        self.run(restart())

    @rule()
    def look_at_everything(self) -> None:
        self.run(self.office.converge())

    @invariant()
    def nobody_was_sent_what_is_not_theirs(self) -> None:
        self.office.check_faults()

    def _task(self, chance: int) -> UUID:
        return self.office.task_ids[chance % len(self.office.task_ids)]

    def _do(self, name: str, what: Callable[..., Coroutine[Any, Any, Result]]) -> Result:
        async def act() -> Result:
            async with self.office.database.write() as uow:
                return await what(uow, self.office.reader(name).actor)

        return self.run(act())


@pytest.mark.timeout(300)
def test_telling(migrated_sqlite: Path) -> None:
    """Every inbox has what concerned its reader, once; every client that is up to date shows just that."""
    Telling.template = migrated_sqlite
    machine = Telling.TestCase
    machine.settings = settings(
        max_examples=15,
        stateful_step_count=40,
        deadline=None,
        derandomize=True,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # a failure is told at once; add Phase.shrink to look for a shorter one
    )
    machine().runTest()
