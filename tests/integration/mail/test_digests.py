"""Digests by a clock that the tests turn: what stays unread is mailed once, and nothing else ever."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.config import Settings
from app.domain.clock import utc_now
from app.models import Notification, NotificationSettings, OutgoingMail
from app.schemas.notifications import NotificationSettings as NotificationWishes
from app.services import digests, wishes
from app.services.access import Actor
from app.services.outbox import MailKind, drop, post_one
from app.workers.digests import DigestWorker
from tests.integration.test_changes import until_somebody_waits
from tests.support.mail import MailServer, Start, arrived, drained, hurry, outbox, waiting_once_tried
from tests.support.people import Json, Person, register
from tests.support.ports import free_port
from tests.support.realtime import Clock, eventually_found
from tests.support.server import TestServer, run_server


@pytest.fixture
def worker(server: TestServer, clock: Clock) -> DigestWorker:
    """A worker that looks when told to."""
    return DigestWorker(server.database, server.settings, now=clock)


@pytest.fixture
async def task(anna: Person, boris: Person, project: Json) -> Json:
    """A card that Anna has just assigned to Boris, who was told already that he is in the project."""
    await anna.add(project, boris)
    await boris.call("POST", "/notifications/read_all", json={}, expect=200)
    return await anna.task(project, "Pay", assignee_ids=[boris.id])


async def settings_of(person: Person, **changes: Any) -> None:
    """Change how somebody is told."""
    body = await person.get("/users/me/notification_settings") | changes
    await person.call("PUT", "/users/me/notification_settings", json=body, expect=200)


async def age(server: TestServer, time: timedelta) -> None:
    """Let what was told until now have been told so long ago."""
    async with server.database.write() as uow:
        for row in (await uow.fetch(select(Notification))).all():
            moved = {"updated_at": row.updated_at - time, "mail_at": row.mail_at and row.mail_at - time}
            await uow.execute(update(Notification).where(Notification.id == row.id).values(moved))


async def latest(person: Person) -> str:
    """Return the path of somebody's latest notification."""
    rows = (await person.get("/notifications"))["items"]
    return f"/notifications/{rows[0]['id']}"


async def test_what_stays_unread_is_mailed_once(
    post_office: MailServer,
    server: TestServer,
    anna: Person,
    boris: Person,
    task: Json,
    clock: Clock,
    worker: DigestWorker,
) -> None:
    """After as many hours as one wants; to its reader alone, who is not mailed of it again."""
    clock.now += timedelta(hours=7.9)
    assert await worker.look() == 0
    clock.now += timedelta(hours=0.2)
    assert await worker.look() == 1
    (mail,) = await arrived(post_office)
    assert mail.recipients == ["boris@example.org"]
    assert mail.message["Subject"] == "1 unread notification"
    project, title, told, link, *_ = filter(None, mail.text().splitlines())
    assert (project, title) == ("== Website", f"* {task['key']} Pay")
    assert told.startswith("  Anna assigned this to you (you are assigned; ")
    assert link == f"  https://board.example.org/t/{task['key']}"
    await drained(server)
    await settings_of(boris, digest_after_h=1)
    for _ in range(2):
        clock.now += timedelta(hours=9)
        assert await worker.look() == 0
    assert len(post_office.mails) == 1


async def test_servers_that_look_at_once_mail_once(
    server: TestServer, anna: Person, boris: Person, task: Json, clock: Clock, post_office: MailServer
) -> None:
    """Of any number of them one writes the mail."""
    workers = [DigestWorker(server.database, server.settings, now=clock) for _ in range(5)]
    await anna.comment(task, "@Boris when?")
    clock.now += timedelta(hours=8.1)
    assert sum(await asyncio.gather(*(worker.look() for worker in workers))) == 1
    await drained(server)
    (mail,) = post_office.mails
    assert mail.text().count("Anna") == 2


async def test_two_servers_of_one_board_mail_once(
    start: Start, server: TestServer, task: Json, post_office: MailServer
) -> None:
    """Each looks and sends by itself; the reader gets one mail."""
    await start(port=free_port())
    await age(server, timedelta(hours=9))
    await arrived(post_office)
    await drained(server)
    (mail,) = post_office.mails
    assert task["key"] in mail.text()


