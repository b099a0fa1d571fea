"""Backups of a SQLite database, and the way back. PostgreSQL has tools of its own; its logs get new names here, too.

A restored database is an earlier state, and numbers of events that clients have seen will be given again to others. So
every log gets a new name (its epoch), and clients then read the boards anew.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from app.config import Settings
from app.db.sqlite import create_private
from app.domain.clock import utc_now
from app.errors import Conflict, NotFound

BACKUP_MARK: Final = "last-backup"
"""A file in the data directory whose time of change is that of the last backup."""
_SIDE_FILES: Final = ("-wal", "-shm")


def back_up(settings: Settings, target: Path) -> None:
    """Copy the database as it is at one moment, while the server may run, and check the copy.

    Raises:
        Conflict: the database is no SQLite file, or the target is there or cannot be written.
    """
    source = database_file(settings)
    if target.exists():
        message = f"{target} exists; a backup is never written over another"
        raise Conflict(message)
    _copy(source, target)
    check(target)
    try:
        (settings.data_dir / BACKUP_MARK).touch()
    except OSError as error:
        message = f"{target} is complete and sound, but {settings.data_dir} cannot be written to: nobody is told of it"
        raise Conflict(message) from error


def restore(settings: Settings, source: Path) -> Path | None:
    """Put a backup in the database's place; return where the old database is kept, if there was one.

    Raises:
        NotFound: there is no such file.
        Conflict: it is no sound backup, or a server is running.
    """
    check(source)
    target = database_file(settings)
    kept = None
    if target.exists():
        _check_unused(target)
        kept = target.with_name(f"{target.name}.before-{utc_now():%Y%m%dT%H%M%S}")
        target.rename(kept)
    for ending in _SIDE_FILES:
        target.with_name(target.name + ending).unlink(missing_ok=True)
    _copy(source, target)
    return kept


def check(path: Path) -> None:
    """See that a file is a sound database of ours.

    Raises:
        NotFound: there is no such file.
        Conflict: it is not.
    """
    try:
        with _opened(path) as connection:
            sound = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            connection.execute("SELECT epoch FROM projects LIMIT 1")
    except sqlite3.DatabaseError as error:
        message = f"{path} is not a database of Time to DO: {error}"
        raise Conflict(message) from error
    if not sound:
        message = f"{path} is damaged"
        raise Conflict(message)


def database_file(settings: Settings) -> Path:
    """Return the file of the database.

    Raises:
        Conflict: it is in none.
    """
    url = make_url(settings.resolved_database_url)
    if not url.drivername.startswith("sqlite") or url.database is None:
        message = "this is for SQLite; on PostgreSQL use pg_dump and pg_restore, then `timetodo restore --renew-epochs`"
        raise Conflict(message)
    return Path(url.database)


def _copy(source: Path, target: Path) -> None:
    """Copy a database into a new file, for its owner alone.

    Raises:
        Conflict: it cannot be written there.
    """
    try:
        with _opened(source) as connection:
            create_private(target)
            with closing(sqlite3.connect(target)) as copy:
                connection.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a side file of its own
    except (OSError, sqlite3.OperationalError) as error:
        message = f"{target} cannot be written: {getattr(error, 'strerror', None) or error}"
        raise Conflict(message) from error


def _check_unused(path: Path) -> None:
    with _opened(path) as connection:
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            message = f"{path} is in use; stop every server first"
            raise Conflict(message) from error


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        message = f"there is no file {path}"
        raise NotFound(message)
    with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as connection:
        yield connection
