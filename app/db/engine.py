"""Opens the database that a URL names. Both kinds make a commit durable, and no writer fails for being second."""

from typing import Final

from app.db.base import Engine
from app.db.postgres import PostgresEngine
from app.db.sqlite import SqliteEngine

_SQLITE: Final = ("sqlite:", "sqlite+aiosqlite:")
_POSTGRES: Final = "postgresql+asyncpg:"


def create_engine(url: str) -> Engine:
    """Open the engine for `sqlite:///…` (also written `sqlite+aiosqlite:///…`) or `postgresql+asyncpg://…`.

    Raises:
        ValueError: another kind of database.
    """
    if url.startswith(_SQLITE):
        return SqliteEngine("sqlite:" + url.partition(":")[2])
    if url.startswith(_POSTGRES):
        return PostgresEngine(url)
    message = "TIMETODO_DATABASE_URL must begin with sqlite:// or postgresql+asyncpg://"
    raise ValueError(message)
