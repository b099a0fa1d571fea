"""What is pushed: encrypted for one browser, in the words of its reader, and only what they may and want to see."""

from datetime import timedelta
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select, update

from app.domain.clock import format_time, utc_now
from app.models import Notification, PushDelivery
from app.push.encoding import from_base64url
from tests.support.people import Json, Person
from tests.support.push import PushService, drained, hurried, subscribe, waiting
from tests.support.realtime import eventually, eventually_found
from tests.support.server import TestServer

TOMORROW = format_time(utc_now() + timedelta(days=1))


async def test_push_is_encrypted_signed_and_in_the_readers_language(
    server: TestServer, service: PushService, anna: Person, boris: Person, project: Json
) -> None:
    """The body is for this browser alone; the token says who sends, to whom, for how long."""
    await boris.call("PATCH", "/users/me", json={"language": "ru"}, expect=200)
    await anna.add(project, boris)
    await subscribe(boris, service)
    task = await anna.task(project, "Сайт", assignee_ids=[boris.id])
    await eventually(lambda: bool(service.pushed))
    (row, _) = (await boris.get("/notifications"))["items"]
    assert service.pushed == [
        {
            "type": "show",
            "tag": row["id"],
            "title": f"{task['key']} Сайт",
            "body": "Anna: карточка назначена вам",
            "url": f"/t/{task['key']}",
            "task_id": task["id"],
            "timestamp": row["updated_at"],
            "actions": [{"action": "open", "title": "Открыть"}, {"action": "read", "title": "Прочитано"}],
        }
    ]
    (request,) = service.requests
    assert (request["content-encoding"], request["urgency"]) == ("aes128gcm", "high")
    scheme, token, key = request["authorization"].replace(",", "").split()
    public = (await boris.get("/push/key"))["public_key"]
    assert (scheme, key) == ("vapid", f"k={public}")
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_base64url(public))
    origin = service.subscription()["endpoint"].partition("/send")[0]
    claims = jwt.decode(token.removeprefix("t="), point, algorithms=["ES256"], audience=origin)
    assert 0 < claims["exp"] - utc_now().timestamp() <= 24 * 3600
    await drained(server)


async def test_reading_takes_the_push_away_elsewhere(
    server: TestServer, service: PushService, anna: Person, boris: Person, project: Json
) -> None:
    """A device that shows it is told to close it; one that never showed it is told nothing."""
    await anna.add(project, boris)
    await subscribe(boris, service)
    task = await anna.task(project, assignee_ids=[boris.id])
    await eventually(lambda: len(service.pushed) == 1)
    await drained(server)
    await boris.call("POST", f"/tasks/{task['id']}/read", expect=200)
    await eventually(lambda: len(service.pushed) == 2)
    assert service.pushed[1] == {"type": "close", "tag": service.pushed[0]["tag"]}
    await drained(server)
    await boris.call("POST", "/notifications/read_all", json={}, expect=200)
    assert await waiting(server) == []


@pytest.mark.parametrize("is_under_way", [False, True], ids=["shown", "under_way"])
@pytest.mark.parametrize("what", ["comments", "tasks", "projects"])
async def test_what_goes_into_the_trash_takes_its_push_away(
    server: TestServer, service: PushService, anna: Person, boris: Person, project: Json, what: str, is_under_way: bool
) -> None:
    """From every device that shows it, also too late: a press on it would lead nowhere."""
    await anna.add(project, boris)
    await boris.call("POST", "/notifications/read_all", json={}, expect=200)
    await subscribe(boris, service)
    if is_under_way:
        service.may_answer.clear()
    task = await anna.task(project)
    subjects = {"comments": await anna.comment(task, "@Boris"), "tasks": task, "projects": project}
    await eventually(lambda: len(service.requests) == 1)
    if not is_under_way:
        await drained(server)
    await anna.call("DELETE", f"/{what}/{subjects[what]['id']}", expect=204)
    service.may_answer.set()
    await eventually(lambda: len(service.pushed) == 2)
    assert service.pushed[1] == {"type": "close", "tag": service.pushed[0]["tag"]}


