"""Whatever is sent: a refusal that names the field and tells nothing internal, never a 5xx, never an event."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import orjson
import pytest

from app.db.postgres import MAX_OVERFLOW, POOL_SIZE
from tests.support.people import Json, Person, register
from tests.support.raw import dial, request
from tests.support.routes import Operation, World, assert_problem, build_world, operations
from tests.support.server import TestServer

JSON_TYPE = {"Content-Type": "application/json"}
NOT_JSON = {
    "no body": b"",
    "cut off": b'{"title": "a',
    "two values": b"{} {}",
    "NaN": b'{"title": NaN}',
    "Infinity": b'{"title": Infinity}',
    "single quotes": b"{'title': 'a'}",
    "lone high surrogate": b'{"title": "\\ud800"}',
    "lone low surrogate": b'{"title": "\\udc00\\ud800"}',
    "lone surrogate in a name": b'{"\\ud800": 1}',
    "invalid UTF-8": b'{"title": "\xff\xfe"}',
    "overlong UTF-8": b'{"title": "\xc0\xaf"}',
    "UTF-16": '{"title": "a"}'.encode("utf-16"),
    "5,000 digits": b'{"title": ' + b"1" * 5000 + b"}",
    "20,000 lists deep": b'{"title": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "20,000 objects deep": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
}
NOT_AN_OBJECT = [b"[]", b'"text"', b"7", b"true", b"[{}]", b"18446744073709551616"]
BAD_VALUES: dict[str, bytes] = {
    "an object": b'{"a": 1}',
    "a list of lists": b"[[]]",
    "a number": b"7.5",
    "an integer beyond 64 bits": b"18446744073709551616",
    "true, or not": b'"yes, please"',
    "NUL": b'"a\\u0000b"',
    "a long text": b'"' + b"x" * 100_000 + b'"',
    "a list of NUL": b'["\\u0000"]',
    "an empty text": b'""',
}
TEXTS = {"true, or not", "an empty text"}
"""Bad values that a field of free text may well hold; tests/unit/schemas tells which do."""
GARBAGE = ["%00", "-1", "9" * 400, "%ff%fe", "x" * 3000, "' OR 1=1 --", "%ED%A0%80"]
GARBAGE_IN_PATHS = ["%00", "nonsense", "%ff%fe", "x" * 3000]


@pytest.fixture
async def world(server: TestServer, anna: Person) -> World:
    """A project with one thing of every kind."""
    return await build_world(anna)


@pytest.fixture
async def sqlite_world(sqlite_server: TestServer) -> AsyncIterator[World]:
    """The same, for what is refused before any database is asked."""
    async with await register(sqlite_server, "Anna") as anna:
        yield await build_world(anna)


def with_bodies(server: TestServer) -> list[Operation]:
    """Return the operations that take a body."""
    found = [operation for operation in operations(server.application) if operation.body]
    assert len(found) >= 20
    return found


async def send(world: World, operation: Operation, body: bytes, headers: Json = JSON_TYPE) -> tuple[int, Json]:
    """Send raw bytes as the owner; check that the answer is a clean refusal and return it."""
    path = world.owner.server.url + world.fill(operation.path)
    answer = await world.owner.call(operation.method, path, content=body, headers=headers)
    assert 400 <= answer.status_code < 500, f"{operation.name}: {answer.status_code} {answer.text} for {body[:80]!r}"
    return answer.status_code, assert_problem(answer)


async def test_what_is_no_json_is_refused_everywhere(sqlite_server: TestServer, sqlite_world: World) -> None:
    """A body that is not JSON (RFC 8259), or nested beyond sense, is 400 or 422, and nothing happens."""
    before = await sqlite_world.state()
    for operation in with_bodies(sqlite_server):
        for name, body in NOT_JSON.items():
            if body or operation.is_body_required:
                status, _ = await send(sqlite_world, operation, body)
                assert status in (400, 422), (operation.name, name)
    assert await sqlite_world.state() == before


async def test_json_of_another_shape_is_refused_everywhere(sqlite_server: TestServer, sqlite_world: World) -> None:
    """A list, a text or a number in place of the object is 422."""
    before = await sqlite_world.state()
    for operation in with_bodies(sqlite_server):
        for body in NOT_AN_OBJECT:
            assert (await send(sqlite_world, operation, body))[0] == 422, (operation.name, body[:20])
    assert await sqlite_world.state() == before


async def test_other_content_types_are_refused_everywhere(sqlite_server: TestServer, sqlite_world: World) -> None:
    """A form that another site could post, or a body without a type, is not taken for JSON."""
    before = await sqlite_world.state()
    for operation in with_bodies(sqlite_server):
        body = orjson.dumps(sqlite_world.body(operation))
        for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
            status, _ = await send(sqlite_world, operation, body, {"Content-Type": content_type})
            assert status in (415, 422), (operation.name, content_type)
    assert await sqlite_world.state() == before


async def test_unknown_field_is_refused_by_name_everywhere(sqlite_server: TestServer, sqlite_world: World) -> None:
    """A field we do not know is a mistake of the caller's, who is told which one."""
    before = await sqlite_world.state()
    for operation in with_bodies(sqlite_server):
        for name in ("surprise", "__proto__", "id", "is_admin", "имя\u0000"):
            status, found = await send(sqlite_world, operation, orjson.dumps(sqlite_world.body(operation) | {name: 1}))
            assert (status, [error["field"] for error in found["errors"]]) == (422, [name]), operation.name
    assert await sqlite_world.state() == before


