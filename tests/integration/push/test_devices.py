"""The devices one has, and where they may be."""

import asyncio
import base64
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import Response

from app.errors import InvalidField, RateLimited, Unavailable
from app.schemas.push import PushDeviceCreate
from app.services import device_checks, devices
from app.services.device_checks import PER_MINUTE, DeviceChecks
from tests.support.people import Json, Person, register
from tests.support.push import PushService, Start, subscribe
from tests.support.realtime import eventually
from tests.support.routes import assert_problem
from tests.support.server import TestServer


class Hanging:
    """Names under `hangs.example` are looked up until they may be answered, and then have no address."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may_answer = threading.Event()
        self._real = socket.getaddrinfo

    def look_up(self, host: Any, *arguments: Any, **options: Any) -> Any:
        if not str(host).endswith(".hangs.example"):
            return self._real(host, *arguments, **options)
        self.asked.append(host)
        self.may_answer.wait(60)
        raise OSError


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    """A name server that hangs."""
    names = Hanging()
    monkeypatch.setattr(socket, "getaddrinfo", names.look_up)
    yield names
    names.may_answer.set()


async def test_name_that_is_slow_to_look_up_delays_no_change(
    server: TestServer, service: PushService, anna: Person, boris: Person, project: Json, hanging: Hanging
) -> None:
    """Who subscribes waits for the name server, holds no transaction meanwhile, and takes no places of the others."""

    def add(person: Person, name: str) -> asyncio.Task[Response]:
        body = service.subscription() | {"endpoint": f"https://{name}.hangs.example/x"}
        return asyncio.create_task(person.call("POST", "/push/devices", json=body))

    adding = [add(anna, name) for name in ("one", "two", "two")]
    await eventually(lambda: len(hanging.asked) == device_checks.AT_ONCE_FOR_EACH)
    await anna.task(project, "meanwhile")
    too_many = await add(anna, "three")
    assert_problem(too_many, 429)
    assert too_many.headers["Retry-After"] == "5"
    adding.append(add(boris, "three"))
    await eventually(lambda: len(hanging.asked) == device_checks.AT_ONCE_FOR_EACH + 1)
    hanging.may_answer.set()
    for answer in await asyncio.gather(*adding):
        assert_problem(answer, 422)


async def test_names_are_looked_up_for_everybody_while_there_are_places(service: PushService, hanging: Hanging) -> None:
    """Then nobody's are, which is soon over; and one person has only so many looked up in a minute."""
    checks = DeviceChecks(allow_private=False)
    bodies = [
        PushDeviceCreate(**service.subscription() | {"endpoint": f"https://{number}.hangs.example/x"})
        for number in range(PER_MINUTE + 1)
    ]
    looking = [asyncio.create_task(checks.check(uuid4(), body)) for body in bodies[: device_checks.AT_ONCE]]
    await eventually(lambda: len(hanging.asked) == device_checks.AT_ONCE)
    with pytest.raises(Unavailable):
        await checks.check(uuid4(), bodies[-1])
    hanging.may_answer.set()
    for answer in await asyncio.gather(*looking, return_exceptions=True):
        assert isinstance(answer, InvalidField)
    user_id, outcomes = uuid4(), []
    for body in bodies:
        with pytest.raises((InvalidField, RateLimited)) as refused:
            await checks.check(user_id, body)
        outcomes.append(refused.type)
    assert outcomes == [InvalidField] * PER_MINUTE + [RateLimited]


async def test_device_is_added_once_however_often_it_is_sent(
    server: TestServer, service: PushService, anna: Person
) -> None:
    """Calls that overlap under one key are one; and nothing is looked up for somebody who is not signed in."""
    body, key = service.subscription(), {"Idempotency-Key": "op"}
    calls = [anna.call("POST", "/push/devices", json=body, headers=key, expect=201) for _ in range(3)]
    answers = await asyncio.gather(*calls)
    assert len({answer.content for answer in answers}) == 1
    assert len((await anna.get("/push/devices"))["items"]) == 1
    nowhere = service.subscription() | {"endpoint": "nonsense"}
    async with server.client() as stranger:
        assert_problem(await stranger.post("/push/devices", json=nowhere), 401)


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
        ("https://push.example.org", "path"),
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


async def test_devices_are_limited_and_come_by_pages(
    server: TestServer, service: PushService, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oldest first; the one that is too many is refused until another is removed."""
    monkeypatch.setattr(devices, "MAX_DEVICES", 2)
    made = [await subscribe(anna, service, name) for name in ("first", "second")]
    problem = assert_problem(await anna.call("POST", "/push/devices", json=service.subscription("third")), 409)
    assert "at most 2 devices" in problem["detail"]
    first = await anna.get("/push/devices?limit=1")
    second = await anna.get("/push/devices", params={"limit": 1, "cursor": first["next_cursor"]})
    assert (first["items"] + second["items"], second["next_cursor"]) == (made, None)
    await anna.call("DELETE", f"/push/devices/{made[0]['id']}", expect=204)
    await subscribe(anna, service, "third")


async def test_private_key_is_kept_and_never_shown(server: TestServer, anna: Person) -> None:
    """In a file of its own that nobody else may read; the public half is the same after a restart."""
    file = server.settings.data_dir / "push-key"
    assert file.stat().st_mode & 0o777 == 0o600
    private = file.read_text()
    shown = await anna.get("/push/key")
    assert private not in json.dumps(shown)
    assert file.read_text() == private
