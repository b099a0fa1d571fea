"""A mail server on this machine, and boards that mail through it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from app.config import Settings
from tests.support.mail import MailServer, Start, mail_settings
from tests.support.server import TestServer, run_server
from tests.support.tls import Authority


@pytest.fixture
async def post_office() -> AsyncIterator[MailServer]:
    """A running mail server, not encrypted."""
    server = MailServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs the certificates of mail servers."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def start(settings: Settings, post_office: MailServer) -> AsyncIterator[Start]:
    """Start a server that mails through this machine."""
    async with AsyncExitStack() as stack:

        async def run(**changes: Any) -> TestServer:
            mail = mail_settings(post_office.port)
            return await stack.enter_async_context(run_server(Settings(**(settings.model_dump() | mail | changes))))

        yield run


@pytest.fixture
async def server(start: Start) -> TestServer:
    """One such server."""
    return await start()
