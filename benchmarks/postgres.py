"""A PostgreSQL for a measurement, durable as an operator's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from unittest.mock import patch
from urllib.parse import urlsplit

import asyncpg

from tests.support import servers

DURABLE: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
"""The tests do without; here a commit is one."""


@contextmanager
def durable_postgres() -> Iterator[servers.Postgres]:
    """Yield a running server."""
    with patch.dict(servers.POSTGRES_OPTIONS, DURABLE), servers.Postgres() as server:
        yield server


async def make_database(server_url: str, name: str) -> str:
    """Make a database; return its URL as SQLAlchemy takes it."""
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return urlsplit(server_url)._replace(scheme="postgresql+asyncpg", path=f"/{name}").geturl()
