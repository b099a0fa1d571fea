"""PostgreSQL: READ COMMITTED for writers, who lock their project's row; REPEATABLE READ for readers, one snapshot."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from app.db.base import AfterCommit, Answer, Constant, Transaction, TransactionLost, Values

POOL_SIZE: Final = 10
MAX_OVERFLOW: Final = 20
_SNAPSHOT: Final = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_LOST: Final = frozenset({"40001", "40P01"})
"""SQLSTATE of a transaction that was given up for the sake of others: a deadlock, say."""


class PostgresEngine:
    """A pool of connections to one database."""

    is_sqlite = False

    def __init__(self, url: str) -> None:
        self._engine = create_async_engine(
            url, pool_size=POOL_SIZE, max_overflow=MAX_OVERFLOW, pool_pre_ping=True, hide_parameters=True
        )

    async def begin(self, *, writes: bool) -> Transaction:
        """Take a connection; its first statement begins the transaction."""
        connection = await self._engine.connect()
        if not writes:
            try:
                connection = await connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            except BaseException:
                await connection.close()
                raise
        return PostgresTransaction(connection)

    async def run_alone(self, work: Callable[[Connection], Answer], *, writes: bool = True) -> Answer:
        """Run blocking work in a transaction; who only reads needs no other kind here."""
        del writes
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def dispose(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


class PostgresTransaction:
    """A transaction on a connection of its own."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def execute(self, statement: Executable, values: Values | None, *, in_thread: bool) -> Any:
        """Run a statement; the other process does the work."""
        del in_thread
        with _told_when_lost():
            return await self._connection.execute(statement, values)

    async def rows(self, statement: Constant, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run a constant SELECT."""
        return (await self._connection.execute(statement, values)).all()

    async def commit(self, then: AfterCommit) -> None:
        """Commit, then do what follows."""
        try:
            with _told_when_lost():
                await self._connection.commit()
        except BaseException:
            await self._connection.invalidate()  # nobody knows in what state it is
            raise
        await then()

    async def close(self) -> None:
        """Give the connection back."""
        await self._connection.close()


@contextmanager
def _told_when_lost() -> Iterator[None]:
    """Two transactions that wait for each other are no bug that a caller should see: one of them is to try again."""
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in _LOST:
            raise TransactionLost from error
        raise
