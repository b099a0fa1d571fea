"""The writer's turn ends with the unit that has it, whatever else has become of that."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import column, insert, select, table, text

from app.db import group_commit
from app.db.base import Transaction, TransactionLost
from app.db.group_commit import Writer
from app.db.sqlite import SqliteEngine

NOTES: Final = table("notes", column("name"))
DEADLINE_S: Final = 10.0
LOST: Final[dict[str, list[Callable[[Writer], None]]]] = {
    "transaction": [lambda writer: writer.driver.rollback()],  # as SQLite does when its disk is full
    "connection": [Writer._drop_connection],
    "group": [lambda writer: writer._lose(ConnectionResetError())],
    "group and connection": [lambda writer: writer._lose(ConnectionResetError()), Writer._drop_connection],
}


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    """A database with one table."""
    engine = SqliteEngine(f"sqlite:///{tmp_path / 'test.sqlite3'}")
    await engine.run_alone(lambda connection: connection.execute(text("CREATE TABLE notes (name TEXT PRIMARY KEY)")))
    yield engine
    async with asyncio.timeout(DEADLINE_S):
        await engine.dispose()


async def told() -> None:
    """What follows a commit."""


async def begin(engine: SqliteEngine, name: str) -> Transaction:
    """Begin a unit and write a row in it."""
    async with asyncio.timeout(DEADLINE_S):
        unit = await engine.begin(writes=True)
    await unit.execute(insert(NOTES), {"name": name}, in_thread=False)
    return unit


async def write(engine: SqliteEngine, name: str) -> None:
    """Write a row for good, unless somebody keeps the turn."""
    unit = await begin(engine, name)
    async with asyncio.timeout(DEADLINE_S):
        await unit.commit(told)


async def names(engine: SqliteEngine) -> list[str]:
    """Return what everybody can read."""
    reading = await engine.begin(writes=False)
    try:
        return sorted((await reading.execute(select(NOTES.c.name), None, in_thread=False)).scalars())
    finally:
        await reading.close()


@pytest.mark.parametrize("lost", LOST)
async def test_unit_that_is_done_ends_its_turn_though_all_is_lost(engine: SqliteEngine, lost: str) -> None:
    """It hears that it is not committed, and the next is."""
    unit = await begin(engine, "lost")
    for lose in LOST[lost]:
        lose(engine._writer)
    with pytest.raises((TransactionLost, AssertionError)):
        await unit.commit(told)
    await unit.close()
    await write(engine, "next")
    assert await names(engine) == ["next"]


@pytest.mark.parametrize("lost", LOST)
async def test_unit_that_failed_ends_its_turn_though_all_is_lost(engine: SqliteEngine, lost: str) -> None:
    """There is nothing left to undo; the next is committed."""
    unit = await begin(engine, "lost")
    for lose in LOST[lost]:
        lose(engine._writer)
    await unit.close()
    await write(engine, "next")
    assert await names(engine) == ["next"]


async def test_caller_cancelled_before_its_unit_begins_leaves_its_turn(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had the turn and waited for another process."""
    monkeypatch.setattr(group_commit, "RETRY_S", 0)
    with closing(sqlite3.connect(engine._engine.url.database or "", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(engine.begin(writes=True))
        await asyncio.sleep(0)
        assert engine._writer._turn.locked()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        other.rollback()
    assert waiting.cancelled()
    await write(engine, "next")
    assert await names(engine) == ["next"]
