"""SQLite in this process: readers have snapshots and never wait, writers take turns and share commits.

WAL, `synchronous=FULL`, foreign keys on, and `BEGIN IMMEDIATE` for writers: with a deferred begin, two that read before
they write end in "database is locked" (docs/decisions/0003). A writer's statements take microseconds each and run on
the event loop; whatever may wait for the disk or look at many rows runs in a thread (docs/decisions/0013).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Final

from sqlalchemy import Connection, Executable, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from app.db.base import AfterCommit, Answer, Transaction, Values
from app.db.group_commit import WAIT_S, Writer
from app.db.prepared import Statements
from app.db.threads import run_in_thread

MAX_READERS: Final = 10
"""Reading transactions at once; more of them wait, and would only share the same cores."""
_WRITES: Final = "timetodo_writes"


class SqliteEngine:
    """One database file: a pool of readers and one writer."""

    is_sqlite = True

    def __init__(self, url: str) -> None:
        # The pool has no limit, and so makes no thread wait, least of all the loop's; `_readers` is the limit.
        self._engine = create_engine(url, pool_size=MAX_READERS, max_overflow=-1, hide_parameters=True)
        event.listen(self._engine, "connect", _set_up)
        event.listen(self._engine, "begin", _begin)
        self._writing = self._engine.execution_options(**{_WRITES: True})
        self._statements = Statements(self._engine.dialect)
        self._threads = ThreadPoolExecutor(MAX_READERS, "sqlite-reader")
        self._readers = asyncio.Semaphore(MAX_READERS)
        self._writer = Writer(self._writing.connect, self._statements)

    async def begin(self, *, writes: bool) -> Transaction:
        """Begin a snapshot, or take the next turn to write."""
        if writes:
            return await self._writer.enter()
        await self._readers.acquire()
        return Reading(self._engine.connect, self._statements, self._threads, self._readers.release)

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
        self._engine.dispose()


class Reading:
    """A snapshot, begun by its first statement."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        statements: Statements,
        threads: Executor,
        on_close: Callable[[], None],
    ) -> None:
        self._connect = connect
        self._statements = statements
        self._threads = threads
        self._on_close = on_close
        self._connection: Connection | None = None

    async def execute(self, statement: Executable, values: Values | None, *, in_thread: bool) -> Any:
        """Run a SELECT; in a thread, its rows are read there too."""
        if not in_thread:
            return self._statements.execute(self._begun(), statement, values)

        def run() -> Any:
            return self._begun().execute(statement, values).freeze()()

        return await run_in_thread(self._threads, run)

    async def commit(self, then: AfterCommit) -> None:
        """There is nothing to commit."""
        await then()

    async def close(self) -> None:
        """Give the connection back."""
        try:
            if self._connection is not None:
                self._connection.close()
        finally:
            self._on_close()

    def _begun(self) -> Connection:
        if self._connection is None:
            self._connection = self._connect()
            self._connection.begin()
        return self._connection


def _set_up(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself: `_begin` does
    connection.create_function("lower", 1, _lower, deterministic=True)  # SQLite's own knows ASCII only
    for pragma in (f"busy_timeout={WAIT_S * 1000:.0f}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
