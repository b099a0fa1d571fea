"""Fixtures for every test: a database and a Redis of its own for the test that asks."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import asyncpg
import pytest
from redis.asyncio import Redis

from tests.support import servers


def pytest_configure() -> None:
    """Say before the first test what is missing; the servers themselves start when first wanted."""
    try:
        servers.require_servers()
    except servers.ServerMissingError as missing:
        raise pytest.UsageError(str(missing)) from None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """One PostgreSQL for each test process."""
    with servers.postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """One Redis for each test process: a publication is heard in every database of a server."""
    with servers.redis_server() as url:
        yield url


@pytest.fixture
async def postgres_url(postgres_server: str) -> AsyncIterator[str]:
    """The URL, as the app takes it, of a fresh and empty PostgreSQL database."""
    name = f"test_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(postgres_server)
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        yield urlsplit(postgres_server)._replace(scheme="postgresql+asyncpg", path=f"/{name}").geturl()
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


@pytest.fixture
async def redis_url(redis_server: str) -> str:
    """The URL of an empty Redis database. One given by TIMETODO_TEST_REDIS_URL is emptied too."""
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = urlsplit(redis_server)._replace(path=f"/{number}").geturl()
    async with Redis.from_url(url) as client:
        await client.flushdb()
    return url