async def test_what_need_not_be_told_is_in_no_mail(
    anna: Person, boris: Person, project: Json, clock: Clock, worker: DigestWorker, post_office: MailServer
) -> None:
    """It was seen, put off or given up, is not to be seen, or is not wanted."""
    left = await anna.project("Left")
    for one in (project, left):
        await anna.add(one, boris)
    names = ("plain", "read", "archived", "snoozed", "muted", "trashed")
    tasks = {name: await anna.task(project, name, assignee_ids=[boris.id]) for name in names}
    tasks["left"] = await anna.task(left, "left", assignee_ids=[boris.id])
    await boris.call("POST", "/notifications/read_all", json={}, expect=200)
    for task in tasks.values():
        await anna.comment(task)
    unread = (await boris.get("/notifications?filter=unread"))["items"]
    rows = {row["task_title"]: f"/notifications/{row['id']}" for row in unread}
    later = f"{clock.now + timedelta(days=30):%Y-%m-%dT%H:%M:%S.000Z}"
    await boris.call("POST", f"/tasks/{tasks['read']['id']}/read", expect=200)
    await boris.call("PATCH", rows["archived"], json={"archived": True}, expect=200)
    await boris.call("PATCH", rows["snoozed"], json={"snoozed_until": later}, expect=200)
    await boris.call("PUT", f"/tasks/{tasks['muted']['id']}/watch", json={"state": "muted"}, expect=200)
    await anna.call("DELETE", f"/tasks/{tasks['trashed']['id']}", expect=204)
    await boris.call("DELETE", f"/projects/{left['id']}/members/{boris.id}", expect=204)
    clock.now += timedelta(hours=8.1)
    assert await worker.look() == 1
    lines = (await arrived(post_office))[0].text().splitlines()
    assert [line for line in lines if line.startswith("* ")][:-1] == [f"* {tasks['plain']['key']} plain"]


async def test_who_need_not_be_told_is_not_mailed(
    server: TestServer, anna: Person, project: Json, clock: Clock, worker: DigestWorker
) -> None:
    """Whoever wants no mail, wants none of this, or is kept out."""
    people = [await register(server, name, code=None) for name in ("Clara", "Dora", "Emil")]
    clara, dora, emil = people
    for person in people:
        await anna.add(project, person)
        await person.call("POST", "/notifications/read_all", json={}, expect=200)
    await anna.task(project, assignee_ids=[person.id for person in people])
    await settings_of(clara, digest_after_h=None)
    await settings_of(dora, matrix={"assigned": {"in_app": True, "push": True, "email": False}})
    await anna.call("PATCH", f"/admin/users/{emil.id}", json={"is_active": False}, expect=200)
    clock.now += timedelta(hours=8.1)
    assert await worker.look() == 0
    async with server.database.write() as uow:
        assert not await digests.gather(uow, UUID(emil.id), clock.now)
    for person in people:
        await person.http.aclose()


async def test_digest_that_cannot_be_made_holds_up_nobody_elses(
    server: TestServer,
    anna: Person,
    boris: Person,
    task: Json,
    clock: Clock,
    worker: DigestWorker,
    post_office: MailServer,
) -> None:
    """Whatever is wrong with one person's rows, the others are mailed."""
    async with await register(server, "Clara", code=None) as clara:
        await anna.add({"id": task["project_id"]}, clara)
        await anna.comment(task, "@Clara?")
        broken, whole = sorted([boris, clara], key=lambda person: person.id)
        await settings_of(broken)
        async with server.database.write() as uow:
            which = NotificationSettings.user_id == UUID(broken.id)
            await uow.execute(update(NotificationSettings).where(which).values(settings='{"matrix": 0}'))
        clock.now += timedelta(hours=8.1)
        assert await worker.look() == 1
        assert [mail.recipients for mail in await arrived(post_office)] == [[whole.user["email"]]]


async def test_what_is_unread_again_is_mailed(
    boris: Person, task: Json, clock: Clock, worker: DigestWorker, post_office: MailServer
) -> None:
    """Whoever marks it unread has not dealt with it; snoozed, it is told of anew, and its time begins then."""
    row = await latest(boris)
    await boris.call("PATCH", row, json={"read": True}, expect=200)
    clock.now += timedelta(hours=8.1)
    assert await worker.look() == 0
    await boris.call("PATCH", row, json={"read": False}, expect=200)
    assert await worker.look() == 1
    assert task["key"] in (await arrived(post_office))[0].text()


