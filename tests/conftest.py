"""Fixtures for every test: a database and a Redis of its own for the test that asks."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from redis.asyncio import Redis

from app import logs
from app.config import Settings
from tests.support import servers
from tests.support.people import Json, Person, register
from tests.support.server import TestServer, make_settings, migrated, run_server


def pytest_configure() -> None:
    """Say before the first test what is missing; the servers themselves start when first wanted."""
    logs.configure("WARNING", as_json=False)
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


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind: a test that asks for it runs on both."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite+aiosqlite:///{tmp_path / 'test.sqlite3'}"


@pytest.fixture
async def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a server with an up-to-date database of its own."""
    return await migrated(make_settings(tmp_path, database_url=database_url))


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[TestServer]:
    """A running server, on both databases."""
    async with run_server(settings) as running:
        yield running


@pytest.fixture
async def sqlite_server(tmp_path: Path) -> AsyncIterator[TestServer]:
    """A running server for tests whose subject is not the database."""
    async with run_server(await migrated(make_settings(tmp_path))) as running:
        yield running


@pytest.fixture
async def anna(server: TestServer) -> AsyncIterator[Person]:
    """The first user, administrator of the server."""
    async with await register(server, "Anna") as person:
        yield person


@pytest.fixture
async def boris(server: TestServer, anna: Person) -> AsyncIterator[Person]:
    """A second user."""
    async with await register(server, "Boris") as person:
        yield person


@pytest.fixture
async def project(anna: Person) -> Json:
    """A project of Anna's."""
    return await anna.project()
