"""The same log as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import orjson
import pytest

from app.websocket import lifecycle
from tests.integration.websocket.conftest import Serve, Stage, fill, narrow_socket
from tests.support.people import Json, Person
from tests.support.realtime import eventually
from tests.support.server import TestServer

DEADLINE_S = 5.0


class Stream:
    """One open stream; its blocks are taken in the order they come."""

    def __init__(self, answer: httpx2.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def next(self) -> Json:
        """Take the next event: its id, type and message."""
        block: Json = {}
        async with asyncio.timeout(DEADLINE_S):
            async for line in self._lines:
                if not line and "event" in block:
                    return block
                name, _, value = line.partition(": ")
                if name in {"id", "event", "data"}:
                    block[name] = orjson.loads(value) if name == "data" else value
        return block

    async def events(self, count: int) -> list[Json]:
        """Take the next durable events."""
        found: list[Json] = []
        while len(found) < count:
            block = await self.next()
            assert block, "the stream has ended"
            found += [block] if "seq" in block["data"] else []
        return found

    async def rest(self) -> list[str]:
        """Return the types of everything that comes until the stream ends."""
        types: list[str] = []
        while block := await self.next():
            types.append(block["event"])
        return types


@asynccontextmanager
async def open_stream(
    server: TestServer, project: Json, person: Person | None = None, **headers: str
) -> AsyncIterator[Stream]:
    known = {"Authorization": f"Bearer {person.token}"} if person else {}
    async with (
        server.client(headers=known | headers) as client,
        client.stream("GET", f"/projects/{project['id']}/events/stream") as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield Stream(answer)


async def test_live(server: TestServer, anna: Person, project: Json) -> None:
    """Joined first, then each event with its position and the same JSON as anywhere else."""
    async with open_stream(server, project, anna) as stream:
        joined = await stream.next()
        assert (joined["event"], joined["data"]["data"]["reason"]) == ("project_joined", "fresh")
        epoch = joined["data"]["data"]["epoch"]
        assert joined["id"] == f"{epoch}:0"
        for number in range(3):
            await anna.task(project, f"task {number}")
        blocks = await stream.events(3)
        assert [block["id"] for block in blocks] == [f"{epoch}:{seq}" for seq in (1, 2, 3)]
        page = await anna.get(f"/projects/{project['id']}/events")
        assert [block["data"] for block in blocks] == page["items"]


async def test_last_event_id_resumes(server: TestServer, anna: Person, project: Json) -> None:
    """A stream that comes back with the last id it saw gets what it missed, and no more."""
    for number in range(3):
        await anna.task(project, f"task {number}")
    epoch = (await anna.board(project))["epoch"]
    async with open_stream(server, project, anna, **{"Last-Event-ID": f"{epoch}:1"}) as stream:
        joined = await stream.next()
        assert (joined["data"]["data"]["recovered"], "id" in joined) == (True, False)
        assert [block["data"]["seq"] for block in await stream.events(2)] == [2, 3]
        await anna.task(project, "live")
        assert [block["id"] for block in await stream.events(1)] == [f"{epoch}:4"]


async def test_anonymous_reader_of_a_public_project(stage: Stage) -> None:
    """Nobody needs an account for what is public; when it is made private, the stream ends."""
    project = await stage.anna.project("Open", visibility="public")
    async with open_stream(stage.server, project) as stream:
        await stage.anna.task(project)
        await stream.events(1)
        await stage.anna.call("PATCH", f"/projects/{project['id']}", expect=200, json={"visibility": "private"})
        assert await stream.rest() == ["project_left", "closed"]


async def test_removed_member_reads_no_more(stage: Stage) -> None:
    """The stream says so and ends; coming back is a 404."""
    await stage.anna.add(stage.project, stage.boris)
    path = f"/projects/{stage.project['id']}"
    async with open_stream(stage.server, stage.project, stage.boris) as stream:
        await stream.next()
        await stage.anna.call("DELETE", f"{path}/members/{stage.boris.id}", expect=204)
        await stage.anna.task(stage.project, "secret")
        assert await stream.rest() == ["project_left", "closed"]
    answer = await stage.boris.call("GET", f"{path}/events/stream", expect=404)
    assert answer.json()["code"] == "not_found"


async def test_logout_ends_the_stream(stage: Stage) -> None:
    """With the code a socket would get."""
    async with open_stream(stage.server, stage.project, stage.anna) as stream:
        await stream.next()
        await stage.anna.call("POST", "/auth/logout", expect=204)
        closed = await stream.next()
        while closed["event"] != "closed":
            closed = await stream.next()
        assert closed["data"]["data"] == {"code": 4410, "reason": "this session has ended"}
        assert await stream.rest() == []


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 404, "not_found"),
        ({"Authorization": "Bearer garbage"}, 401, "unauthorized"),
        ({"Authorization": "Basic YTpi"}, 401, "unauthorized"),
        ({"Authorization": "BORIS"}, 404, "not_found"),
        ({"Authorization": "ANNA", "Last-Event-ID": "garbage"}, 400, "bad_request"),
    ],
)
async def test_refusals_are_problems(stage: Stage, headers: dict[str, str], status: int, code: str) -> None:
    """Before anything is streamed, as every other call refuses."""
    tokens = {"ANNA": f"Bearer {stage.anna.token}", "BORIS": f"Bearer {stage.boris.token}"}
    real = {name: tokens.get(value, value) for name, value in headers.items()}
    async with stage.server.client(headers=real) as client:
        answer = await client.get(f"/projects/{stage.project['id']}/events/stream")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_reader_who_goes_frees_the_connection(stage: Stage) -> None:
    """A stream counts as a connection while it is read, and not a moment longer."""
    manager = stage.server.hub.manager
    async with open_stream(stage.server, stage.project, stage.anna) as stream:
        await stream.next()
        stats = manager.get_stats()
        assert (stats["active_connections"], stats["authenticated_users"], stats["active_rooms"]) == (1, 1, 1)
    await eventually(lambda: manager.connections == {})
    stats = manager.get_stats()
    assert (stats["authenticated_users"], stats["active_rooms"]) == (0, 0)


async def test_streams_are_limited_with_sockets(serve: Serve) -> None:
    """One too many is refused with 503 before anything is streamed."""
    stage = await serve(ws_max_connections_per_user=1)
    async with open_stream(stage.server, stage.project, stage.anna) as stream:
        await stream.next()
        answer = await stage.anna.call("GET", f"/projects/{stage.project['id']}/events/stream", expect=503)
        assert answer.json()["code"] == "unavailable"


async def test_streams_have_the_rate_of_sockets(serve: Serve) -> None:
    """One address that opens them too often is told when to come back."""
    stage = await serve(ws_connects_per_s=0.1, ws_connect_burst=1)
    async with open_stream(stage.server, stage.project, stage.anna) as stream:
        await stream.next()
        answer = await stage.anna.call("GET", f"/projects/{stage.project['id']}/events/stream", expect=429)
    assert answer.json()["code"] == "rate_limited"
    assert 1 <= int(answer.headers["Retry-After"]) <= 10


async def test_silent_stream_gets_comments(serve: Serve) -> None:
    """So that proxies keep it open; they keep the connection alive here too."""
    stage = await serve(ws_heartbeat_s=0.05)
    async with open_stream(stage.server, stage.project, stage.anna) as stream:
        comments = 0
        async with asyncio.timeout(DEADLINE_S):
            async for line in stream._lines:
                comments += line == ": still here"
                if comments == 3:
                    break


async def test_reader_who_takes_nothing_is_cut(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that makes no progress is let go like a socket, and holds nothing here."""
    monkeypatch.setattr(lifecycle, "CLOSE_S", 0.05)
    stage = await serve(ws_slow_s=0.2)
    manager = stage.server.hub.manager
    raw = await narrow_socket(stage.server)
    request = (
        f"GET /api/v1/projects/{stage.project['id']}/events/stream HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {stage.anna.token}\r\n\r\n"
    )
    await asyncio.get_running_loop().sock_sendall(raw, request.encode())
    await eventually(lambda: len(manager.connections) == 1)
    await fill(stage, 30)
    await eventually(lambda: manager.connections == {})
    assert manager.rooms == {}
    raw.close()


async def test_project_lost_between_the_answer_and_the_join(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that could not join says why and ends instead of hanging open for nothing."""
    directory = stage.server.hub.directory
    enter, calls = directory.enter, iter(range(10))

    async def enter_once(*arguments: Any) -> Any:
        if next(calls) == 1:
            path = f"/projects/{stage.project['id']}"
            await stage.anna.call("DELETE", path, expect=204)
        return await enter(*arguments)

    monkeypatch.setattr(directory, "enter", enter_once)
    async with open_stream(stage.server, stage.project, stage.anna) as stream:
        assert await stream.rest() == ["error", "closed"]