@pytest.mark.parametrize(
    "marks",
    [{"read": True}, {"archived": True}, {"snoozed_until": TOMORROW}],
    ids=["read", "archived", "snoozed"],
)
async def test_push_under_way_when_it_is_read_is_taken_away(
    server: TestServer, service: PushService, anna: Person, boris: Person, project: Json, marks: Json
) -> None:
    """Also when it is put away: the device that shows it too late is told to close it, and nothing is left to close."""
    await anna.add(project, boris)
    await boris.call("POST", "/notifications/read_all", json={}, expect=200)
    await subscribe(boris, service)
    service.may_answer.clear()
    await anna.task(project, assignee_ids=[boris.id])
    await eventually(lambda: len(service.requests) == 1)
    row = (await boris.get("/notifications"))["items"][0]
    await boris.call("PATCH", f"/notifications/{row['id']}", json=marks, expect=200)
    service.may_answer.set()
    await eventually(lambda: len(service.pushed) == 2)
    assert service.pushed[1] == {"type": "close", "tag": row["id"]}
    await drained(server)
    async with server.database.read() as uow:
        assert not any((await uow.fetch(select(Notification.pushed_at))).scalars())


async def test_push_under_way_of_what_one_left_is_noted(
    server: TestServer, service: PushService, anna: Person, boris: Person, project: Json
) -> None:
    """Its row is gone; the device is not blamed for it, and gets what comes next."""
    await anna.add(project, boris)
    device = await subscribe(boris, service)
    service.may_answer.clear()
    await anna.task(project, assignee_ids=[boris.id])
    await eventually(lambda: len(service.requests) == 1)
    await anna.call("DELETE", f"/projects/{project['id']}/members/{boris.id}", expect=204)
    await boris.call("POST", f"/push/devices/{device['id']}/test", expect=204)
    service.may_answer.set()
    await eventually(lambda: len(service.pushed) == 2)
    await drained(server)


async def test_titles_can_be_kept_from_push_services(
    server: TestServer, service: PushService, anna: Person, boris: Person, project: Json
) -> None:
    """A project that hides them says what happened to which key, and nothing of what is written there."""
    await anna.call("PATCH", f"/projects/{project['id']}", json={"hide_titles_in_push": True}, expect=200)
    await anna.add(project, boris)
    await subscribe(boris, service)
    task = await boris.task(project, "Secret")
    await anna.comment(task, "@Boris hush")
    await eventually(lambda: bool(service.pushed))
    assert (service.pushed[0]["title"], service.pushed[0]["body"]) == (task["key"], "Anna mentioned you")


async def test_what_was_read_meanwhile_is_not_pushed(
    server: TestServer, service: PushService, anna: Person, boris: Person, project: Json
) -> None:
    """Nor what may not be seen any more, when its time comes: here both wait for the end of quiet hours."""
    await anna.add(project, boris)
    await subscribe(boris, service)
    await be_quiet(boris)
    gone = await anna.task(project, "Gone", assignee_ids=[boris.id])
    await anna.task(project, "Kept", assignee_ids=[boris.id])
    await anna.call("DELETE", f"/tasks/{gone['id']}", expect=204)
    async with server.database.write() as uow:
        await uow.execute(update(PushDelivery).values(due_at=utc_now()))
    await drained(server)
    assert [pushed["title"].partition(" ")[2] for pushed in service.pushed] == ["Kept"]


async def be_quiet(person: Person) -> None:
    """Have pushes wait: quiet hours round the clock."""
    quiet = {"quiet": {"from": "00:00", "to": "23:59:59.999999"}}
    await person.call("PUT", "/users/me/notification_settings", json=quiet, expect=200)


