"""One engine for both databases, set up so that a commit is durable and a writer never fails for being second.

SQLite: WAL, `synchronous=FULL`, foreign keys on, and `BEGIN IMMEDIATE` for writers: with a deferred begin, two that
read before they write end in "database is locked" (docs/decisions). Readers get a snapshot and never wait.
PostgreSQL: READ COMMITTED for writers, who lock their project's row; REPEATABLE READ for readers, one snapshot.
What statements were given (hashes, addresses, people's texts) stays out of error texts and so out of logs.
"""

from typing import Any, Final

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

BUSY_TIMEOUT_MS: Final = 10_000
"""How long a SQLite writer waits for a writer of another process (a backup, a second command)."""
WRITE_OPTION: Final = "timetodo_write"
POOL_SIZE: Final = 10
MAX_OVERFLOW: Final = 20


def create_engine(url: str) -> AsyncEngine:
    """Open the engine for `sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`.

    Raises:
        ValueError: another kind of database.
    """
    if url.startswith("sqlite+aiosqlite:"):
        engine = create_async_engine(url, pool_size=POOL_SIZE, max_overflow=MAX_OVERFLOW, hide_parameters=True)
        event.listen(engine.sync_engine, "connect", _set_up_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    if url.startswith("postgresql+asyncpg:"):
        return create_async_engine(
            url, pool_size=POOL_SIZE, max_overflow=MAX_OVERFLOW, pool_pre_ping=True, hide_parameters=True
        )
    message = "TIMETODO_DATABASE_URL must begin with sqlite+aiosqlite:// or postgresql+asyncpg://"
    raise ValueError(message)


def _set_up_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself: `_begin_sqlite` does
    connection.create_function("lower", 1, _lower, deterministic=True)  # SQLite's own knows ASCII only
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITE_OPTION, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
