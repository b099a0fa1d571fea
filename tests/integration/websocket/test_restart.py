"""Restarts, gentle and not: every client comes back to exactly what it missed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.integration.websocket.conftest import Serve
from tests.support.http import http_client
from tests.support.people import PASSWORD, Json
from tests.support.ports import free_port
from tests.support.sockets import Socket, open_socket

START_S = 30


async def test_drain_over_the_wire(serve: Serve) -> None:
    """Everybody is asked to come back and closed with 1012; meanwhile the server is not ready and takes nobody new."""
    stage = await serve(drain_s=0.3)
    server = stage.server
    async with open_socket(server, stage.anna) as anna, open_socket(server) as nobody, server.client() as client:
        await anna.join(stage.project)
        assert (await client.get(f"{server.url}/readyz")).status_code == 200
        draining = asyncio.create_task(server.hub.drain())
        for socket in (anna, nobody):
            message = await socket.receive_type("reconnect")
            assert 0 <= message["data"]["after_ms"] <= 300
            assert await socket.closed() == 1012
        await draining
        ready = await client.get(f"{server.url}/readyz")
        assert (ready.status_code, ready.json()["checks"]["accepting"]) == (503, False)
        with pytest.raises(InvalidStatus) as refused:
            await connect(server.ws_url)
        assert refused.value.response.status_code == 503
        assert refused.value.response.headers["Retry-After"] == "1"
        stream = await client.get(f"/projects/{stage.project['id']}/events/stream")
        assert (stream.status_code, stream.json()["code"]) == (503, "unavailable")


async def test_shutdown_tells_everybody_first(serve: Serve) -> None:
    """What SIGTERM does: the message, the close code, and an end in bounded time."""
    stage = await serve(drain_s=0.3)
    async with open_socket(stage.server, stage.anna) as socket:
        await socket.join(stage.project)
        stage.server.uvicorn.should_exit = True
        assert (await socket.receive_type("reconnect"))["data"]["after_ms"] >= 0
        assert await socket.closed() == 1012


class Process:
    """`timetodo serve` as a user runs it."""

    def __init__(self, data: Path, port: int) -> None:
        self.data = data
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        environment = os.environ | {"TIMETODO_REGISTRATION": "open", "TIMETODO_DRAIN_S": "0.2"}
        with (self.data / "log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
                [
                    *(sys.executable, "-c", "from app.cli import main; main()", "serve"),
                    *("--port", str(self.port), "--data", str(self.data)),
                ],
                env=environment,
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(START_S), http_client() as client:
            while not await self._is_ready(client):
                assert self.process.poll() is None, (self.data / "log").read_text()
                await asyncio.sleep(0.02)

    async def _is_ready(self, client: httpx2.AsyncClient) -> bool:
        try:
            return (await client.get(f"{self.url}/readyz")).status_code == 200
        except httpx2.TransportError:
            return False

    def end(self, how: signal.Signals) -> int:
        """Send a signal and wait; return the exit code."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(START_S)

    @asynccontextmanager
    async def socket(self, token: str) -> AsyncIterator[Socket]:
        async with connect(f"ws://127.0.0.1:{self.port}/api/v1/ws?token={token}") as connection:
            yield Socket(connection)


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[Process]:
    process = Process(tmp_path, free_port())
    await process.start()
    yield process
    if process.process is not None and process.process.poll() is None:
        process.end(signal.SIGKILL)


async def register(process: Process, client: httpx2.AsyncClient) -> tuple[str, Json]:
    code = (process.data / "admin-code").read_text().strip()
    body = {"email": "anna@example.org", "password": PASSWORD, "name": "Anna", "code": code}
    answer = await client.post("/auth/register", json=body)
    assert answer.status_code == 201, answer.text
    token: str = answer.json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    project: Json = (await client.post("/projects", json={"name": "Website"})).json()
    return token, project


async def write(client: httpx2.AsyncClient, project: Json, title: str) -> None:
    answer = await client.post("/tasks", json={"project_id": project["id"], "title": title})
    assert answer.status_code == 201, answer.text


async def test_resume_after_a_crash_gets_exactly_what_was_missed(process: Process) -> None:
    """Killed outright, then the same data again: what was answered is there, each event once."""
    async with http_client(base_url=f"{process.url}/api/v1") as client:
        token, project = await register(process, client)
        async with process.socket(token) as socket:
            epoch = (await socket.join(project))["epoch"]
            await write(client, project, "seen")
            (seen,) = await socket.receive_events(1)
        for number in range(5):
            await write(client, project, f"missed {number}")
        assert process.end(signal.SIGKILL) == -signal.SIGKILL
        await process.start()
        async with process.socket(token) as socket:
            data = await socket.join(project, since={"epoch": epoch, "seq": seen["seq"]})
            assert (data["recovered"], data["replay"]) == (True, 5)
            missed = await socket.receive_events(5)
            assert [event["data"]["title"] for event in missed] == [f"missed {number}" for number in range(5)]
            await write(client, project, "live")
            (live,) = await socket.receive_events(1)
            assert [event["seq"] for event in (seen, *missed, live)] == [1, 2, 3, 4, 5, 6, 7]


async def test_terminated_process_says_goodbye(process: Process) -> None:
    """SIGTERM: the clients are asked to come back, and the process ends by itself soon."""
    async with http_client(base_url=f"{process.url}/api/v1") as client:
        token, project = await register(process, client)
        async with process.socket(token) as socket:
            await socket.join(project)
            assert process.process is not None
            process.process.send_signal(signal.SIGTERM)
            assert "after_ms" in (await socket.receive_type("reconnect"))["data"]
            assert await socket.closed() == 1012
        await client.aclose()
        await asyncio.to_thread(process.process.wait, 10)
        assert "Traceback" not in (process.data / "log").read_text()