async def test_bad_value_is_refused_by_the_field_s_name_everywhere(
    sqlite_server: TestServer, sqlite_world: World
) -> None:
    """Every field of every body refuses what it cannot be, by its name."""
    before = await sqlite_world.state()
    count = 0
    for operation in with_bodies(sqlite_server):
        for field, name, body in bad_bodies(sqlite_world, operation):
            status, found = await send(sqlite_world, operation, body)
            fields = {error["field"].partition(".")[0] for error in found.get("errors", [])}
            assert (status, fields) == (422, {field}), (operation.name, field, name, found)
            count += 1
    assert count > 500
    assert await sqlite_world.state() == before


def bad_bodies(world: World, operation: Operation) -> Iterator[tuple[str, str, bytes]]:
    """Yield field, what is wrong with it, and the body, for a body that is otherwise good."""
    for field in operation.fields:
        rest = {name: value for name, value in world.body(operation).items() if name != field}
        head = orjson.dumps(rest).removesuffix(b"}") + (b"," if rest else b"")
        for name, value in BAD_VALUES.items():
            if not (name in TEXTS and operation.is_free_text(field)):
                yield field, name, head + b'"' + field.encode() + b'":' + value + b"}"


async def test_missing_field_is_named_everywhere(sqlite_server: TestServer, sqlite_world: World) -> None:
    """A required field that is not there is named."""
    for operation in with_bodies(sqlite_server):
        for field in sqlite_world.body(operation):
            rest = {name: value for name, value in sqlite_world.body(operation).items() if name != field}
            status, found = await send(sqlite_world, operation, orjson.dumps(rest))
            assert (status, [error["field"] for error in found["errors"]]) == (422, [field]), operation.name


async def test_garbage_in_queries_and_paths_is_no_accident(server: TestServer, world: World) -> None:
    """Whatever stands in a query or in a path, the answer is an answer."""
    before = await world.state()
    for operation in operations(server.application):
        if "stream" in operation.path:
            continue
        targets = [
            f"{world.fill(operation.path)}?{name}={value}" for name in operation.query_names for value in GARBAGE
        ]
        targets += [
            world.fill(operation.path, **{name: value}) for name in operation.path_names for value in GARBAGE_IN_PATHS
        ]
        for target in targets:
            answer = await world.owner.call(operation.method, server.url + target)
            assert answer.status_code < 500, (operation.name, target[:200], answer.text)
            if answer.status_code >= 400:
                assert_problem(answer)
    assert await world.state() == before


async def test_headers_of_garbage_are_no_accident(server: TestServer, world: World) -> None:
    """Preconditions, keys and cookies that are none are 4xx; an endless user agent is cut."""
    path, body = f"/tasks/{world.ids['task_id']}", {"title": "Changed"}
    before = await world.state()
    for name, value in [
        ("If-Match", "7"),
        ("If-Match", '"x"'),
        ("If-Match", '"99999999999999999999"'),
        ("If-Match", '"7", "8"'),
        ("Idempotency-Key", "x" * 201),
        ("Idempotency-Key", "ключ".encode()),
        ("Idempotency-Key", "two words"),
        ("Authorization", "Bearer " + "x" * 5000),
        ("Authorization", b"Bearer \xff\xfe"),
    ]:
        answer = await world.owner.call("PATCH", path, json=body, headers={name: value})
        assert_problem(answer)
        assert answer.status_code in (400, 401), (name, value, answer.text)
    assert await world.state() == before
    login = {"email": world.owner.user["email"], "password": "correct horse battery"}
    answer = await world.owner.call("POST", "/auth/login", json=login, headers={"User-Agent": b"\xff" * 2000})
    assert answer.status_code == 200
    answer = await world.owner.call("POST", "/auth/refresh", headers={"Cookie": f"timetodo_refresh={'x' * 300}"})
    assert answer.status_code in (401, 422)


async def test_body_that_does_not_come_holds_nobody_up(
    server: TestServer, anna: Person, project: Json, caplog: pytest.LogCaptureFixture
) -> None:
    """As many as there are connections to a database begin calls and leave it at that; then they are gone, unheard."""
    task = await anna.task(project)
    head = request(
        f"/api/v1/tasks/{task['id']}/archive",
        "POST",
        Host="x",
        Authorization=f"Bearer {anna.token}",
        Expect="100-continue",
        **{"Idempotency-Key": "op", "Content-Length": "1"},
    )
    wires = [await dial(server) for _ in range(POOL_SIZE + MAX_OVERFLOW)]
    for wire in wires:
        await wire.write(head)
    for wire in wires:
        assert (await wire.answer()).status == 100  # the server waits for the body
    await anna.task(project)
    waiting = set(server.uvicorn.server_state.tasks)
    for wire in wires:
        wire.hang_up()
    await asyncio.wait(waiting)
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []
