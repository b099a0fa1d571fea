"""Reminders by a clock that the tests turn: each once, for whom it concerns, however many servers look."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, update

from app.db.unit_of_work import UnitOfWork
from app.domain.notifying import Why
from app.models import NotificationSettings, User
from app.services import reminders
from app.services.notifying import News, tell
from app.services.reminders import last_look
from app.workers import reminders as module
from app.workers.reminders import ReminderWorker
from tests.support.people import Json, Person
from tests.support.realtime import Clock
from tests.support.server import TestServer


@pytest.fixture
def worker(server: TestServer, clock: Clock) -> ReminderWorker:
    """A worker that looks when told to."""
    return ReminderWorker(server.database, server.settings, now=clock)


async def reminded(person: Person) -> list[tuple[str, str]]:
    """Return kind and title of somebody's reminders, the latest first."""
    rows = (await person.get("/notifications"))["items"]
    return [(row["kind"], row["task_title"]) for row in rows if row["why"] == "reminder"]


def in_hours(clock: Clock, hours: float) -> str:
    """Return a due time so far from now."""
    return f"{clock.now + timedelta(hours=hours):%Y-%m-%dT%H:%M:%S.000Z}"


async def test_assignee_is_reminded_before_and_at_the_time(
    anna: Person, boris: Person, project: Json, clock: Clock, worker: ReminderWorker
) -> None:
    """A day before, an hour before, when it is past; each once; nobody else, and no reminder of what has gone by."""
    await anna.add(project, boris)
    due = in_hours(clock, 48)
    await anna.task(project, "Pay", assignee_ids=[boris.id], due=due)
    assert await worker.look() == 0
    for hours, kinds in ((24.1, ["due_soon"]), (23, ["due_soon"] * 2), (1, ["overdue", *["due_soon"] * 2])):
        clock.now += timedelta(hours=hours)
        await worker.look()
        await worker.look()
        assert [kind for kind, _ in await reminded(boris)] == kinds
    assert await reminded(anna) == []
    row = (await boris.get("/notifications"))["items"][0]
    assert (row["details"], row["actor_name"], row["actor_color"]) == ({"due": due}, "", None)


async def test_after_a_time_of_silence_one_reminder_is_sent(
    anna: Person, project: Json, clock: Clock, worker: ReminderWorker
) -> None:
    """The latest of those missed; what was missed for a week is not told any more."""
    await anna.task(project, "Late", assignee_ids=[anna.id], due=in_hours(clock, 26))
    clock.now += timedelta(hours=30)
    assert await worker.look() == 1
    assert await reminded(anna) == [("overdue", "Late")]
    await anna.task(project, "Forgotten", assignee_ids=[anna.id], due=in_hours(clock, 26))
    clock.now += timedelta(days=10)
    assert await worker.look() == 0