async def test_quiet_hours_put_it_off(boris: Person, task: Json, clock: Clock, worker: DigestWorker) -> None:
    """It comes when they end, in the time of whoever reads it."""
    await boris.call("PATCH", "/users/me", json={"time_zone": "Asia/Tokyo"}, expect=200)
    due = clock.now + timedelta(hours=8.1)
    ends = due + timedelta(hours=9 + 2)
    await settings_of(boris, quiet={"from": f"{ends - timedelta(hours=3):%H:%M}", "to": f"{ends:%H:%M}"})
    for hours, mails in ((8.1, 0), (1.9, 0), (0.2, 1)):
        clock.now += timedelta(hours=hours)
        assert await worker.look() == mails
    assert task["key"]


async def test_the_next_mail_waits_its_time(
    server: TestServer,
    anna: Person,
    boris: Person,
    task: Json,
    clock: Clock,
    worker: DigestWorker,
    post_office: MailServer,
) -> None:
    """Whatever trickles in is one mail in as many hours, not one each."""
    await age(server, timedelta(hours=4))
    await anna.comment(task, "First @Boris")
    clock.now += timedelta(hours=4.1)
    assert await worker.look() == 1
    await drained(server)
    clock.now += timedelta(hours=4)
    assert await worker.look() == 0
    await anna.comment(task, "Second @Boris")
    clock.now += timedelta(hours=4.1)
    assert await worker.look() == 1
    mails = await arrived(post_office, 2)
    assert [name in mails[1].text() for name in ("assigned this", "First", "Second")] == [False, True, True]
    assert task["key"]


async def test_what_is_long_past_is_put_off_no_more(
    server: TestServer, anna: Person, boris: Person, task: Json, clock: Clock, worker: DigestWorker
) -> None:
    """A mail touches what may still be mailed, and not all that was ever told."""

    async def times() -> set[Any]:
        async with server.database.read() as uow:
            mine = select(Notification.mail_at).where(Notification.user_id == UUID(boris.id))
            return set((await uow.fetch(mine)).scalars())

    await boris.call("POST", "/notifications/read_all", json={}, expect=200)
    await age(server, timedelta(days=9))
    old = await times()
    await anna.task({"id": task["project_id"]}, "New", assignee_ids=[boris.id])
    clock.now += timedelta(hours=8.1)
    assert await worker.look() == 1
    assert await times() == old | {None}


async def test_another_wish_counts_at_once(boris: Person, task: Json, clock: Clock, worker: DigestWorker) -> None:
    """Fewer hours let what waits be mailed sooner, more hours later."""
    await settings_of(boris, digest_after_h=24)
    clock.now += timedelta(hours=8.1)
    assert await worker.look() == 0
    await settings_of(boris, digest_after_h=1)
    assert await worker.look() == 1
    assert task["key"]


async def test_ending_them_undoes_no_other_wish(server: TestServer, boris: Person, task: Json) -> None:
    """The link is opened while its reader chooses something else: both count."""
    user_id = UUID(boris.id)
    actor = Actor(user_id, UUID(int=0), "Boris", is_admin=False)
    token = server.context.mailing.unsubscribe_token(user_id)
    chosen = NotificationWishes.model_validate({"remind_before_min": [15]})
    async with server.database.write() as uow:
        await wishes.save_settings(uow, actor, chosen)
        ending = asyncio.create_task(boris.call("POST", f"/mail/unsubscribe/{token}", expect=200))
        await until_somebody_waits(server)
    await ending
    left = await boris.get("/users/me/notification_settings")
    assert (left["remind_before_min"], left["digest_after_h"]) == ([15], None)


async def test_what_is_read_before_it_is_sent_is_left_out(
    server: TestServer,
    anna: Person,
    boris: Person,
    task: Json,
    clock: Clock,
    worker: DigestWorker,
    post_office: MailServer,
) -> None:
    """It may take long: what was read or muted meanwhile is not told; nothing left is no mail."""
    other = await anna.task({"id": task["project_id"]}, "Call", assignee_ids=[boris.id])
    clock.now += timedelta(hours=8.1)
    post_office.answers = ["451 come again"]
    assert await worker.look() == 1
    await waiting_once_tried(server)
    await boris.call("POST", f"/tasks/{task['id']}/read", expect=200)
    await hurry(server)
    (mail,) = await arrived(post_office)
    assert other["key"] in mail.text()
    assert task["key"] not in mail.text()
    await drained(server)
    await age(server, timedelta(hours=1))
    await anna.comment(other, "Please")
    clock.now += timedelta(hours=8.1)
    post_office.answers = ["451 come again"]
    assert await worker.look() == 1
    await waiting_once_tried(server)
    await boris.call("PUT", f"/tasks/{other['id']}/watch", json={"state": "muted"}, expect=200)
    await hurry(server)
    await drained(server)
    assert len(post_office.mails) == 1


