"""SQLite in this process: readers have snapshots and never wait, writers take turns and share commits.

WAL, `synchronous=FULL`, foreign keys on, and `BEGIN IMMEDIATE` for writers: with a deferred begin, two that read before
they write end in "database is locked" (docs/decisions/0003). A writer's statements take microseconds each and run on
the event loop; whatever may wait for the disk or look at many rows runs in a thread (docs/decisions/0013).
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Executable, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from app.db.base import AfterCommit, Answer, Constant, Transaction, Values
from app.db.group_commit import WAIT_S, Writer
from app.db.prepared import Statements, driver_of
from app.db.threads import run_in_thread

MAX_READERS: Final = 10
"""Reading transactions at once; more of them wait, and would only share the same cores."""
_BEGIN: Final = "timetodo_begin"
"""How SQLAlchemy is to begin a transaction on a connection; a reader's begins by itself."""


class SqliteEngine:
    """One database file: a pool of readers and one writer."""

    is_sqlite = True

    def __init__(self, url: str) -> None:
        # The pool has no limit, and so makes no thread wait, least of all the loop's; `_readers` is the limit.
        self._engine = create_engine(url, pool_size=MAX_READERS, max_overflow=-1, hide_parameters=True)
        event.listen(self._engine, "connect", _set_up)
        event.listen(self._engine, "begin", _begin)
        self._writing = self._engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        self._reading = self._engine.execution_options(**{_BEGIN: None})
        self._idle: list[Reader] = []
        """Readers' connections between two snapshots: to fetch one from the pool costs more than a short reading."""
        self._statements = Statements(self._engine.dialect)
        self._threads = ThreadPoolExecutor(MAX_READERS, "sqlite-reader")
        self._readers = asyncio.Semaphore(MAX_READERS)
        self._writer = Writer(self._writing.connect, self._statements)

    async def begin(self, *, writes: bool) -> Transaction:
        """Begin a snapshot, or take the next turn to write."""
        if writes:
            return await self._writer.enter()
        await self._readers.acquire()
        return Reading(self._take, self._give_back, self._statements, self._threads)

    async def run_alone(self, work: Callable[[Connection], Answer], *, writes: bool = True) -> Answer:
        """Run blocking work in a thread, on a connection of its own."""

        def run() -> Answer:
            with (self._writing if writes else self._engine).begin() as connection:
                return work(connection)

        return await run_in_thread(self._threads, run)

    async def dispose(self) -> None:
        """Finish what is being committed, then close every connection."""
        await self._writer.stop()
        self._threads.shutdown(wait=False)
        self.drop_idle()
        self._engine.dispose()

    def drop_idle(self) -> None:
        """Close the readers' connections that nobody uses."""
        while self._idle:
            self._idle.pop()[0].close()

    def _take(self) -> "Reader":
        if self._idle:
            return self._idle.pop()
        connection = self._reading.connect()
        return connection, driver_of(connection)

    def _give_back(self, reader: "Reader | None") -> None:
        if reader is not None:
            self._idle.append(reader)
        self._readers.release()


def create_private(path: Path) -> None:
    """Make an empty file that nobody else can read, unless there is one."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


Reader = tuple[Connection, sqlite3.Connection]
"""A connection that reads: SQLAlchemy's, and the driver's below it."""


class Reading:
    """A snapshot, begun by its first statement."""

    def __init__(
        self,
        take: Callable[[], Reader],
        give_back: Callable[[Reader | None], None],
        statements: Statements,
        threads: Executor,
    ) -> None:
        self._take = take
        self._give_back = give_back
        self._statements = statements
        self._threads = threads
        self._reader: Reader | None = None

    async def rows(self, statement: Constant, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run a constant SELECT of a few rows."""
        return self._statements.rows(self._begun()[1], statement, values)

    async def execute(self, statement: Executable, values: Values | None, *, in_thread: bool) -> Any:
        """Run a SELECT; in a thread, its rows are read there too."""
        if not in_thread:
            return self._statements.execute(self._begun()[0], statement, values)

        def run() -> Any:
            return self._begun()[0].execute(statement, values).freeze()()

        return await run_in_thread(self._threads, run)

    async def commit(self, then: AfterCommit) -> None:
        """There is nothing to commit."""
        await then()

    async def close(self) -> None:
        """Let the snapshot go, and give the connection back if it is still good for another."""
        reader, self._reader = self._reader, None
        kept = None
        try:
            if reader is not None:
                reader[1].execute("ROLLBACK")
                kept = reader
        finally:
            self._give_back(kept)

    def _begun(self) -> Reader:
        if self._reader is None:
            reader = self._take()
            reader[1].execute("BEGIN")
            self._reader = reader
        return self._reader


def _set_up(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself: `_begin` does
    connection.create_function("lower", 1, _lower, deterministic=True)  # SQLite's own knows ASCII only
    for pragma in (f"busy_timeout={WAIT_S * 1000:.0f}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _begin(connection: Connection) -> None:
    statement = connection.get_execution_options().get(_BEGIN, "BEGIN")
    if statement is not None:
        connection.exec_driver_sql(statement)
