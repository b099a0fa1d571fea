"""Whatever somebody does with their inbox, each thing is mailed once at most, and what is mailed is what should be.

Real services on a real SQLite database. Time does not pass: what was told is moved into the past instead. What should
be in a mail is counted here by rules of one line each.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from sqlalchemy import select, update

from app.broker.memory import MemoryBroker
from app.db.engine import create_engine
from app.db.unit_of_work import Database
from app.domain.clock import format_time, utc_now
from app.models import Notification, OutgoingMail
from app.permissions import Role
from app.schemas.notifications import NotificationSettings, NotificationUpdate, Quiet
from app.schemas.projects import MemberAdd, ProjectCreate
from app.schemas.tasks import CommentWrite, TaskCreate
from app.schemas.users import Register
from app.security import new_id
from app.services import comments, invitations, notifications, projects, task_shelves, tasks, users, wishes
from app.services.access import Actor, Record
from app.workers.digests import DigestWorker
from tests.property.test_delivery import MAILING, Result
from tests.support.reducer import Json
from tests.support.server import make_settings

SERVERS = 3
TASKS = 3
HOUR = timedelta(hours=1)
NIGHT = Quiet.model_validate({"from": "00:00", "to": "23:59:59.999999"})
chances = st.integers(min_value=0, max_value=1000)
hours = st.sampled_from([0, 1, 2, 3])


class Mailbox:
    """Anna's project, Boris's inbox, and some servers that look whether he is to be mailed."""

    def __init__(self, template: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="digests-"))
        shutil.copy(template, self.folder / "timetodo.sqlite3")
        self.settings = make_settings(self.folder)
        self.engine = create_engine(self.settings.resolved_database_url)
        self.database = Database(self.engine, MemoryBroker(), server_id="one", has_mail=True)
        self.wishes = NotificationSettings()
        self.wanted: set[UUID] = set()
        """What was told while mails were wanted, and not given up since."""
        self.waits: timedelta | None = None
        """How long the next mail has to wait still; None: not at all."""

    async def begin(self) -> None:
        people = []
        for name in ("anna", "boris"):
            body = Register(email=f"{name}@example.org", name=name, password="correct horse")
            async with self.database.write() as uow:
                user = await users.insert_user(uow, body, "-", is_admin=False)
            people.append(Actor(user.id, new_id(), name, is_admin=False))
        self.anna, self.boris = people
        async with self.database.write() as uow:
            self.project_id = (await projects.create(uow, self.anna, ProjectCreate(name="Website"))).id
            new = MemberAdd(email="boris@example.org", role=Role.EDITOR)
            await invitations.add_or_invite(uow, self.anna, self.project_id, new, mailing=MAILING, lifetime_s=60)
        fields = {"project_id": self.project_id, "title": "Write", "assignee_ids": [self.boris.user_id]}
        self.tasks = []
        for _ in range(TASKS):
            async with self.database.write() as uow:
                self.tasks.append((await tasks.create(uow, self.anna, TaskCreate.model_validate(fields))).id)
        self.wanted = {row.id for row in await self.rows()}
        self.trashed: set[UUID] = set()

    async def rows(self) -> list[Record]:
        """Return Boris's inbox as it is stored."""
        async with self.database.read() as uow:
            mine = select(Notification).where(Notification.user_id == self.boris.user_id)
            return list((await uow.fetch(mine.order_by(Notification.id))).all())

    def is_due(self, row: Record) -> bool:
        """Whether something is to be in a mail now."""
        after = self.wishes.digest_after_h
        return (
            after is not None
            and self.wishes.quiet is None
            and row.id in self.wanted
            and row.digest_id is None
            and not (row.read_at or row.archived_at or row.snoozed_until)
            and row.task_id not in self.trashed
            and row.updated_at <= utc_now() - after * HOUR
        )

    async def look(self) -> None:
        """Let every server look at once, and see that they mailed just what they should."""
        before = await self.rows()
        due = {row.id for row in before if self.is_due(row)} if self.waits is None else set()
        workers = [DigestWorker(self.database, self.settings) for _ in range(SERVERS)]
        count = sum(await asyncio.gather(*(worker.look() for worker in workers)))
        old = {row.id for row in before if row.digest_id is not None}
        mailed = {row.id: row.digest_id for row in await self.rows() if row.digest_id is not None}
        assert mailed.keys() - old == due
        assert len({mailed[id_] for id_ in due}) == count == bool(due)
        async with self.database.read() as uow:
            kept = set((await uow.fetch(select(OutgoingMail.id))).scalars())
        assert set(mailed.values()) == kept
        if due and self.wishes.digest_after_h is not None:
            self.waits = self.wishes.digest_after_h * HOUR

    async def pass_time(self, time: timedelta) -> None:
        """Move everything into the past."""
        async with self.database.write() as uow:
            for row in await self.rows():
                names = ("updated_at", "mail_at", "snoozed_until")
                moved = {name: value - time for name in names if (value := getattr(row, name)) is not None}
                await uow.execute(update(Notification).where(Notification.id == row.id).values(moved))
            await notifications.wake_snoozed(uow, self.boris.user_id)
        if self.waits is not None:
            self.waits = self.waits - time if self.waits > time else None

    async def choose(self, **changes: Any) -> None:
        """Change how Boris is told."""
        before, self.wishes = self.wishes, self.wishes.model_copy(update=changes)
        async with self.database.write() as uow:
            await wishes.save_settings(uow, self.boris, self.wishes)
        if before != self.wishes:
            self.waits = None  # it is thought over at once
        if self.wishes.digest_after_h is None:
            self.wanted.clear()

    async def end(self) -> None:
        await self.engine.dispose()
        shutil.rmtree(self.folder)