async def test_what_cannot_be_read_holds_up_no_other_push(
    server: TestServer, service: PushService, anna: Person, boris: Person, project: Json
) -> None:
    """A row that another version has written, perhaps, is dropped."""
    await anna.add(project, boris)
    await subscribe(boris, service)
    await be_quiet(boris)
    strange = await anna.task(project, "Strange", assignee_ids=[boris.id])
    await anna.task(project, "Plain", assignee_ids=[boris.id])
    async with server.database.write() as uow:
        is_strange = Notification.task_id == UUID(strange["id"])
        await uow.execute(update(Notification).where(is_strange).values(kind="no_such_kind"))
        await uow.execute(update(PushDelivery).values(due_at=utc_now()))
    await drained(server)
    assert [pushed["title"].partition(" ")[2] for pushed in service.pushed] == ["Plain"]


async def test_device_of_an_ended_session_gets_nothing(
    server: TestServer, service: PushService, anna: Person, boris: Person, project: Json
) -> None:
    """Who signed out on a device is not shown there what concerns them."""
    await anna.add(project, boris)
    await subscribe(boris, service)
    login = {"email": boris.user["email"], "password": "correct horse battery"}
    await boris.call("POST", "/auth/login", json=login, expect=200)
    await boris.call("POST", "/auth/logout", json={"refresh_token": boris.refresh_token})
    await anna.task(project, assignee_ids=[boris.id])
    await drained(server)
    assert service.pushed == []


async def test_device_that_is_signed_out_meanwhile_is_not_tried_again(
    server: TestServer, service: PushService, anna: Person, boris: Person, project: Json
) -> None:
    """What its push service did not take before is not given to it after."""
    await anna.add(project, boris)
    await subscribe(boris, service)
    service.answers = ["503 Service Unavailable"]
    await anna.task(project, assignee_ids=[boris.id])
    await eventually(lambda: len(service.requests) == 1)
    await boris.call("POST", "/auth/logout", json={"refresh_token": boris.refresh_token}, expect=204)
    await hurried(server)
    await drained(server)
    assert len(service.requests) == 1


async def test_what_was_snoozed_is_shown_again_in_time(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """Whoever sends pushes wakes it, without anybody asking; a row that cannot be read holds up only its owner's."""
    await anna.add(project, boris)
    await boris.task(project, assignee_ids=[anna.id])
    (row,) = (await boris.get("/notifications"))["items"]
    later = {"snoozed_until": TOMORROW, "read": True}
    await boris.call("PATCH", f"/notifications/{row['id']}", json=later, expect=200)
    async with server.database.write() as uow:
        await uow.execute(update(Notification).values(snoozed_until=utc_now()))
        await uow.execute(update(Notification).where(Notification.user_id == UUID(anna.id)).values(kind="unheard of"))
    await eventually_found(lambda: boris.get("/notifications"), lambda inbox: inbox["unread"])


@pytest.mark.parametrize(("hours", "tries"), [(23, 2), (25, 1)])
async def test_push_is_kept_for_what_is_left_of_its_day(
    server: TestServer, service: PushService, anna: Person, boris: Person, project: Json, hours: int, tries: int
) -> None:
    """A device that comes back is shown nothing older, however often it was tried; after a day nothing is sent."""
    await anna.add(project, boris)
    await subscribe(boris, service)
    service.answers = ["503 Service Unavailable"]
    await anna.task(project, assignee_ids=[boris.id])
    await eventually(lambda: len(service.requests) == 1)
    async with server.database.write() as uow:
        await uow.execute(update(PushDelivery).values(created_at=utc_now() - timedelta(hours=hours)))
    await hurried(server)
    await drained(server)
    first, *later = (int(request["ttl"]) for request in service.requests)
    assert 23 * 3600 < first <= 24 * 3600
    assert [0 < ttl <= 3600 for ttl in later] == [True] * (tries - 1)
