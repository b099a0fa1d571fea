"""Backups, by really restoring one."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from app import startup
from app.config import Settings
from app.db import backup
from app.domain.clock import utc_now
from app.errors import Conflict, NotFound
from app.models import Notification, OutgoingMail, PasswordReset
from app.services import outbox
from app.services.outbox import MailKind
from tests.integration.test_cli import run
from tests.support.people import Person, register
from tests.support.server import TestServer, make_settings, run_server


async def again(server: TestServer, person: Person) -> Person:
    """The same person at a server that was started again."""
    return Person(server, {"user": person.user, "access_token": person.token, "refresh_token": None})


async def test_restored_board_is_that_of_the_backup_under_a_new_name(sqlite_settings: Settings) -> None:
    """What came after the backup is gone, the log has another epoch, and the old database is kept beside it."""
    data, file = sqlite_settings.data_dir, sqlite_settings.data_dir / "copies.sqlite3"
    async with run_server(sqlite_settings) as server, await register(server, "Anna") as anna:
        project = await anna.project()
        await anna.task(project, "before")
        assert (await anna.get("/admin/health"))["backup"] == {"last_at": None}
        told = await asyncio.to_thread(run, data, "backup", str(file))
        assert "complete and sound" in told
        assert (await anna.get("/admin/health"))["backup"]["last_at"] is not None
        saved = await anna.board(project)
        await anna.task(project, "after")
        with pytest.raises(Conflict, match="stop every server first"):
            await asyncio.to_thread(backup.restore, sqlite_settings, file)
    told = await asyncio.to_thread(run, data, "restore", str(file))
    (kept,) = data.glob("*.before-*")
    assert kept.name in told
    async with run_server(sqlite_settings) as server, await again(server, anna) as anna:
        board = await anna.board(project)
    assert [card["title"] for card in board["tasks"]] == ["before"]
    assert board["epoch"] != saved["epoch"]
    assert board | {"epoch": saved["epoch"]} == saved


async def test_epochs_are_renewed_alone(sqlite_settings: Settings) -> None:
    """After other tools have restored the database, every log gets a new name, each its own."""
    async with run_server(sqlite_settings) as server, await register(server, "Anna") as anna:
        projects = [await anna.project(name) for name in ("One", "Two")]
        before = [(await anna.board(project))["epoch"] for project in projects]
    await asyncio.to_thread(run, sqlite_settings.data_dir, "restore", "--renew-epochs")
    async with run_server(sqlite_settings) as server, await again(server, anna) as anna:
        after = [(await anna.board(project))["epoch"] for project in projects]
    assert len({*before, *after}) == 4
    assert "name the file" in await asyncio.to_thread(run, sqlite_settings.data_dir, "restore", expect=1)


async def test_restored_board_mails_nothing_again(sqlite_settings: Settings) -> None:
    """What waited when the backup was made was mailed since; a link that was used since opens nothing."""
    async with run_server(sqlite_settings) as server, await register(server, "Anna") as anna:
        async with await register(server, "Boris") as boris:
            await anna.add(await anna.project(), boris)
        async with server.database.write() as uow:
            await outbox.post(uow, MailKind.RESET, address="anna@example.org", language="en", data={})
            link = {"digest": "-", "user_id": UUID(anna.id), "expires_at": utc_now() + timedelta(hours=1)}
            await uow.execute(insert(PasswordReset).values(link))
            await uow.execute(update(Notification).values(mail_at=utc_now()))
    await asyncio.to_thread(run, sqlite_settings.data_dir, "restore", "--renew-epochs")
    async with run_server(sqlite_settings) as server, server.database.read() as uow:
        mails = (await uow.fetch(select(OutgoingMail.id))).all()
        links = (await uow.fetch(select(PasswordReset.digest))).all()
        told = (await uow.fetch(select(Notification.mail_at))).scalars().all()
    assert (mails, links, set(told)) == ([], [], {None})


def test_copies_are_for_their_owner_alone(
    sqlite_settings: Settings, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A backup holds all that the database does, and so does what is restored, and a database made anew."""
    before = os.umask(0o022)
    request.addfinalizer(lambda: os.umask(before))
    copy = tmp_path / "copy.sqlite3"
    backup.back_up(sqlite_settings, copy)
    restored = make_settings(tmp_path, database_url=f"sqlite:///{tmp_path / 'restored.sqlite3'}")
    backup.restore(restored, copy)
    fresh = make_settings(tmp_path, database_url=f"sqlite:///{tmp_path / 'fresh.sqlite3'}")
    asyncio.run(startup.migrate(fresh))
    assert {backup.database_file(made).stat().st_mode & 0o777 for made in (restored, fresh)} == {0o600}
    assert copy.stat().st_mode & 0o777 == 0o600


def test_backup_says_what_could_not_be_done(sqlite_settings: Settings, tmp_path: Path) -> None:
    """A copy that could not be written, and a good one of which nobody would be told."""
    with pytest.raises(Conflict, match="nowhere/copy cannot be written: No such file"):
        backup.back_up(sqlite_settings, tmp_path / "nowhere" / "copy")
    (sqlite_settings.data_dir / backup.BACKUP_MARK).symlink_to(tmp_path / "nowhere" / "mark")
    with pytest.raises(Conflict, match="complete and sound, but"):
        backup.back_up(sqlite_settings, tmp_path / "copy")


def test_what_is_no_backup_is_refused(sqlite_settings: Settings, tmp_path: Path) -> None:
    """Nothing is written over, nothing unsound is taken, and PostgreSQL has its own tools."""
    other, good = tmp_path / "other", tmp_path / "good.sqlite3"
    other.write_bytes(b"no database at all" * 100)
    backup.back_up(sqlite_settings, good)
    with pytest.raises(Conflict, match="never written over"):
        backup.back_up(sqlite_settings, good)
    with pytest.raises(Conflict, match="not a database of Time to DO"):
        backup.restore(sqlite_settings, other)
    with pytest.raises(NotFound, match="there is no file"):
        backup.restore(sqlite_settings, tmp_path / "nothing")
    fresh = make_settings(tmp_path, database_url=f"sqlite:///{tmp_path / 'fresh.sqlite3'}")
    assert backup.restore(fresh, good) is None
    assert backup.restore(fresh, good) == next(tmp_path.glob("fresh.sqlite3.before-*"))
    content = bytearray(good.read_bytes())
    content[5000:9000] = b"x" * 4000
    good.write_bytes(content)
    with pytest.raises(Conflict):
        backup.check(good)
    with pytest.raises(Conflict, match="pg_dump"):
        backup.database_file(make_settings(tmp_path, database_url="postgresql+asyncpg://x/y"))
