"""Transactions: everything one request changes, and the events that tell of it, are committed together or not at all.

Events leave for the broker after the commit and only then. If the process dies in between, the relay finds them in
the log: what travels is a hint, the log is the truth.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVarTuple
from uuid import UUID

import orjson
import structlog
from sqlalchemy import Executable, Result, func, insert, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql import Select

from app.broker.base import Broker, Signal, SignalType
from app.db.engine import WRITE_OPTION
from app.domain.clock import utc_now
from app.domain.events import Event, EventType
from app.errors import Unavailable
from app.models import LoggedEvent, Project

Columns = TypeVarTuple("Columns")
_log = structlog.get_logger(__name__)


class UnitOfWork:
    """One transaction, begun at its first statement, so a request refused before it touches nothing.

    `actor_id` and `op_id` are written into every event recorded here. `keeps_answer` turns False when the answer
    holds a credential: it must not be stored for a repetition of the call.
    """

    def __init__(self, database: "Database", *, writes: bool) -> None:
        self.actor_id: UUID | None = None
        self.op_id: str | None = None
        self.keeps_answer = True
        self.events: list[Event] = []
        self._signals: list[tuple[SignalType, UUID]] = []
        self._database = database
        self._writes = writes
        self._connection: AsyncConnection | None = None

    async def fetch(self, statement: Select[*Columns]) -> Result[*Columns]:
        """Run a SELECT."""
        return await (await self._open()).execute(statement)

    async def execute(
        self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Run any statement; with `rows`, once for each."""
        result = await (await self._open()).execute(statement, rows)
        assert isinstance(result, CursorResult)
        return result

    async def lock(self, rows: Select[*Columns]) -> None:
        """Hold some rows until the transaction ends; what is read afterwards is what earlier holders left.

        A statement that both locks and reads would see the other tables as they were before it waited. SQLite needs
        no lock: there is one writer at a time.
        """
        if not self._database.is_sqlite:
            await self.fetch(rows.with_for_update())

    async def lock_name(self, name: str) -> None:
        """Hold a name, which need not be a row's, until the transaction ends."""
        if not self._database.is_sqlite:
            await self.fetch(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))

    async def record(self, project_id: UUID, type_: EventType, data: Mapping[str, Any]) -> Event:
        """Append a fact to the project's log, in this transaction; it is published after the commit.

        The project's row lock, taken here at the latest, makes the order of `seq` the order of commits.
        """
        statement = update(Project).where(Project.id == project_id).values(event_seq=Project.event_seq + 1)
        seq = (await self.execute(statement.returning(Project.event_seq))).scalar_one()
        event = Event(project_id, seq, type_, utc_now(), self.actor_id, self.op_id, orjson.dumps(data))
        await self.execute(
            insert(LoggedEvent).values(
                project_id=project_id,
                seq=seq,
                type=event.type.value,
                timestamp=event.timestamp,
                user_id=event.user_id,
                op_id=event.op_id,
                data=event.data.decode(),
            )
        )
        self.events.append(event)
        return event

    def notify(self, type_: SignalType, id_: UUID) -> None:
        """Tell every server after the commit, such as that a session has ended."""
        self._signals.append((type_, id_))

    async def commit(self) -> None:
        """Make it durable, then publish what was recorded."""
        if self._connection is None:
            return
        try:
            await self._connection.commit()
        except BaseException:
            # SQLite keeps the transaction open, with its write lock, when a commit fails: such a connection must not
            # go back to the pool.
            await self._connection.invalidate()
            raise
        await self._database.publish(self.events, self._signals)
        self.events, self._signals = [], []

    async def close(self) -> None:
        """End the transaction; what was not committed never was."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            await connection.close()
        finally:
            if self._writes:
                self._database.writer_done()

    async def _open(self) -> AsyncConnection:
        if self._connection is None:
            self._connection = await self._database.begin(writes=self._writes)
        return self._connection


class Database:
    """Hands out transactions. One per server."""

    def __init__(self, engine: AsyncEngine, broker: Broker, *, server_id: str) -> None:
        self.engine = engine
        self._server_id = server_id
        self._broker = broker
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._writer = asyncio.Lock()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        """A consistent snapshot; never waits for writers.

        Raises:
            Unavailable: the database does not answer.
        """
        unit = UnitOfWork(self, writes=False)
        with _told_as_unavailable():
            try:
                yield unit
            finally:
                await unit.close()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        """A transaction that commits, then publishes, when the block ends without an exception.

        Raises:
            Unavailable: the database does not answer, or cannot store anything.
        """
        unit = UnitOfWork(self, writes=True)
        with _told_as_unavailable():
            try:
                yield unit
                await unit.commit()
            finally:
                await unit.close()

    async def begin(self, *, writes: bool) -> AsyncConnection:
        """Open a connection with its transaction begun.

        SQLite has one writer at a time; waiting for our turn here, in order, beats polling its lock.
        """
        if writes and self.is_sqlite:
            await self._writer.acquire()
        try:
            connection = await self.engine.connect()
            try:
                if self.is_sqlite:
                    connection = await connection.execution_options(**{WRITE_OPTION: writes})
                elif not writes:
                    connection = await connection.execution_options(
                        isolation_level="REPEATABLE READ", postgresql_readonly=True
                    )
            except BaseException:
                await connection.close()
                raise
        except BaseException:
            if writes:
                self.writer_done()
            raise
        return connection

    def writer_done(self) -> None:
        """Let the next writer in."""
        if self.is_sqlite:
            self._writer.release()

    async def publish(self, events: Sequence[Event], signals: Sequence[tuple[SignalType, UUID]]) -> None:
        """Hand committed events, then signals, to the broker. A broker that fails costs delay, never an event."""
        try:
            for event in events:
                await self._broker.publish(event)
            for type_, id_ in signals:
                await self._broker.signal(Signal(type_, self._server_id, id_, {}))
        except Exception:  # noqa: BLE001 - committed is committed, whatever is wrong with the messenger
            _log.warning("publish_failed", events=len(events), signals=len(signals), exc_info=True)

    async def dispose(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


@contextmanager
def _told_as_unavailable() -> Iterator[None]:
    """A database that is away, full or read-only is no bug of ours; the caller may try again."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError, OSError) as error:
        _log.error("database_failed", exc_info=error)
        message = "the database cannot do this now; try again in a moment"
        raise Unavailable(message) from error