async def test_mail_server_that_is_away_for_days_loses_none_and_makes_no_flood(
    server: TestServer,
    anna: Person,
    boris: Person,
    task: Json,
    clock: Clock,
    worker: DigestWorker,
    post_office: MailServer,
) -> None:
    """What is still unread when it is back comes in one mail, however many were due."""
    await post_office.stop()
    await settings_of(boris, digest_after_h=1)
    for comment in ("First", "Second"):
        await age(server, timedelta(days=2))
        await anna.comment(task, f"{comment} @Boris")
        clock.now += timedelta(hours=1.1)
        await eventually_found(worker.look, bool)
        async with server.database.write() as uow:
            for mail in await outbox(server):
                earlier = {"expires_at": mail.expires_at - timedelta(days=2)}
                await uow.execute(update(OutgoingMail).where(OutgoingMail.id == mail.id).values(earlier))
    await post_office.resume()
    (mail,) = await arrived(post_office)
    await drained(server)
    assert [told in mail.text() for told in ("assigned this", "First", "Second")] == [True, True, True]
    assert len(post_office.mails) == 1


async def test_while_a_digest_is_handed_over_the_next_one_waits(
    server: TestServer, anna: Person, boris: Person, task: Json, clock: Clock, worker: DigestWorker
) -> None:
    """What is due is neither lost in a mail that was written already, nor in a second one at once."""
    user_id = UUID(boris.id)
    async with server.database.write() as uow:
        sending = {"user_id": user_id, "address": boris.user["email"], "language": "en"}
        mail_id = await post_one(uow, MailKind.DIGEST, **sending, kept=timedelta(days=1))
        assert mail_id is not None
        taken = {"leased_until": utc_now() + timedelta(minutes=1)}
        await uow.execute(update(OutgoingMail).where(OutgoingMail.id == mail_id).values(taken))
    clock.now += timedelta(hours=8.1)
    assert await worker.look() == 0
    assert [row.id for row in await outbox(server)] == [mail_id]
    async with server.database.write() as uow:
        await drop(uow, mail_id)
    assert await worker.look() == 1
    assert task["key"]


async def test_what_could_not_be_mailed_for_days_never_is(
    server: TestServer, task: Json, clock: Clock, worker: DigestWorker
) -> None:
    """Once there is mail again, nobody is told of what is long past."""
    clock.now += timedelta(days=8)
    assert await worker.look() == 0
    assert task["key"]
    assert await outbox(server) == []


async def test_what_was_told_while_there_was_no_mail_is_not_mailed(
    settings: Settings,
    anna: Person,
    boris: Person,
    task: Json,
    clock: Clock,
    worker: DigestWorker,
    post_office: MailServer,
) -> None:
    """Switching mail on tells nobody what was before; switching it off for a while loses nothing."""
    without = Settings(**(settings.model_dump() | {"port": free_port()}))
    tokens = {"user": anna.user, "access_token": anna.token, "refresh_token": anna.refresh_token}
    async with run_server(without) as other, Person(other, tokens) as there:
        silent = await there.task({"id": task["project_id"]}, "Silent", assignee_ids=[boris.id])
    clock.now += timedelta(hours=8.1)
    assert await worker.look() == 1
    text = (await arrived(post_office))[0].text()
    assert (task["key"] in text, silent["key"] in text) == (True, False)


async def test_invitation_is_in_no_digest(
    anna: Person, boris: Person, project: Json, clock: Clock, worker: DigestWorker, post_office: MailServer
) -> None:
    """It has a mail of its own, unless its reader wants none of those."""
    path, body = f"/projects/{project['id']}/invitations", {"role": "editor", "email": "boris@example.org"}
    await anna.call("POST", path, json=body, expect=201)
    assert "invites you" in (await arrived(post_office))[0].message["Subject"]
    clock.now += timedelta(hours=8.1)
    assert await worker.look() == 0
    await settings_of(boris, matrix={"invited": {"in_app": True, "push": False, "email": False}})
    await anna.call("POST", path, json=body, expect=201)
    await drained(anna.server)
    assert len(post_office.mails) == 1
    assert len((await boris.get("/notifications"))["items"]) == 2
