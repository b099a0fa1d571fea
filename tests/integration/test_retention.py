"""Forgetting on time: each kind of thing goes when its time is over, not before, and nothing else goes with it."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.models import (
    Base,
    IdempotencyKey,
    Invitation,
    LoggedEvent,
    MailUse,
    Project,
    RefreshToken,
    Session,
    SocketTicket,
    Task,
)
from app.security import new_id
from app.services import retention, trimming
from app.workers.retention import RetentionWorker
from tests.support.people import Json, Person
from tests.support.server import TestServer


async def count(server: TestServer, table: type[Base]) -> int:
    """Return how many rows there are."""
    async with server.database.read() as uow:
        return int((await uow.fetch(select(func.count()).select_from(table))).scalar_one())


async def sweep(server: TestServer) -> None:
    """Forget what is past its time."""
    await retention.sweep(server.database, server.settings)


async def age(server: TestServer, table: type[Base], column: str, moment: datetime) -> None:
    """Let all rows of a table be of a certain time."""
    async with server.database.write() as uow:
        await uow.execute(update(table).values({column: moment}))


async def test_nothing_is_forgotten_before_its_time(server: TestServer, anna: Person, project: Json) -> None:
    """A sweep of fresh things leaves all of them."""
    await make_one_of_each(anna, project)
    tables = (Session, RefreshToken, SocketTicket, IdempotencyKey, Invitation, Task, LoggedEvent)
    before = [await count(server, table) for table in tables]
    await sweep(server)
    assert [await count(server, table) for table in tables] == before
    assert 0 not in before


async def test_use_of_mail_is_forgotten_after_an_hour(server: TestServer) -> None:
    """By then it counts towards no limit."""
    ages = [timedelta(minutes=59), timedelta(minutes=61)]
    uses = [{"id": new_id(), "who": "x" * 64, "at": utc_now() - age_of_it} for age_of_it in ages]
    async with server.database.write() as uow:
        await uow.execute(insert(MailUse), uses)
    await sweep(server)
    async with server.database.read() as uow:
        assert (await uow.fetch(select(MailUse.id))).scalars().all() == [uses[0]["id"]]


async def make_one_of_each(anna: Person, project: Json) -> None:
    """Make a ticket, an invitation, an idempotent answer, and a task in the trash."""
    await anna.call("POST", "/ws/ticket", expect=200)
    await anna.call("POST", f"/projects/{project['id']}/invitations", json={"role": "viewer"}, expect=201)
    task = await anna.task(project)
    await anna.call("DELETE", f"/tasks/{task['id']}", headers={"Idempotency-Key": "op"}, expect=204)


@pytest.mark.parametrize(
    ("table", "column", "days_ago"),
    [
        (SocketTicket, "expires_at", 1),
        (Invitation, "expires_at", 1),
        (IdempotencyKey, "created_at", 2),
        (Session, "expires_at", 1),
        (Session, "ended_at", 1),
        (Task, "deleted_at", 31),
    ],
)
async def test_each_thing_is_forgotten_after_its_time(
    server: TestServer, anna: Person, project: Json, table: type[Base], column: str, days_ago: int
) -> None:
    """What is past its time goes; a task that is on the board stays, whatever its age."""
    kept = await anna.task(project, "on the board")
    await make_one_of_each(anna, project)
    if table is Task:
        moment = utc_now() - timedelta(days=days_ago)
        async with server.database.write() as uow:
            await uow.execute(update(Task).where(Task.deleted_at.is_not(None)).values(deleted_at=moment))
    else:
        await age(server, table, column, utc_now() - timedelta(days=days_ago))
    await sweep(server)
    assert await count(server, table) == (1 if table is Task else 0)
    if table is not Session:
        assert [card["id"] for card in (await anna.board(project))["tasks"]] == [kept["id"]]


async def test_deleted_projects_are_forgotten_whole(server: TestServer, anna: Person, project: Json) -> None:
    """After its time a deleted project goes with everything in it; the others stay."""
    kept = await anna.project("Kept")
    await anna.task(kept)
    await make_one_of_each(anna, project)
    await anna.call("DELETE", f"/projects/{project['id']}", expect=204)
    await sweep(server)
    assert await count(server, Project) == 2
    async with server.database.write() as uow:
        moment = utc_now() - timedelta(days=31)
        await uow.execute(update(Project).where(Project.deleted_at.is_not(None)).values(deleted_at=moment))
    await sweep(server)
    assert [await count(server, table) for table in (Project, Task, LoggedEvent, Invitation)] == [1, 1, 1, 0]
    assert [item["id"] for item in (await anna.get("/projects"))["items"]] == [kept["id"]]


async def test_log_is_trimmed_by_age_up_to_a_floor(
    server: TestServer, anna: Person, project: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events of before the limit go, in portions; the floor says up to where; other projects are not written to."""
    monkeypatch.setattr(trimming, "PORTION", 1)
    other = await anna.project()
    for target in (project, project, project, other):
        await anna.task(target)
    async with server.database.write() as uow:
        old = utc_now() - timedelta(days=91)
        await uow.execute(
            update(LoggedEvent)
            .where(LoggedEvent.project_id == UUID(project["id"]), LoggedEvent.seq <= 2)
            .values(timestamp=old)
        )
    trimmed = []
    trim_some = trimming._trim_some

    async def note(uow: UnitOfWork, log: trimming.Log, owner_id: UUID, kept_since: datetime) -> bool:
        trimmed.append(owner_id)
        return await trim_some(uow, log, owner_id, kept_since)

    monkeypatch.setattr(trimming, "_trim_some", note)
    await sweep(server)
    assert trimmed == [UUID(project["id"])] * 3
    pages = [await anna.get(f"/projects/{p['id']}/events", params={"since": s}) for p, s in ((project, 2), (other, 0))]
    assert [(page["floor"], [event["seq"] for event in page["items"]]) for page in pages] == [(2, [3]), (0, [1])]


async def test_worker_goes_on_after_a_sweep_that_failed(
    sqlite_server: TestServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A database that is away for a moment ends no worker: the next sweep comes."""
    sweeps, done = [OSError("away"), None], asyncio.Event()

    async def fail_once(*_: object) -> None:
        error = sweeps.pop(0)
        if not sweeps:
            done.set()
        if error is not None:
            raise error

    monkeypatch.setattr("app.services.retention.sweep", fail_once)
    settings = sqlite_server.settings.model_copy(update={"retention_interval_s": 0.01})
    worker = RetentionWorker(sqlite_server.database, settings)
    worker.start()
    await asyncio.wait_for(done.wait(), 5)
    await worker.stop()
    assert "retention_failed" in caplog.text


async def test_worker_that_was_never_started_stops(sqlite_server: TestServer) -> None:
    """Stopping is always possible."""
    await RetentionWorker(sqlite_server.database, sqlite_server.settings).stop()
