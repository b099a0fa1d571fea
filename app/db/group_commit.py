"""SQLite's one writer: units take turns on one connection, and what is done together is committed together.

Nobody is answered and nothing published before the disk has it. A unit that fails is undone alone; a commit that fails
fails its whole group; a caller that is cancelled changes nothing for the others (docs/decisions/0013).
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from sqlalchemy import Connection, Executable
from sqlalchemy.exc import OperationalError

from app.db.base import AfterCommit, Constant, TransactionLost, Values
from app.db.prepared import Statements, driver_of
from app.db.threads import run_in_thread

WAIT_S: Final = 10.0
"""How long a unit waits for its turn, and for a writer of another process (a backup, a second command)."""
RETRY_S: Final = 0.02
"""How often it looks whether the other process is done."""


class Writer:
    """The one writer: units take turns on one connection, and those that are done together are committed together.

    A unit is a savepoint of the transaction its group shares; one that fails is undone alone. The commit queues for its
    turn like a unit: whoever waits when the first unit of a group is done belongs to the group, whoever comes later (as
    a rule, while the disk is busy) belongs to the next. A commit that fails fails its whole group.
    """

    def __init__(self, connect: Callable[[], Connection], statements: Statements) -> None:
        self._connect = connect
        self._statements = statements
        self._turn = asyncio.Lock()  # fair: first come, first served
        self._publishing = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "sqlite-writer")
        self._connection: Connection | None = None
        self._group: Group | None = None
        self._commits: set[asyncio.Task[None]] = set()

    async def enter(self) -> "Unit":
        """Wait for a turn and begin a unit.

        Raises:
            TimeoutError: others, here or in another process, have been writing for too long.
            OperationalError: the database cannot be written to.
        """
        try:
            async with asyncio.timeout(WAIT_S):
                await self._turn.acquire()
                await self._begin_unit()
        except TimeoutError:
            message = f"SQLite's write lock was held by others for {WAIT_S:g} s"
            raise TimeoutError(message) from None
        return Unit(self)

    def execute(self, statement: Executable, values: Values | None) -> Any:
        """Run a statement of the unit whose turn it is."""
        if not self.driver.in_transaction:  # a full disk makes SQLite undo everything; nothing may come after that
            raise TransactionLost
        assert self._connection is not None
        return self._statements.execute(self._connection, statement, values)

    async def execute_in_thread(self, statement: Executable, values: Values | None) -> Any:
        """Run a statement that may take long; the other units wait, the event loop does not."""

        def run() -> Any:
            result = self.execute(statement, values)
            return result.freeze()() if result.returns_rows else result

        return await run_in_thread(self._thread, run)

    def join(self, then: AfterCommit) -> "asyncio.Future[None]":
        """End the turn of a unit that is done; the future ends with its group's commit."""
        group = self._group
        try:
            assert group is not None
            if not self.driver.in_transaction:
                raise TransactionLost
            self.driver.execute("RELEASE unit")
            if not group.units:
                task = asyncio.create_task(self._commit(group))
                self._commits.add(task)
                task.add_done_callback(self._commits.discard)
            return group.add(then)
        except BaseException as error:
            self._lose(error)
            raise
        finally:
            self._turn.release()

    def leave(self) -> None:
        """End the turn of a unit that failed, and undo it; the others of its group stay whole."""
        group = self._group
        try:
            if group is not None and group.units and self.driver.in_transaction:
                self.driver.execute("ROLLBACK TO unit")
                self.driver.execute("RELEASE unit")
            else:
                self._lose(TransactionLost())
        except BaseException as error:
            self._lose(error)
            raise
        finally:
            self._turn.release()

    async def stop(self) -> None:
        """Let the commits end, then close the connection."""
        await asyncio.gather(*self._commits, return_exceptions=True)
        async with self._turn:
            self._thread.shutdown(wait=False)
            self._drop_connection()

    @property
    def driver(self) -> sqlite3.Connection:
        """The driver's connection, for what SQLAlchemy has no cheap word for."""
        assert self._connection is not None
        return driver_of(self._connection)

    async def _begin_unit(self) -> None:
        try:
            if self._group is None:
                await self._begin()
            self.driver.execute("SAVEPOINT unit")
        except BaseException as error:
            if self._group is not None and not self._group.units:
                self._lose(error)
            self._turn.release()
            raise

    async def _begin(self) -> None:
        """Begin the transaction of a group, once no other process writes."""
        if self._connection is None:
            self._connection = self._connect()
            self.driver.execute("PRAGMA busy_timeout=0")  # waiting is done here, where it stops nobody
        while True:
            try:
                self._connection.begin()
                break
            except OperationalError as error:
                if not _is_busy(error):
                    self._drop_connection()
                    raise
            await asyncio.sleep(RETRY_S)
        self._group = Group()

    async def _commit(self, group: "Group") -> None:
        async with self._turn:
            if self._group is not group:
                return  # it was lost
            assert self._connection is not None
            try:
                await run_in_thread(self._thread, self._connection.commit)
            except BaseException as error:
                self._lose(error)
                if not isinstance(error, Exception):
                    raise
                return
            self._group = None
        async with self._publishing:  # in the order of the commits, while the next group goes on
            await group.succeed()

    def _lose(self, error: BaseException) -> None:
        """Give up the transaction: none of its group is committed."""
        group, self._group = self._group, None
        try:
            if self._connection is not None and self.driver.in_transaction and group is not None and not group.units:
                self._connection.rollback()
            else:
                self._drop_connection()
        finally:
            if group is not None:
                group.fail(error)

    def _drop_connection(self) -> None:
        """Close it: SQLite keeps a transaction open, with its lock, when a commit fails."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


class Group:
    """Units that are done and wait for the commit they share."""

    def __init__(self) -> None:
        self.units: list[tuple[AfterCommit, asyncio.Future[None]]] = []

    def add(self, then: AfterCommit) -> "asyncio.Future[None]":
        """Take in a unit; the future ends when it is committed, or is not."""
        done = asyncio.get_running_loop().create_future()
        self.units.append((then, done))
        return done

    async def succeed(self) -> None:
        """Do what follows each unit's commit, in order; a caller that was cancelled changes nothing about that."""
        for then, done in self.units:
            await then()
            if not done.done():
                done.set_result(None)

    def fail(self, error: BaseException) -> None:
        """Tell every unit that it was not committed."""
        for _, done in self.units:
            if not done.done():
                lost = TransactionLost()
                lost.__cause__ = error
                done.set_exception(lost)


class Unit:
    """One turn of the writer."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._is_open = True

    async def execute(self, statement: Executable, values: Values | None, *, in_thread: bool) -> Any:
        """Run a statement at once, or in a thread."""
        if in_thread:
            return await self._writer.execute_in_thread(statement, values)
        return self._writer.execute(statement, values)

    async def rows(self, statement: Constant, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run a constant SELECT of a few rows."""
        found: Sequence[Sequence[Any]] = self._writer.execute(statement, values).all()
        return found

    async def commit(self, then: AfterCommit) -> None:
        """Return when the group is committed and `then` was awaited."""
        self._is_open = False
        await self._writer.join(then)

    async def close(self) -> None:
        """Undo the unit, unless it was handed over to its group."""
        if self._is_open:
            self._is_open = False
            self._writer.leave()


def _is_busy(error: OperationalError) -> bool:
    return isinstance(error.orig, sqlite3.Error) and error.orig.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