async def test_project_that_fails_holds_up_no_other_and_is_looked_at_again(
    anna: Person, clock: Clock, worker: ReminderWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There nothing is passed over until it is well again; elsewhere what comes back late is told no more."""
    bad, good = [await anna.project(name) for name in ("Bad", "Good")]
    for project in (bad, good):
        await anna.task(project, project["name"], assignee_ids=[anna.id], due=in_hours(clock, 1.5))
    late = await anna.task(good, "Late", assignee_ids=[anna.id], due=in_hours(clock, 1.5))
    await anna.call("POST", f"/tasks/{late['id']}/archive", expect=200)
    clock.now += timedelta(hours=1)

    async def fail_for_bad(uow: UnitOfWork, news: News, recipients: dict[UUID, Why]) -> None:
        if str(news.project_id) == bad["id"]:
            raise ConnectionResetError
        await tell(uow, news, recipients)

    with monkeypatch.context() as patch:
        patch.setattr(reminders, "tell", fail_for_bad)
        assert await worker.look() == 1
    assert [title for _, title in await reminded(anna)] == ["Good"]
    clock.now += reminders.GRACE + timedelta(minutes=1)
    await anna.call("POST", f"/tasks/{late['id']}/unarchive", expect=200)
    assert await worker.look() == 1
    assert [title for _, title in await reminded(anna)] == ["Bad", "Good"]


async def test_new_card_does_not_remind_of_what_was_before_it(
    anna: Person, project: Json, clock: Clock, worker: ReminderWorker
) -> None:
    """Made half an hour before it is due, it is told of when it is past."""
    await anna.task(project, "Quick", assignee_ids=[anna.id], due=in_hours(clock, 0.5))
    clock.now += timedelta(minutes=1)
    assert await worker.look() == 0
    clock.now += timedelta(hours=1)
    await worker.look()
    assert await reminded(anna) == [("overdue", "Quick")]


async def test_old_card_that_gets_a_due_date_or_an_assignee_reminds_of_what_lies_ahead(
    anna: Person, project: Json, clock: Clock, worker: ReminderWorker
) -> None:
    """Not of what was past when that was said."""
    past = in_hours(clock, -1)
    dated = await anna.task(project, "Dated", assignee_ids=[anna.id])
    assigned = await anna.task(project, "Assigned", due=past)
    await anna.call("PATCH", f"/tasks/{dated['id']}", json={"due": past}, expect=200)
    await anna.call("POST", f"/tasks/{assigned['id']}/assign", json={"user_ids": [anna.id]}, expect=200)
    clock.now += timedelta(minutes=1)
    assert await worker.look() == 0


async def test_what_is_done_or_put_away_is_not_reminded_of(
    anna: Person, project: Json, clock: Clock, worker: ReminderWorker
) -> None:
    """In a column of done things, in the archive, in the trash; nor what is due no more."""
    due = in_hours(clock, 12)
    undated = await anna.task(project, "Undated", assignee_ids=[anna.id], due=due)
    await anna.call("PATCH", f"/tasks/{undated['id']}", json={"due": None}, expect=200)
    await anna.task(project, "Done", assignee_ids=[anna.id], due=due, status="done")
    for title, method, path in (("Archived", "POST", "/archive"), ("Deleted", "DELETE", "")):
        task = await anna.task(project, title, assignee_ids=[anna.id], due=due)
        await anna.call(method, f"/tasks/{task['id']}{path}")
    clock.now += timedelta(hours=13)
    assert await worker.look() == 0


async def test_card_that_comes_back_does_not_remind_of_what_was_past_before(
    anna: Person, project: Json, clock: Clock, worker: ReminderWorker
) -> None:
    """Nor does a card that is not done after all, nor another wish: only what nobody looked for is told late."""
    wishes = {"remind_before_min": [60]}
    await anna.call("PUT", "/users/me/notification_settings", json=wishes, expect=200)
    due = in_hours(clock, 12)
    done = await anna.task(project, "Done", assignee_ids=[anna.id], due=due, status="done")
    shelved = await anna.task(project, "Archived", assignee_ids=[anna.id], due=due)
    await anna.call("POST", f"/tasks/{shelved['id']}/archive", expect=200)
    gone = await anna.task(project, "Deleted", assignee_ids=[anna.id], due=due)
    await anna.call("DELETE", f"/tasks/{gone['id']}", expect=204)
    await anna.task(project, "Earlier", assignee_ids=[anna.id], due=in_hours(clock, 24))
    clock.now += timedelta(hours=13)
    assert await worker.look() == 0
    await anna.call("PUT", "/users/me/notification_settings", json={"remind_before_min": [23 * 60]}, expect=200)
    await anna.call("POST", f"/tasks/{done['id']}/move", json={"status": "todo"}, expect=200)
    await anna.call("POST", f"/tasks/{shelved['id']}/unarchive", expect=200)
    await anna.call("POST", f"/tasks/{gone['id']}/restore", expect=200)
    clock.now += timedelta(minutes=1)
    assert await worker.look() == 0
    clock.now += timedelta(hours=12)
    await worker.look()
    assert await reminded(anna) == [("overdue", "Earlier")]


async def test_moving_to_another_time_zone_reminds_of_nothing_twice(
    anna: Person, project: Json, clock: Clock, worker: ReminderWorker
) -> None:
    """Where it is morning later, the morning's reminder was given already; the next one comes when it is due there."""
    await anna.call("PATCH", "/users/me", json={"time_zone": "Europe/Moscow"}, expect=200)
    clock.now = (clock.now + timedelta(days=3)).replace(hour=7)  # ten in Moscow, before nine in New York
    await anna.task(project, "Pay", assignee_ids=[anna.id], due=f"{clock.now:%Y-%m-%d}")
    assert await worker.look() == 1
    await anna.call("PATCH", "/users/me", json={"time_zone": "America/New_York"}, expect=200)
    for hours, count in ((9, 0), (15, 0), (9, 1)):
        clock.now += timedelta(hours=hours)
        assert await worker.look() == count
    assert await reminded(anna) == [("overdue", "Pay"), ("due_soon", "Pay")]


async def test_unknown_time_zone_stops_no_look(
    server: TestServer, anna: Person, boris: Person, project: Json, clock: Clock, worker: ReminderWorker
) -> None:
    """Who has one is reminded by UTC, quiet hours included; everybody else as ever."""
    await anna.add(project, boris)
    quiet = {"quiet": {"from": "00:00", "to": "12:00"}}
    await anna.call("PUT", "/users/me/notification_settings", json=quiet, expect=200)
    await anna.task(project, "Pay", assignee_ids=[anna.id, boris.id], due=in_hours(clock, 30))
    async with server.database.write() as uow:
        await uow.execute(update(User).where(User.id == UUID(anna.id)).values(time_zone="Mars/Olympus"))
    clock.now += timedelta(hours=10)
    assert await worker.look() == 2
    assert await reminded(anna) == await reminded(boris) == [("due_soon", "Pay")]


async def test_wishes_that_cannot_be_read_stop_no_look(
    server: TestServer, anna: Person, boris: Person, project: Json, clock: Clock, worker: ReminderWorker
) -> None:
    """Everybody else is reminded, and the look is noted."""
    await anna.add(project, boris)
    await anna.task(project, "Pay", assignee_ids=[anna.id, boris.id], due=in_hours(clock, 30))
    async with server.database.write() as uow:
        strange = {"user_id": UUID(anna.id), "settings": '{"matrix": {"no_such_kind": {}}}'}
        await uow.execute(insert(NotificationSettings).values(strange))
    clock.now += timedelta(hours=10)
    assert await worker.look() == 1
    assert (await reminded(anna), await reminded(boris)) == ([], [("due_soon", "Pay")])
    async with server.database.read() as uow:
        assert await last_look(uow) == clock.now


async def test_another_due_date_reminds_anew(anna: Person, project: Json, clock: Clock, worker: ReminderWorker) -> None:
    """Of the new one, by its own times."""
    task = await anna.task(project, "Moved", assignee_ids=[anna.id], due=in_hours(clock, 2))
    clock.now += timedelta(hours=1.5)
    await worker.look()
    await anna.call("PATCH", f"/tasks/{task['id']}", json={"due": in_hours(clock, 48)}, expect=200)
    assert await worker.look() == 0
    clock.now += timedelta(hours=47.5)
    await worker.look()
    assert await reminded(anna) == [("due_soon", "Moved")] * 2


async def test_one_decides_when_to_be_reminded(
    anna: Person, project: Json, clock: Clock, worker: ReminderWorker
) -> None:
    """Two hours before and at no other time."""
    settings = {"remind_before_min": [120], "matrix": {"overdue": {"in_app": False, "push": False, "email": False}}}
    await anna.call("PUT", "/users/me/notification_settings", json=settings, expect=200)
    await anna.task(project, "Mine", assignee_ids=[anna.id], due=in_hours(clock, 30))
    for hours in (25, 3.5, 5):
        clock.now += timedelta(hours=hours)
        await worker.look()
    assert await reminded(anna) == [("due_soon", "Mine")]


async def test_many_are_reminded_a_few_at_a_time(
    anna: Person, boris: Person, project: Json, clock: Clock, worker: ReminderWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them, once: people and cards are read in portions, and told of in several transactions."""
    monkeypatch.setattr(reminders, "PORTION", 1)
    monkeypatch.setattr(module, "TOLD_AT_ONCE", 2)
    await anna.add(project, boris)
    titles = {f"Card {number}" for number in range(3)}
    for title in titles:
        await anna.task(project, title, assignee_ids=[anna.id, boris.id], due=in_hours(clock, 1.5))
    clock.now += timedelta(hours=1)
    assert await worker.look() == 2 * len(titles)
    assert await worker.look() == 0
    for person in (anna, boris):
        assert {title for _, title in await reminded(person)} == titles


async def test_servers_that_look_at_once_remind_once(
    server: TestServer, anna: Person, project: Json, clock: Clock
) -> None:
    """Five of them."""
    await anna.task(project, "Once", assignee_ids=[anna.id], due=in_hours(clock, 2))
    clock.now += timedelta(hours=1.5)
    workers = [ReminderWorker(server.database, server.settings, now=clock) for _ in range(5)]
    assert sum(await asyncio.gather(*(worker.look() for worker in workers))) == 1
    assert await reminded(anna) == [("due_soon", "Once")]
