"""Constant statements: described by SQLAlchemy, compiled once, and then run by the driver itself.

To execute a compiled statement SQLAlchemy needs several times what SQLite does (docs/decisions/0013). What is written
and what is read goes through the same column types either way.
"""

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Delete, Executable, Insert, Select, Update
from sqlalchemy.engine import Dialect, IteratorResult, Result
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from app.db.base import Values

Statement = Select[*tuple[Any, ...]] | Insert | Update | Delete
Converter = Callable[[Any], Any] | None


class Prepared:
    """A statement whose text never changes; it is run with the values of its parameters."""

    def __init__(self, statement: Statement, names: frozenset[str], dialect: Dialect) -> None:
        columns = sorted(names) if isinstance(statement, Insert) else None
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        assert isinstance(compiled, SQLCompiler)
        self._sql = str(compiled)
        self._constants = {name: value for name, value in compiled.params.items() if name not in names}
        self._writers = [(name, _writer(compiled.binds[name].type, dialect)) for name in compiled.positiontup or ()]
        returned = statement.exported_columns
        self._readers = [_reader(column.type, dialect) for column in returned]
        self._keys = SimpleResultMetaData([str(column.key) for column in returned])

    def run(self, driver: sqlite3.Connection, values: Mapping[str, Any]) -> Result[*tuple[Any, ...]]:
        """Run it and read every row.

        Raises:
            OperationalError: the database cannot do it.
        """
        return IteratorResult(self._keys, iter(self.rows(driver, values)))

    def rows(self, driver: sqlite3.Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run it and return every row, without the names of its columns, which cost as much as a short reading.

        Raises:
            OperationalError: the database cannot do it.
        """
        known = {**self._constants, **values} if self._constants else values
        bound = [known[name] if write is None else write(known[name]) for name, write in self._writers]
        try:
            rows = driver.execute(self._sql, bound).fetchall()
        except sqlite3.OperationalError as error:
            raise OperationalError(self._sql, None, error) from error
        return [tuple(map(_convert, row, self._readers)) for row in rows]


class Statements:
    """Runs the statements of one database."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._prepared: dict[tuple[Statement, frozenset[str]], Prepared] = {}

    def execute(self, connection: Connection, statement: Executable, values: Values | None) -> Any:
        """Run a statement; one that is given with values is a constant, and is prepared when first met."""
        if not isinstance(values, Mapping) or not isinstance(statement, Select | Insert | Update | Delete):
            return connection.execute(statement, values)
        return self._find(statement, values).run(driver_of(connection), values)

    def rows(
        self, driver: sqlite3.Connection, statement: Statement, values: Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        """Run a constant SELECT and return its rows without the names of their columns."""
        return self._find(statement, values).rows(driver, values)

    def _find(self, statement: Statement, values: Mapping[str, Any]) -> Prepared:
        names = frozenset(values)
        prepared = self._prepared.get((statement, names))
        if prepared is None:
            prepared = self._prepared[statement, names] = Prepared(statement, names, self._dialect)
        return prepared


def driver_of(connection: Connection) -> sqlite3.Connection:
    """Return what SQLAlchemy's connection is a connection of."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _convert(value: Any, converter: Converter) -> Any:
    return value if converter is None else converter(value)


def _writer(type_: TypeEngine[Any], dialect: Dialect) -> Converter:
    return type_.dialect_impl(dialect).bind_processor(dialect)


def _reader(type_: TypeEngine[Any], dialect: Dialect) -> Converter:
    return type_.dialect_impl(dialect).result_processor(dialect, None)
