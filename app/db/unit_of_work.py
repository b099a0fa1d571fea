"""Transactions: everything one request changes, and the events that tell of it, are committed together or not at all.

Events leave for the broker after the commit and only then. If the process dies in between, the relay finds them in
the log: what travels is a hint, the log is the truth.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar, TypeVarTuple
from uuid import UUID

import orjson
import structlog
from sqlalchemy import Executable, Result, bindparam, false, func, insert, select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.sql import Select

from app.broker.base import Broker, Signal, SignalType
from app.db.base import Constant, DatabaseAway, Engine, Transaction, TransactionLost, Values
from app.domain.clock import utc_now
from app.domain.events import Event, EventType
from app.errors import Unavailable
from app.models import LoggedEvent, Project

Columns = TypeVarTuple("Columns")
Outcome = TypeVar("Outcome")
_log = structlog.get_logger(__name__)
_NEXT_SEQ = (
    update(Project)
    .where(Project.id == bindparam("project"))
    .values(event_seq=Project.event_seq + 1)
    .returning(Project.event_seq)
)
_APPEND = insert(LoggedEvent)
_CHANGE_NOTHING = update(Project).where(false()).values(event_seq=0)


class Lost(Unavailable):
    """A transaction came to nothing, by a deadlock perhaps; the same may well succeed at once."""


class UnitOfWork:
    """One transaction, begun at its first statement, so a request refused before it touches nothing.

    A statement given with the values of its parameters is a constant of its module: SQLite keeps it prepared.

    `actor_id` and `op_id` are written into every event recorded here. `keeps_answer` turns False when the answer
    holds a credential: it must not be stored for a repetition of the call.
    """

    def __init__(self, database: "Database", *, writes: bool) -> None:
        self.actor_id: UUID | None = None
        self.op_id: str | None = None
        self.keeps_answer = True
        self.events: list[Event] = []
        self._signals: list[tuple[SignalType, UUID]] = []
        self._woken: set[str] = set()
        self._database = database
        self._writes = writes
        self._transaction: Transaction | None = None

    @property
    def has_mail(self) -> bool:
        """Whether this server sends mails, so that it is of use to put any aside."""
        return self._database.has_mail

    async def find(self, statement: Select[*Columns], values: Mapping[str, Any] | None = None) -> Result[*Columns]:
        """Run a SELECT of a few rows by their keys: so short that SQLite may be asked on the event loop."""
        result: Result[*Columns] = await (await self._begun()).execute(statement, values, in_thread=False)
        return result

    async def rows(self, statement: Constant, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run a constant SELECT like `find`; the rows know no names of columns, and so cost half as much."""
        return await (await self._begun()).rows(statement, values)

    async def fetch(self, statement: Select[*Columns]) -> Result[*Columns]:
        """Run any SELECT."""
        transaction = await self._begun()
        result: Result[*Columns] = await transaction.execute(statement, None, in_thread=not self._writes)
        return result

    async def execute(self, statement: Executable, values: Values | None = None) -> Result[*tuple[Any, ...]]:
        """Run a statement that changes a few rows; with a sequence of values, once for each."""
        result: Result[*tuple[Any, ...]] = await (await self._begun()).execute(statement, values, in_thread=False)
        return result

    async def sweep(self, statement: Executable) -> int:
        """Run a statement that may change any number of rows; return how many that were."""
        changed: int = (await (await self._begun()).execute(statement, None, in_thread=True)).rowcount
        return changed

    async def lock(self, rows: Select[*Columns], values: Mapping[str, Any] | None = None) -> None:
        """Hold some rows until the transaction ends; what is read afterwards is what earlier holders left.

        A statement that both locks and reads would see the other tables as they were before it waited. SQLite needs
        no lock: there is one writer at a time. Rows that refer to those held may be written meanwhile.
        """
        if not self._database.is_sqlite:
            await self.find(rows.with_for_update(key_share=True), values)

    async def lock_all(self, rows: Select[*Columns]) -> None:
        """Hold any number of rows as `lock` does."""
        if not self._database.is_sqlite:
            held = rows.with_for_update(key_share=True).subquery()
            await self.find(select(func.count()).select_from(held))

    async def lock_name(self, name: str) -> None:
        """Hold a name, which need not be a row's, until the transaction ends."""
        if not self._database.is_sqlite:
            await self.find(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))

    async def record(self, project_id: UUID, type_: EventType, data: Mapping[str, Any]) -> Event:
        """Append a fact to the project's log, in this transaction; it is published after the commit.

        A fact about a task, or about a comment on one, has a `task_id` in its data; it is found again by that.

        The project's row lock, taken here at the latest, makes the order of `seq` the order of commits.
        """
        seq = (await self.execute(_NEXT_SEQ, {"project": project_id})).scalar_one()
        event = Event(project_id, seq, type_, utc_now(), self.actor_id, self.op_id, orjson.dumps(data))
        task_id = data.get("task_id")
        row = {
            "project_id": project_id,
            "seq": seq,
            "type": event.type.value,
            "timestamp": event.timestamp,
            "user_id": event.user_id,
            "op_id": event.op_id,
            "data": event.data.decode(),
            "task_id": None if task_id is None else UUID(task_id),
        }
        await self.execute(_APPEND, row)
        self.events.append(event)
        return event

    def notify(self, type_: SignalType, id_: UUID) -> None:
        """Tell every server after the commit, such as that a session has ended."""
        self._signals.append((type_, id_))

    def wake(self, worker: str) -> None:
        """Wake a worker of this server after the commit (`Database.alarm`); the other servers look by themselves."""
        self._woken.add(worker)

    async def commit(self) -> None:
        """Make it durable, then publish what was recorded."""
        if self._transaction is not None:
            await self._transaction.commit(self._publish)

    async def close(self) -> None:
        """End the transaction; what was not committed never was. The next statement begins another."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            await transaction.close()

    async def _begun(self) -> Transaction:
        if self._transaction is None:
            self._transaction = await self._database.engine.begin(writes=self._writes)
        return self._transaction

    async def _publish(self) -> None:
        events, self.events = self.events, []
        signals, self._signals = self._signals, []
        await self._database.publish(events, signals)
        for worker in self._woken:
            self._database.alarm(worker).set()


class Database:
    """Hands out transactions. One per server."""

    def __init__(self, engine: Engine, broker: Broker, *, server_id: str, has_mail: bool = False) -> None:
        self.engine = engine
        self.has_mail = has_mail
        self._server_id = server_id
        self._broker = broker
        self.is_sqlite = engine.is_sqlite
        self._alarms: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def alarm(self, worker: str) -> asyncio.Event:
        """Return what a worker of this name waits for, and clears: there is something for it to do."""
        return self._alarms[worker]

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
            Lost: nothing was done; it may be tried again at once.
            Unavailable: the database does not answer, or cannot store anything.
        """
        unit = UnitOfWork(self, writes=True)
        with _told_as_unavailable():
            try:
                yield unit
                await unit.commit()
            finally:
                await unit.close()

    async def change(self, work: Callable[[UnitOfWork], Awaitable[Outcome]]) -> Outcome:
        """Do `work` in a transaction of its own; once more from its beginning, when that was lost.

        Raises:
            Lost: twice.
            Unavailable: the database does not answer, or cannot store anything.
        """
        try:
            async with self.write() as uow:
                return await work(uow)
        except Lost:
            async with self.write() as uow:
                return await work(uow)

    async def check(self) -> None:
        """See that something could be stored, by a change of no rows: a read-only database refuses that, too.

        Raises:
            Unavailable: nothing can be.
        """
        async with self.write() as uow:
            await uow.execute(_CHANGE_NOTHING)

    async def publish(self, events: Sequence[Event], signals: Sequence[tuple[SignalType, UUID]]) -> None:
        """Hand committed events, then signals, to the broker. A broker that fails costs delay, never an event."""
        try:
            if events:
                await self._broker.publish(*events)
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
    message = "the database cannot do this now; try again in a moment"
    try:
        yield
    except TransactionLost as error:
        _log.warning("transaction_lost", exc_info=error)
        raise Lost(message) from error
    except (DatabaseAway, OperationalError, InterfaceError, PoolTimeoutError, OSError) as error:
        _log.error("database_failed", exc_info=error)
        raise Unavailable(message) from error
