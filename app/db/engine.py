"""Opens the database that a URL names. Both kinds make a commit durable, and no writer fails for being second."""

from pathlib import Path
from typing import Final

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from app.db.base import Engine
from app.db.postgres import PostgresEngine
from app.db.sqlite import SqliteEngine, create_private

_SQLITE: Final = ("sqlite:", "sqlite+aiosqlite:")
_POSTGRES: Final = "postgresql+asyncpg:"


def check_url(url: str) -> None:
    """See that a URL names a database.

    Raises:
        ValueError: it does not; the message does not show it.
    """
    try:
        is_whole = bool(make_url(url).database)
    except (ArgumentError, ValueError):
        is_whole = False
    if not is_whole:
        message = "TIMETODO_DATABASE_URL must be sqlite:///path or postgresql+asyncpg://user:password@host/name"
        raise ValueError(message)


def make_file(url: str) -> None:
    """Make the file of a SQLite database where there is none, for its owner alone; its side files are as it is."""
    file = make_url(url).database if url.startswith(_SQLITE) else None
    if file and not file.startswith("file:"):  # SQLite's own way to name one knows more than its path
        create_private(Path(file))


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
