"""Servers with limits so small that a test reaches them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from app.config import Settings
from tests.support.people import Json, Person, register
from tests.support.server import TestServer, run_server

Serve = Callable[..., Awaitable["Stage"]]


class Stage:
    """A server, two people, and a project of the first."""

    def __init__(self, server: TestServer, anna: Person, boris: Person, project: Json) -> None:
        self.server = server
        self.anna = anna
        self.boris = boris
        self.project = project


@pytest.fixture(params=["quick", "portable"])
def is_portable(request: pytest.FixtureRequest) -> bool:
    """Whether the server has only what every ASGI server has: a test with a server runs on both ways in."""
    return bool(request.param == "portable")


quick_alone = pytest.mark.parametrize("is_portable", ["quick"], indirect=True)
"""For what our own protocols under uvicorn promise, and another server may do otherwise; the test says what that is."""


@pytest.fixture
async def server(settings: Settings, is_portable: bool) -> AsyncIterator[TestServer]:
    """A running server, on both databases."""
    async with run_server(settings, portable=is_portable) as running:
        yield running


@pytest.fixture
async def sqlite_server(sqlite_settings: Settings, is_portable: bool) -> AsyncIterator[TestServer]:
    """A running server for tests whose subject is not the database."""
    async with run_server(sqlite_settings, portable=is_portable) as running:
        yield running


@pytest.fixture
async def serve(sqlite_settings: Settings, is_portable: bool) -> AsyncIterator[Serve]:
    """Start a server with the given settings, on SQLite; it stops after the test."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> Stage:
            changed = Settings(**(sqlite_settings.model_dump() | settings))
            server = await stack.enter_async_context(run_server(changed, portable=is_portable))
            anna = await stack.enter_async_context(await register(server, "Anna"))
            boris = await stack.enter_async_context(await register(server, "Boris"))
            return Stage(server, anna, boris, await anna.project())

        yield start


@pytest.fixture
async def stage(serve: Serve) -> Stage:
    """A server with the settings of all tests."""
    return await serve()


NARROW_BYTES = 4096
"""Kernel buffers of a connection whose reader is to be felt at once; usually they hold megabytes."""


def narrow(server: TestServer) -> None:
    """Give the sockets that the server accepts from now on small buffers."""
    for listener in server.uvicorn.servers:
        for listening in listener.sockets:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, NARROW_BYTES)


async def narrow_socket(server: TestServer) -> socket.socket:
    """Return a connected socket with a small buffer."""
    narrow(server)
    dialled = socket.socket()
    dialled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW_BYTES)
    dialled.setblocking(False)
    await asyncio.get_running_loop().sock_connect(dialled, ("127.0.0.1", server.settings.port))
    return dialled


async def fill(stage: Stage, count: int, size: int = 20_000) -> Json:
    """Write so many large events to the project's log, after that of the task they are about; return the task."""
    task = await stage.anna.task(stage.project)
    for number in range(count):
        body = {"description": f"{number} " + "x" * size}
        await stage.anna.call("PATCH", f"/tasks/{task['id']}", expect=200, json=body)
    return task
