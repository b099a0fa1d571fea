"""PostgreSQL: READ COMMITTED for writers, who lock their project's row; REPEATABLE READ for readers, one snapshot.

Of a connection that ends, by a restart say, SQLAlchemy hears as of any other error: the SQLSTATE tells (PostgreSQL's
manual, appendix A).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, ExceptionContext, Executable, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from app.db.base import AfterCommit, Answer, Constant, DatabaseAway, Transaction, TransactionLost, Values

POOL_SIZE: Final = 10
MAX_OVERFLOW: Final = 20
_SNAPSHOT: Final = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_GIVEN_UP: Final = ("40001", "40P01")
"""A transaction was given up for the sake of others: a deadlock, say."""
_GONE: Final = ("08", "57P")
"""The connection is broken, or the server stops or starts."""
_NO_ROOM: Final = "53"
"""Too many connections, a full disk, no memory."""


class PostgresEngine:
    """A pool of connections to one database."""

    is_sqlite = False

    def __init__(self, url: str) -> None:
        self._engine = create_async_engine(
            url, pool_size=POOL_SIZE, max_overflow=MAX_OVERFLOW, pool_pre_ping=True, hide_parameters=True
        )
        event.listen(self._engine.sync_engine, "handle_error", _see_who_is_gone)

    async def begin(self, *, writes: bool) -> Transaction:
        """Take a connection; its first statement begins the transaction."""
        with _told():
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
        with _told():
            return await self._connection.execute(statement, values)

    async def rows(self, statement: Constant, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run a constant SELECT."""
        with _told():
            return (await self._connection.execute(statement, values)).all()

    async def commit(self, then: AfterCommit) -> None:
        """Commit, then do what follows."""
        try:
            with _told(is_committing=True):
                await self._connection.commit()
        except BaseException:
            await self._connection.invalidate()  # nobody knows in what state it is
            raise
        await then()

    async def close(self) -> None:
        """Give the connection back, if there is one still."""
        try:
            await self._connection.close()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            await self._connection.close()


@contextmanager
def _told(*, is_committing: bool = False) -> Iterator[None]:
    """What is no bug of ours is told apart; what came to nothing for certain from what may have been done."""
    try:
        yield
    except DBAPIError as error:
        state = _state_of(error.orig)
        if state in _GIVEN_UP or (error.connection_invalidated and not is_committing):
            raise TransactionLost from error
        if error.connection_invalidated or state.startswith(_NO_ROOM):
            raise DatabaseAway from error
        raise


def _see_who_is_gone(context: ExceptionContext) -> None:
    """Have SQLAlchemy drop a connection that the server has ended, and those that are as old."""
    if _state_of(context.original_exception).startswith(_GONE):
        context.is_disconnect = True


def _state_of(error: BaseException | None) -> str:
    return getattr(error, "sqlstate", None) or ""
