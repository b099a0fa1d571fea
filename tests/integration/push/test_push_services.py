"""Whatever a push service answers is kept to; one that is slow or busy delays nobody else."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import structlog
from prometheus_client import REGISTRY
from sqlalchemy import Connection, insert, select, text, update

from app.domain.clock import utc_now
from app.models import PushDelivery, PushSubscription
from app.services import push
from app.services.deliveries import PUSH, delivery
from app.workers import push as worker
from tests.support.people import Json, Person, register
from tests.support.ports import free_port
from tests.support.push import PushService, Start, drained, hurried, put_off, subscribe, waiting
from tests.support.realtime import eventually
from tests.support.server import TestServer


async def test_subscription_that_is_gone_is_forgotten(
    server: TestServer, service: PushService, anna: Person, boris: Person, project: Json
) -> None:
    """404 and 410 say so; the other devices of the person get theirs."""
    await anna.add(project, boris)
    await subscribe(boris, service, "old")
    await subscribe(boris, service, "new")
    service.answers = ["410 Gone"]
    await anna.task(project, assignee_ids=[boris.id])
    await eventually(lambda: bool(service.pushed))
    await drained(server)
    assert len((await boris.get("/push/devices"))["items"]) == 1


async def test_busy_push_service_is_left_alone(
    server: TestServer, service: PushService, anna: Person, boris: Person
) -> None:
    """By all that would go there; what goes elsewhere goes."""
    other = PushService()
    await other.start()
    service.answers = ["429 Too Many Requests\r\nRetry-After: 3600"]
    for person, at in ((anna, service), (boris, service), (boris, other)):
        device = await subscribe(person, at, person.user["name"])
        await person.call("POST", f"/push/devices/{device['id']}/test", expect=204)
        await put_off(server)
    await eventually(lambda: bool(other.pushed))
    await drained(server, to=2)
    assert await waiting(server) == [1, 0]
    assert len(service.requests) == 1
    await other.stop()


async def test_push_service_that_is_busy_for_one_device_is_soon_asked_for_others(
    server: TestServer, service: PushService, anna: Person, boris: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not say whom it means; the device itself gets nothing for as long as it was asked."""
    monkeypatch.setattr(worker, "REST_S", 0.001)
    service.answers = ["429 Too Many Requests\r\nRetry-After: 3600"]
    devices = [(person, await subscribe(person, service, person.user["name"])) for person in (anna, boris)]
    for person, device in (devices[0], *devices):
        await person.call("POST", f"/push/devices/{device['id']}/test", expect=204)
        await put_off(server)
    await eventually(lambda: bool(service.pushed))
    await drained(server, to=2)
    assert await waiting(server) == [1, 0]
    async with server.database.write() as uow:
        (retry_at, _) = (await uow.fetch(select(PushSubscription.retry_at).order_by(PushSubscription.id))).scalars()
        assert retry_at is not None
        assert timedelta(minutes=59) < retry_at - utc_now() <= timedelta(minutes=90)
        await uow.execute(update(PushSubscription).values(retry_at=None))
    await hurried(server)
    await eventually(lambda: len(service.pushed) == 3)


async def test_push_service_that_hangs_delays_nobody(start: Start, service: PushService) -> None:
    """Neither the request that caused the push nor the pushes to others; it is tried again later."""
    server = await start(push_timeout_s=0.5)
    service.answers = ["hang"]
    async with await register(server, "Anna") as anna:
        for name in ("hangs", "well"):
            device = await subscribe(anna, service, name)
            await anna.call("POST", f"/push/devices/{device['id']}/test", expect=204)
            await eventually(lambda: bool(service.requests))
        await eventually(lambda: bool(service.pushed))
        assert service.pushed[0]["title"] == "It works"
        await hurried(server)
        await eventually(lambda: len(service.pushed) == 2)
    assert [request["path"] for request in service.requests] == ["/send/hangs", "/send/well", "/send/hangs"]


async def test_push_service_that_hangs_takes_no_place_of_another(start: Start, service: PushService) -> None:
    """However much waits for it."""
    server = await start(push_timeout_s=60)
    dead = PushService()
    await dead.start()
    dead.answers = ["hang"] * 1000
    async with await register(server, "Anna") as anna, await register(server, "Boris") as boris:
        for number in range(20):
            device = await subscribe(anna, dead, f"anna-{number}")
            for _ in range(4):
                await anna.call("POST", f"/push/devices/{device['id']}/test", expect=204)
        await eventually(lambda: len(dead.requests) >= 8)
        device = await subscribe(boris, service)
        await boris.call("POST", f"/push/devices/{device['id']}/test", expect=204)
        await eventually(lambda: bool(service.pushed))
        assert len(dead.requests) == 8
    await dead.stop()


