"""Servers with limits so small that a test reaches them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.people import Json, Person, register
from tests.support.server import TestServer, make_settings, migrated, run_server

Serve = Callable[..., Awaitable["Stage"]]


class Stage:
    """A server, two people, and a project of the first."""

    def __init__(self, server: TestServer, anna: Person, boris: Person, project: Json) -> None:
        self.server = server
        self.anna = anna
        self.boris = boris
        self.project = project


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """Start a server with the given settings, on SQLite; it stops after the test."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> Stage:
            server = await stack.enter_async_context(run_server(await migrated(make_settings(tmp_path, **settings))))
            anna = await stack.enter_async_context(await register(server, "Anna"))
            boris = await stack.enter_async_context(await register(server, "Boris"))
            return Stage(server, anna, boris, await anna.project())

        yield start


@pytest.fixture
async def stage(serve: Serve) -> Stage:
    """A server with the settings of all tests."""
    return await serve()
