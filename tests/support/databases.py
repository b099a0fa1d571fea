"""PostgreSQL databases of the tests: one is emptied for each test, which is quicker than to make one."""

import secrets
from typing import Final
from urllib.parse import urlsplit

import asyncpg

_SHAPE: Final = """
SELECT md5(string_agg(part, ' ' ORDER BY part)) FROM (
    SELECT attrelid::regclass || '.' || attname || atttypid AS part FROM pg_attribute JOIN pg_class ON attrelid = oid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0
    UNION ALL SELECT tgrelid::regclass || tgname FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT conrelid::regclass || conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
) AS parts
"""
"""What a test may have changed that emptying does not undo."""
_END_OTHERS: Final = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class EmptiedDatabase:
    """A database like the template, given to one test after the other."""

    def __init__(self, server_url: str, template: str) -> None:
        self._server_url = server_url
        self._template = template
        self._name: str | None = None
        self._shape = ""
        self._empty = ""

    async def take(self) -> str:
        """Return the URL of the database, as the app takes it, as if it had just been made."""
        if self._name is None or not await self._emptied(self._name):
            self._name = await self._make()
        return sqlalchemy_url(self._server_url, self._name)

    async def _make(self) -> str:
        name = f"test_{secrets.token_hex(6)}"
        await execute(self._server_url, f"CREATE DATABASE {name} TEMPLATE {self._template}")
        connection = await asyncpg.connect(_url(self._server_url, name))
        try:
            self._shape = await connection.fetchval(_SHAPE)
            self._empty = await _script(connection)
        finally:
            await connection.close()
        return name

    async def _emptied(self, name: str) -> bool:
        """Empty the database, unless a test has changed more than its rows: then it goes."""
        connection = await asyncpg.connect(_url(self._server_url, name))
        try:
            await connection.execute(_END_OTHERS)
            if await connection.fetchval(_SHAPE) == self._shape:
                await connection.execute(self._empty)
                return True
        finally:
            await connection.close()
        await execute(self._server_url, f"DROP DATABASE {name} WITH (FORCE)")
        return False


async def _script(connection: asyncpg.Connection) -> str:
    """Keep what the template holds, and return the statements that bring the tables back to it."""
    tables = [row[0] for row in await connection.fetch("SELECT relid::regclass::text FROM pg_stat_user_tables")]
    sequences = [row[0] for row in await connection.fetch("SELECT quote_ident(sequencename) FROM pg_sequences")]
    script = ["SET session_replication_role = replica"]  # in any order: without foreign keys and triggers
    await connection.execute("CREATE SCHEMA initial")
    for table in tables:
        script.append(f"DELETE FROM {table}")
        if await connection.fetchval(f"SELECT count(*) FROM {table}"):
            await connection.execute(f"CREATE TABLE initial.{table} AS TABLE {table}")
            script.append(f"INSERT INTO {table} TABLE initial.{table}")
    script.extend(f"SELECT setval('{sequence}', 1, false)" for sequence in sequences)
    return ";".join(script)


async def execute(server_url: str, statement: str) -> None:
    """Run one statement outside any transaction, as the PostgreSQL server's owner."""
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def sqlalchemy_url(server_url: str, database: str) -> str:
    """Return the URL of one database as the app takes it."""
    return urlsplit(server_url)._replace(scheme="postgresql+asyncpg", path=f"/{database}").geturl()


def _url(server_url: str, database: str) -> str:
    return urlsplit(server_url)._replace(path=f"/{database}").geturl()