async def test_people_without_devices_delay_nobody(start: Start, service: PushService) -> None:
    """What is for nowhere is put aside at once, not a part of it at each look."""
    server = await start(push_interval_s=30)
    async with await register(server, "Anna") as anna, await register(server, "Boris") as boris:
        await subscribe(boris, service)
        now = utc_now()
        people = [*[UUID(anna.id)] * 450, UUID(boris.id)]
        rows = [delivery(person, None, "test", due_at=now, now=now) for person in people]
        rows[-1]["due_at"] += timedelta(milliseconds=1)
        async with server.database.write() as uow:
            await uow.execute(insert(PushDelivery), rows)
            uow.wake(PUSH)
        await eventually(lambda: bool(service.pushed))
        await drained(server)


@pytest.mark.parametrize(
    ("answer", "tries"), [("403 Forbidden", 0), ("503 Service Unavailable", push.MAX_ATTEMPTS - 1)]
)
async def test_push_that_will_never_be_taken_is_given_up(
    server: TestServer, service: PushService, anna: Person, answer: str, tries: int
) -> None:
    """Because the service says so, or has been asked for long enough: it is counted, and the device stays."""
    await subscribe(anna, service)
    service.answers = [answer]
    dropped = REGISTRY.get_sample_value("timetodo_push_dropped_total") or 0
    async with server.database.write() as uow:
        device = (await uow.fetch(select(PushSubscription.id))).scalar_one()
        now = utc_now()
        row = delivery(UUID(anna.id), None, "test", due_at=now, now=now)
        await uow.execute(insert(PushDelivery).values(row | {"subscription_id": device, "attempts": tries}))
        uow.wake(PUSH)
    await eventually(lambda: len(service.requests) == 1)
    await drained(server)
    assert REGISTRY.get_sample_value("timetodo_push_dropped_total") == dropped + 1
    assert len((await anna.get("/push/devices"))["items"]) == 1


async def test_database_that_is_away_for_a_moment_loses_no_push(
    server: TestServer, service: PushService, anna: Person
) -> None:
    """What was sent and could not be noted is sent once more, and the worker goes on looking."""
    device = await subscribe(anna, service)
    service.may_answer.clear()
    await anna.call("POST", f"/push/devices/{device['id']}/test", expect=204)
    await eventually(lambda: len(service.requests) == 1)
    with structlog.testing.capture_logs() as logs:
        await server.database.engine.run_alone(rename("push_deliveries", "away"))
        service.may_answer.set()
        await eventually(lambda: {"push_not_noted", "push_failed"} <= {entry["event"] for entry in logs})
        await server.database.engine.run_alone(rename("away", "push_deliveries"))
    async with server.database.write() as uow:
        await uow.execute(update(PushDelivery).values(leased_until=utc_now() - timedelta(seconds=1)))
    await eventually(lambda: len(service.pushed) == 2)
    await drained(server)


def rename(table: str, name: str) -> Callable[[Connection], object]:
    """Return what gives a table another name."""
    return lambda connection: connection.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


async def test_two_servers_send_each_push_once(
    start: Start, server: TestServer, service: PushService, anna: Person, boris: Person, project: Json
) -> None:
    """Rows are leased; one whose server died is sent by the other when the lease ends."""
    await start(port=free_port())
    await anna.add(project, boris)
    await subscribe(boris, service)
    for number in range(10):
        await anna.task(project, f"Task {number}", assignee_ids=[boris.id])
    await eventually(lambda: len(service.pushed) == 10)
    await drained(server)
    assert len({pushed["tag"] for pushed in service.pushed}) == 10
    async with server.database.write() as uow:
        device = (await uow.fetch(select(PushSubscription.id, PushSubscription.user_id))).one()
        now = utc_now()
        left = delivery(device.user_id, None, "test", due_at=now, now=now) | {"subscription_id": device.id}
        await uow.execute(insert(PushDelivery).values(left | {"leased_until": now + timedelta(seconds=1)}))
    await eventually(lambda: len(service.pushed) == 11)
