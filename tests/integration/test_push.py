"""Pushes reach a real push service, encrypted for one browser, and whatever it answers is kept to."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import func, insert, select, update

from app.config import Settings
from app.domain.clock import utc_now
from app.models import PushDelivery, PushSubscription
from app.push.encoding import from_base64url, to_base64url
from app.push.keys import to_point
from app.services.deliveries import PUSH, delivery
from tests.support.people import Json, Person, register
from tests.support.realtime import eventually
from tests.support.routes import assert_problem
from tests.support.server import TestServer, run_server

AUTH = b"sixteen bytes ok"


class PushService:
    """A push service on this machine, and the browser behind it: it decrypts what it is sent."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.answers: list[str] = []
        """Status lines and headers to answer with; then 201."""
        self.requests: list[dict[str, str]] = []
        self.pushed: list[Json] = []
        self.server: asyncio.Server

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def stop(self) -> None:
        self.server.close()
        await self.server.wait_closed()

    def subscription(self, name: str = "anna") -> Json:
        """What a browser gives out."""
        port = self.server.sockets[0].getsockname()[1]
        keys = {"p256dh": to_base64url(to_point(self.key.public_key())), "auth": to_base64url(AUTH)}
        return {"endpoint": f"http://127.0.0.1:{port}/send/{name}", "keys": keys, "label": "Chromium"}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:-2])}
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append(headers | {"path": lines[0].split()[1]})
        answer = self.answers.pop(0) if self.answers else "201 Created"
        if answer == "hang":
            await reader.read()  # until they give up
            writer.close()
            return
        if answer.startswith("201"):
            plain = http_ece.decrypt(body, private_key=self.key, auth_secret=AUTH, version="aes128gcm")
            self.pushed.append(json.loads(plain))
        writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    """A running push service."""
    service = PushService()
    await service.start()
    yield service
    await service.stop()


Start = Callable[..., Awaitable[TestServer]]


@pytest.fixture
async def start(settings: Settings) -> AsyncIterator[Start]:
    """Start a server that may push to this machine."""
    async with AsyncExitStack() as stack:

        async def run(**changes: Any) -> TestServer:
            quick = {"push_allow_private": True, "push_interval_s": 0.1, "push_timeout_s": 1}
            return await stack.enter_async_context(run_server(Settings(**(settings.model_dump() | quick | changes))))

        yield run


@pytest.fixture
async def server(start: Start) -> TestServer:
    """One such server."""
    return await start()


async def subscribe(person: Person, service: PushService, name: str = "anna") -> Json:
    """Push to a browser of somebody's."""
    device: Json = (await person.call("POST", "/push/devices", json=service.subscription(name), expect=201)).json()
    return device


async def waiting(server: TestServer) -> int:
    """Return how many pushes are not done with."""
    async with server.database.read() as uow:
        return int((await uow.fetch(select(func.count()).select_from(PushDelivery))).scalar_one())


async def drained(server: TestServer) -> None:
    """Wait until nothing is on its way."""
    async with asyncio.timeout(5):
        while await waiting(server):  # noqa: ASYNC110 - the database signals nothing to tests
            await asyncio.sleep(0.02)


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
    assert (request["content-encoding"], request["urgency"], request["ttl"]) == ("aes128gcm", "high", "86400")
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
    assert await waiting(server) == 0


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
    server: TestServer, service: PushService, anna: Person, boris: Person, project: Json
) -> None:
    """For as long as it asks; then it gets what it was not given."""
    await anna.add(project, boris)
    await subscribe(boris, service)
    service.answers = ["429 Too Many Requests\r\nRetry-After: 3600"]
    await anna.task(project, assignee_ids=[boris.id])
    await eventually(lambda: len(service.requests) == 1)
    await anna.task(project, "Second", assignee_ids=[boris.id])
    await asyncio.sleep(0.4)  # several looks of the worker, none of which may send
    assert len(service.requests) == 1
    async with server.database.write() as uow:
        (retry_at,) = (await uow.fetch(select(PushSubscription.retry_at))).scalars()
        assert retry_at is not None
        assert timedelta(minutes=59) < retry_at - utc_now() <= timedelta(minutes=90)
        await uow.execute(update(PushSubscription).values(retry_at=None))
        await uow.execute(update(PushDelivery).values(due_at=utc_now()))
    await eventually(lambda: len(service.pushed) == 2)


async def test_push_service_that_hangs_delays_nobody(
    server: TestServer, service: PushService, anna: Person, boris: Person, project: Json
) -> None:
    """Neither the request that caused the push nor the pushes to others; it is tried again later."""
    await anna.add(project, boris)
    await subscribe(boris, service, "hangs")
    service.answers = ["hang"]
    await anna.task(project, assignee_ids=[boris.id])
    await eventually(lambda: len(service.requests) == 1)
    device = await subscribe(boris, service, "well")
    await boris.call("POST", f"/push/devices/{device['id']}/test", expect=204)
    await eventually(lambda: bool(service.pushed))
    assert service.pushed[0]["title"] == "It works"

    async def is_put_off() -> bool:
        async with server.database.read() as uow:
            rows = (await uow.fetch(select(PushDelivery.due_at, PushDelivery.leased_until))).all()
        return len(rows) == 1 and rows[0].leased_until is None and rows[0].due_at > utc_now()

    async with asyncio.timeout(5):
        while not await is_put_off():  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0.05)