class Digesting(RuleBasedStateMachine):
    """What may happen, in any order."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.box = Mailbox(self.template)

    def run(self, what: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(what)

    @initialize()
    def begin(self) -> None:
        self.run(self.box.begin())
        self.run(self.box.choose(digest_after_h=3))

    @rule(chance=chances, mentioned=st.booleans(), hours=hours)
    def comment(self, chance: int, mentioned: bool, hours: int) -> None:
        self.run(self._comment(self.box.tasks[chance % TASKS], "@boris look" if mentioned else "look"))
        self.pass_time(hours)

    async def _comment(self, task_id: UUID, body: str) -> None:
        box = self.box
        if task_id in box.trashed:
            return
        before = {row.id: row.updated_at for row in await box.rows()}
        async with box.database.write() as uow:
            await comments.create(uow, box.anna, task_id, CommentWrite(body=body))
        if box.wishes.digest_after_h is not None:
            box.wanted |= {row.id for row in await box.rows() if before.get(row.id) != row.updated_at}

    @rule(chance=chances, what=st.sampled_from(["read", "archived"]), is_so=st.booleans())
    def mark(self, chance: int, what: str, is_so: bool) -> None:
        self.run(self._mark(chance, {what: is_so}))

    @rule(chance=chances, is_snoozed=st.booleans())
    def snooze(self, chance: int, is_snoozed: bool) -> None:
        self.run(self._mark(chance, {"snoozed_until": format_time(utc_now() + 3 * HOUR) if is_snoozed else None}))

    async def _mark(self, chance: int, fields: Json) -> None:
        body = NotificationUpdate.model_validate(fields)
        rows = [row for row in await self.box.rows() if row.task_id not in self.box.trashed]
        if rows:
            async with self.box.database.write() as uow:
                await notifications.update_notification(uow, self.box.boris, rows[chance % len(rows)].id, body)

    @rule(chance=chances)
    def trash_or_restore(self, chance: int) -> None:
        if chance % 2:
            self.run(self._trash_or_restore(self.box.tasks[chance % TASKS]))

    async def _trash_or_restore(self, task_id: UUID) -> None:
        box = self.box
        async with box.database.write() as uow:
            if task_id in box.trashed:
                await task_shelves.restore(uow, box.anna, task_id)
            else:
                await task_shelves.delete_task(uow, box.anna, task_id)
        box.trashed ^= {task_id}

    @rule(after_h=st.sampled_from([2, 3, 4, None]), quiet=st.sampled_from([None, None, None, NIGHT]))
    def choose(self, after_h: int | None, quiet: Quiet | None) -> None:
        self.run(self.box.choose(digest_after_h=after_h, quiet=quiet))

    @rule(hours=hours)
    def pass_time(self, hours: int) -> None:
        self.run(self.box.pass_time(hours * HOUR))
        self.run(self.box.look())

    def teardown(self) -> None:
        self.run(self.box.choose(quiet=None, digest_after_h=self.box.wishes.digest_after_h or 8))
        self.run(self.box.pass_time(9 * HOUR))
        self.run(self.box.look())
        self.run(self.box.end())
        self.runner.close()


@pytest.mark.timeout(120)
def test_digests(migrated_sqlite: Path) -> None:
    """A mail has what was due, all of it, and nothing that was in one before, whatever the number of servers."""
    Digesting.template = migrated_sqlite
    machine = Digesting.TestCase
    machine.settings = settings(
        max_examples=20,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    machine().runTest()
