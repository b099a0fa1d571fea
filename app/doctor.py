"""Looks at everything the server needs, and says what is wrong in a sentence each."""

import os
import stat
from collections.abc import Awaitable
from pathlib import Path

from app.config import Settings
from app.db import migrate as migrations
from app.db.backup import database_file
from app.db.engine import create_engine
from app.db.unit_of_work import Database
from app.errors import Conflict
from app.mail.sending import Mailer, MailServerError
from app.main import create_broker
from app.push.keys import KEY_FILE
from app.startup import use_database


async def diagnose(settings: Settings) -> dict[str, str | None]:
    """Return, for each thing the server needs, None or what is wrong with it."""
    found = {
        "data directory": _check_data_dir(settings.data_dir),
        "secret key": _check_private(settings.data_dir / "secret-key"),
        "push key": _check_private(settings.data_dir / KEY_FILE),
        "database": _check_database_file(settings) or await _try(_ask_database(settings)),
        "schema": await _try(_check_schema(settings)),
        "broker": await _try(_ask_broker(settings)),
    }
    return found | {"mail": await _ask_mail_server(settings)} if settings.has_mail else found


def _check_data_dir(path: Path) -> str | None:
    if not path.is_dir():
        return f"{path} does not exist; `timetodo serve` makes it"
    return None if os.access(path, os.W_OK) else f"{path} cannot be written to by this user"


def _check_database_file(settings: Settings) -> str | None:
    try:
        return _check_private(database_file(settings))
    except Conflict:  # it is in no file
        return None


def _check_private(path: Path) -> str | None:
    if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        return f"others can read {path}; run: chmod 600 {path}"
    return None


async def _ask_database(settings: Settings) -> None:
    async def look(database: Database) -> None:
        await database.engine.run_alone(lambda _: None, writes=False)

    await use_database(settings, look)


async def _check_schema(settings: Settings) -> None:
    engine = create_engine(settings.resolved_database_url)
    try:
        await migrations.check(engine)
    finally:
        await engine.dispose()


async def _ask_broker(settings: Settings) -> None:
    broker = create_broker(settings)
    try:
        await broker.ping()
    finally:
        await broker.close()


async def _ask_mail_server(settings: Settings) -> str | None:
    """Greet, encrypt and sign in as the settings say, and ask whether mails from us are taken; send none."""
    try:
        await Mailer(settings).check()
    except MailServerError as error:
        return str(error)
    return None


async def _try(check: Awaitable[None]) -> str | None:
    try:
        await check
    except Exception as error:  # noqa: BLE001 - whatever is wrong is what the doctor reports
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return None