async def test_push_service_that_hangs_takes_no_place_of_another(start: Start, service: PushService) -> None:
    """However much waits for it."""
    server = await start(push_timeout_s=4)
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
        async with asyncio.timeout(2):
            await eventually(lambda: bool(service.pushed))
        assert len(dead.requests) < 16
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


async def test_name_that_is_slow_to_look_up_delays_no_change(
    server: TestServer, service: PushService, anna: Person, project: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who subscribes waits for the name server, and holds no transaction meanwhile."""
    loop = asyncio.get_running_loop()
    real, is_asked, may_answer = loop.getaddrinfo, asyncio.Event(), asyncio.Event()

    async def look_up(host: str, *arguments: Any, **options: Any) -> Any:
        if host == "slow.example.org":
            is_asked.set()
            await may_answer.wait()
            raise OSError
        return await real(host, *arguments, **options)

    monkeypatch.setattr(loop, "getaddrinfo", look_up)
    body = service.subscription() | {"endpoint": "https://slow.example.org/x"}
    adding = asyncio.create_task(anna.call("POST", "/push/devices", json=body))
    async with asyncio.timeout(4):
        await is_asked.wait()
        await anna.task(project, "meanwhile")
    may_answer.set()
    assert_problem(await adding, 422)


async def test_what_was_read_meanwhile_is_not_pushed(
    server: TestServer, service: PushService, anna: Person, boris: Person, project: Json
) -> None:
    """Nor what may not be seen any more, when its time comes: here both wait for the end of quiet hours."""
    await anna.add(project, boris)
    await subscribe(boris, service)
    quiet = {"quiet": {"from": "00:00", "to": "23:59:59.999999"}}
    await boris.call("PUT", "/users/me/notification_settings", json=quiet, expect=200)
    gone = await anna.task(project, "Gone", assignee_ids=[boris.id])
    await anna.task(project, "Kept", assignee_ids=[boris.id])
    await anna.call("DELETE", f"/tasks/{gone['id']}", expect=204)
    async with server.database.write() as uow:
        await uow.execute(update(PushDelivery).values(due_at=utc_now()))
    await drained(server)
    assert [pushed["title"].partition(" ")[2] for pushed in service.pushed] == ["Kept"]


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


async def test_two_servers_send_each_push_once(
    start: Start, server: TestServer, service: PushService, anna: Person, boris: Person, project: Json
) -> None:
    """Rows are leased; one whose server died is sent by the other when the lease ends."""
    await start(port=server.settings.port + 1)
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


@pytest.mark.parametrize(
    ("endpoint", "word"),
    [
        ("http://push.example.org/x", "https"),
        ("https://127.0.0.1/x", "public"),
        ("https://[::1]/x", "public"),
        ("https://localhost/x", "public"),
        ("https://10.1.2.3/x", "public"),
        ("https://169.254.169.254/latest", "public"),
        ("https://user:pass@push.example.org/x", "password"),
        ("https://push.example.invalid/x", "address"),
        ("nonsense", "https"),
    ],
)
async def test_push_goes_to_public_addresses_alone(
    start: Start, service: PushService, endpoint: str, word: str
) -> None:
    """Whoever subscribes names the address: it may not lead into our own network."""
    server = await start(push_allow_private=False)
    async with await register(server, "Anna") as anna:
        body = service.subscription() | {"endpoint": endpoint}
        problem = assert_problem(await anna.call("POST", "/push/devices", json=body), 422)
        assert problem["errors"][0]["field"] == "endpoint"
        assert word in problem["errors"][0]["message"]


async def test_keys_must_be_a_browsers(server: TestServer, service: PushService, anna: Person) -> None:
    """A point of the curve, and sixteen bytes."""
    for keys in ({"p256dh": "AAAA"}, {"auth": base64.b64encode(b"short").decode().rstrip("=")}):
        body = service.subscription()
        body["keys"] |= keys
        assert_problem(await anna.call("POST", "/push/devices", json=body), 422)


async def test_device_is_its_owners(server: TestServer, service: PushService, anna: Person, boris: Person) -> None:
    """Listed, tested and removed by its owner alone; a browser that changes hands changes its owner."""
    device = await subscribe(anna, service)
    for method, path in (("DELETE", ""), ("POST", "/test")):
        assert_problem(await boris.call(method, f"/push/devices/{device['id']}{path}"), 404)
    (listed,) = (await anna.get("/push/devices"))["items"]
    assert listed == device
    assert device["current"] is True
    await subscribe(boris, service)
    assert (await anna.get("/push/devices"))["items"] == []
    (other,) = (await boris.get("/push/devices"))["items"]
    await boris.call("DELETE", f"/push/devices/{other['id']}", expect=204)
    assert_problem(await boris.call("DELETE", f"/push/devices/{other['id']}"), 404)


async def test_private_key_is_kept_and_never_shown(server: TestServer, anna: Person) -> None:
    """In a file of its own that nobody else may read; the public half is the same after a restart."""
    file = server.settings.data_dir / "push-key"
    assert file.stat().st_mode & 0o777 == 0o600
    private = file.read_text()
    shown = await anna.get("/push/key")
    assert private not in json.dumps(shown)
    assert file.read_text() == private
