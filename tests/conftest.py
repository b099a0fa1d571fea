"""Fixtures for every test: a database and a Redis of its own for the test that asks."""

import asyncio
import gc
import os
import secrets
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from app import logs
from app.config import Settings
from tests.support import servers
from tests.support.databases import EmptiedDatabase, execute, sqlalchemy_url
from tests.support.hangs import HangWatch
from tests.support.people import Json, Person, register
from tests.support.realtime import Clock
from tests.support.server import TestServer, lay_admin_code, make_settings, migrated, run_server

MUCH_GARBAGE = 100_000
"""Objects made and not ended since the last round."""


def pytest_configure() -> None:
    """Say before the first test what is missing; the servers themselves start when first wanted."""
    logs.configure("WARNING", as_json=False)
    try:
        servers.require_servers()
    except servers.ServerMissingError as missing:
        raise pytest.UsageError(str(missing)) from None


def pytest_sessionstart(session: pytest.Session) -> None:
    """Let nothing hang unheard."""
    session.config.pluginmanager.register(HangWatch(session.config))


def pytest_collection_finish() -> None:
    """Keep the garbage collector out of the tests: a round of its own choosing stops every server of the process.

    It may also come in any thread, and end there what another one waits for.
    """
    gc.collect()
    gc.freeze()
    gc.disable()


def pytest_runtest_logfinish() -> None:
    """Collect between two tests, once it is worth it.

    Not under the eyes of coverage, which asks at every call what greenlet it is in: where that call ends a greenlet of
    the garbage the process has hung.
    """
    if gc.get_count()[0] > MUCH_GARBAGE:
        tracer = sys.gettrace()
        sys.settrace(None)
        gc.collect()
        sys.settrace(tracer)


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
    await execute(postgres_server, f"CREATE DATABASE {name}")
    yield sqlalchemy_url(postgres_server, name)
    await execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


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
    return f"sqlite:///{tmp_path / 'test.sqlite3'}"


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An up-to-date SQLite database to copy: quicker than to migrate one for each test."""
    folder = tmp_path_factory.mktemp("template")
    asyncio.run(migrated(make_settings(folder)))
    return folder / "timetodo.sqlite3"


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of an up-to-date PostgreSQL database to copy."""
    name = f"template_{secrets.token_hex(6)}"

    async def make() -> None:
        await execute(postgres_server, f"CREATE DATABASE {name}")
        url = sqlalchemy_url(postgres_server, name)
        await migrated(make_settings(tmp_path_factory.mktemp("template"), database_url=url))

    asyncio.run(make())
    return name


@pytest.fixture(scope="session")
def emptied_postgres(postgres_server: str, migrated_postgres: str) -> EmptiedDatabase:
    """An up-to-date PostgreSQL database to empty: quicker than to copy one for each test."""
    return EmptiedDatabase(postgres_server, migrated_postgres)


@pytest.fixture
async def postgres_copy(emptied_postgres: EmptiedDatabase) -> str:
    """The URL, as the app takes it, of an up-to-date PostgreSQL database."""
    return await emptied_postgres.take()


@pytest.fixture
def sqlite_settings(tmp_path: Path, migrated_sqlite: Path) -> Settings:
    """Settings of a server with an up-to-date SQLite database of its own."""
    lay_admin_code(tmp_path)
    shutil.copy(migrated_sqlite, tmp_path / "timetodo.sqlite3")
    return make_settings(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a server with an up-to-date database of its own: a test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        found: Settings = request.getfixturevalue("sqlite_settings")
        return found
    lay_admin_code(tmp_path)
    return make_settings(tmp_path, database_url=request.getfixturevalue("postgres_copy"))


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[TestServer]:
    """A running server, on both databases."""
    async with run_server(settings) as running:
        yield running


@pytest.fixture
async def sqlite_server(sqlite_settings: Settings) -> AsyncIterator[TestServer]:
    """A running server for tests whose subject is not the database."""
    async with run_server(sqlite_settings) as running:
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


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until it is turned."""
    return Clock()
