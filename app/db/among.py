"""`column IN (…)` in constant statements: one for each of a few numbers of keys, so that no text is ever made anew.

SQLite then keeps the statements prepared (`app.db.prepared`), and SQLAlchemy builds nothing for each question.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, bindparam
from sqlalchemy.orm import InstrumentedAttribute

from app.db.unit_of_work import UnitOfWork

SIZES: Final = (1, 8, 32)
"""Numbers of keys there are statements for. The most is few enough for SQLite to be asked on the event loop."""
Among = Callable[[InstrumentedAttribute[Any], str], ColumnElement[bool]]
"""(column, name of the keys) → the condition that the column is one of them."""
Rows = list[Sequence[Any]]


class KeyedSelect:
    """A SELECT of few rows for each of any number of keys.

    `write` returns the statement; it is handed `among`, which makes conditions for one number of keys.
    """

    def __init__(self, write: Callable[[Among], Select[*tuple[Any, ...]]]) -> None:
        self._statements = {size: write(_among(size)) for size in SIZES}

    async def find(
        self, uow: UnitOfWork, keys: Mapping[str, Sequence[Any]], values: Mapping[str, Any] | None = None
    ) -> Rows:
        """Return the rows for some keys; with several names, for what stands at the same place of all.

        A key may be there several times, and rows may be found for it more than once. `values` are the statement's
        other parameters.
        """
        found: Rows = []
        count = len(next(iter(keys.values())))
        for start in range(0, count, SIZES[-1]):
            size = next(size for size in SIZES if size >= min(count - start, SIZES[-1]))
            filled = dict(values or {})
            for name, those in keys.items():
                filled.update(_fill(name, size, those[start : start + size]))
            found += await uow.rows(self._statements[size], filled)
        return found


def _among(size: int) -> Among:
    def among(column: InstrumentedAttribute[Any], name: str) -> ColumnElement[bool]:
        return column.in_([bindparam(parameter, type_=column.type) for parameter in _parameters(name, size)])

    return among


def _fill(name: str, size: int, keys: Sequence[Any]) -> dict[str, Any]:
    """Return the parameters for up to `size` keys; the last fills the places left over."""
    return dict(zip(_parameters(name, size), [*keys, *([keys[-1]] * (size - len(keys)))], strict=True))


@lru_cache
def _parameters(name: str, size: int) -> list[str]:
    return [f"{name}_{number}" for number in range(size)]
