"""What the unit of work asks of a database: transactions that begin, run statements, and are committed or never were.

`app.db.sqlite` and `app.db.postgres` keep this contract; `app.db.engine` chooses by the URL.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Executable, Select

Values = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""What a statement's parameters stand for; a sequence of them runs it once for each."""
Constant = Select[*tuple[Any, ...]]
AfterCommit = Callable[[], Awaitable[None]]
Answer = TypeVar("Answer")


class TransactionLost(Exception):
    """What was to be committed was not. Nothing of it is left, and the caller may try again."""


class DatabaseAway(Exception):
    """It cannot do this now. Whether what was being committed is, nobody knows."""


class Transaction(Protocol):
    """One transaction. Whoever began it closes it, whatever happened meanwhile."""

    async def execute(self, statement: Executable, values: Values | None, *, in_thread: bool) -> Any:
        """Run a statement and return its `Result`, ready to be read.

        `in_thread` is for one that may take long: a database that lives in this process keeps it off the event loop.

        Raises:
            TransactionLost: it was given up, for the sake of another one perhaps, or the database went away.
            DatabaseAway: there is no room for it.
        """

    async def rows(self, statement: Constant, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run a constant SELECT of a few rows, and return them without the names of their columns."""

    async def commit(self, then: AfterCommit) -> None:
        """Make it durable, then await `then`: in the order of the commits, and even if the caller is cancelled.

        Raises:
            TransactionLost, SQLAlchemyError: it was not committed, and `then` is never called.
            DatabaseAway: nor is it then; what became of the transaction is not known.
        """

    async def close(self) -> None:
        """End it; what was not committed never was."""


class Engine(Protocol):
    """A database, opened."""

    @property
    def is_sqlite(self) -> bool:
        """One writer at a time, in this process."""

    async def begin(self, *, writes: bool) -> Transaction:
        """Begin a transaction: a snapshot that waits for nobody, or one that may write."""

    async def run_alone(self, work: Callable[[Connection], Answer], *, writes: bool = True) -> Answer:
        """Run work that knows SQLAlchemy's blocking connection only, in a transaction of its own."""

    async def dispose(self) -> None:
        """Close every connection, once what is being committed is."""
