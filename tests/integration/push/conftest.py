"""Servers that push to this machine."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from app.config import Settings
from tests.support.push import PushService, Start
from tests.support.server import TestServer, run_server


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    """A running push service."""
    service = PushService()
    await service.start()
    yield service
    await service.stop()


@pytest.fixture
async def start(settings: Settings) -> AsyncIterator[Start]:
    """Start a server that may push to this machine."""
    async with AsyncExitStack() as stack:

        async def run(**changes: Any) -> TestServer:
            quick = {"push_allow_private": True, "push_interval_s": 0.1, "push_timeout_s": 30}
            return await stack.enter_async_context(run_server(Settings(**(settings.model_dump() | quick | changes))))

        yield run


@pytest.fixture
async def server(start: Start) -> TestServer:
    """One such server."""
    return await start()
