"""The one writer: turns, groups, and what every failure leaves behind."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, column, insert, select, table, text
from sqlalchemy.exc import OperationalError

from app.db import group_commit, sqlite, threads
from app.db.base import Transaction, TransactionLost
from app.db.sqlite import SqliteEngine

NOTES = table("notes", column("name"), column("size"))
ADD = insert(NOTES)
FIND = select(NOTES.c.name).where(NOTES.c.name == bindparam("wanted"))
ALL = select(NOTES.c.name)
DEADLINE_S = 10.0


class Disk:
    """Stands between the writer and its thread: commits wait until the test lets them go, and are counted."""

    def __init__(self) -> None:
        self.commits = 0
        self.reached = asyncio.Event()
        self.is_free = asyncio.Event()
        self.is_free.set()
        self._really = threads.run_in_thread

    async def run(self, threads: Any, work: Callable[[], Any]) -> Any:
        """Do what the writer wants done in its thread."""
        if getattr(work, "__name__", "") == "commit":
            self.commits += 1
            self.reached.set()
            await self.is_free.wait()
        return await self._really(threads, work)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk that the test holds."""
    disk = Disk()
    monkeypatch.setattr(group_commit, "run_in_thread", disk.run)
    return disk


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    """A database with one table; a row named `doomed` cannot be committed, and names are there once."""
    engine = SqliteEngine(f"sqlite:///{tmp_path / 'test.sqlite3'}")
    for statement in (
        "CREATE TABLE notes (name TEXT PRIMARY KEY, size INTEGER)",
        "CREATE TABLE nobody (id TEXT PRIMARY KEY)",
        "CREATE TABLE doomed (id TEXT REFERENCES nobody(id) DEFERRABLE INITIALLY DEFERRED)",
        "CREATE TRIGGER doom AFTER INSERT ON notes WHEN NEW.name = 'doomed' BEGIN INSERT INTO doomed VALUES ('x'); END",
    ):
        await engine.run_alone(lambda connection, statement=statement: connection.execute(text(statement)))  # type: ignore[misc]
    yield engine
    await engine.dispose()


class Told:
    """What follows a commit: the names of the units, in order."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def write(self, engine: SqliteEngine, *names: str, fail: bool = False) -> None:
        """Write some rows in one unit, commit it, and be told."""
        unit = await engine.begin(writes=True)
        try:
            for name in names:
                await unit.execute(ADD, {"name": name, "size": 1}, in_thread=False)
            if fail:
                raise ValueError(names)
            await unit.commit(lambda: self._tell(names[0]))
        finally:
            await unit.close()

    async def _tell(self, name: str) -> None:
        self.names.append(name)


async def names(engine: SqliteEngine) -> set[str]:
    """Return what everybody can read."""
    reading = await engine.begin(writes=False)
    try:
        return set((await reading.execute(ALL, None, in_thread=True)).scalars())
    finally:
        await reading.close()


async def start(engine: SqliteEngine, told: Told, disk: Disk, *units: str) -> list[asyncio.Task[None]]:
    """Hold the disk at the commit of `first`, and let the units queue up behind it."""
    disk.is_free.clear()
    tasks = [asyncio.create_task(told.write(engine, "first"))]
    await disk.reached.wait()
    tasks += [asyncio.create_task(told.write(engine, unit, fail=unit.startswith("bad"))) for unit in units]
    await asyncio.sleep(0)
    return tasks


async def test_units_that_wait_while_the_disk_is_busy_share_a_commit(engine: SqliteEngine, disk: Disk) -> None:
    """Five that came during one commit need one more, and are told in the order in which they came."""
    told = Told()
    tasks = await start(engine, told, disk, *"abcde")
    assert await names(engine) == set()
    assert told.names == []
    disk.is_free.set()
    await asyncio.gather(*tasks)
    assert disk.commits == 2
    assert told.names == ["first", *"abcde"]
    assert await names(engine) == {"first", *"abcde"}


async def test_unit_that_fails_is_undone_alone(engine: SqliteEngine, disk: Disk) -> None:
    """By its own fault or the database's: the others of its group are committed, it is not, and nothing follows it."""
    told = Told()
    tasks = await start(engine, told, disk, "a", "bad", "a", "b")
    disk.is_free.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result).__name__ for result in results] == [
        "NoneType",
        "NoneType",
        "ValueError",
        "IntegrityError",
        "NoneType",
    ]
    assert disk.commits == 2
    assert told.names == ["first", "a", "b"]
    assert await names(engine) == {"first", "a", "b"}


async def test_commit_that_fails_fails_its_whole_group_and_no_other(engine: SqliteEngine, disk: Disk) -> None:
    """Each of the group hears of it, nothing of the group is there or was told, and the next group is committed."""
    told = Told()
    tasks = await start(engine, told, disk, "a", "doomed", "b")
    disk.is_free.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[0] is None
    assert [type(result) for result in results[1:]] == [TransactionLost] * 3
    assert await names(engine) == {"first"}
    await told.write(engine, "a")
    assert told.names == ["first", "a"]
    assert await names(engine) == {"first", "a"}


async def test_full_disk_never_breaks_a_promise(engine: SqliteEngine, disk: Disk) -> None:
    """Whatever SQLite undoes when it runs full: what was confirmed is there, and what was not is not."""
    told = Told()
    await told.write(engine, "before")
    writer = engine._writer.driver
    writer.execute(f"PRAGMA max_page_count={writer.execute('PRAGMA page_count').fetchone()[0]}")
    disk.reached.clear()
    tasks = await start(engine, told, disk, "a", "b" * 50_000, "c", "d" * 50_000)
    disk.is_free.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert any(isinstance(result, OperationalError) for result in results)
    assert await names(engine) == {"before", *(told.names[1:])}
    assert len(told.names) == 1 + results.count(None)
    engine._writer._drop_connection()
    await told.write(engine, "e" * 50_000)
    assert "e" * 50_000 in await names(engine)


async def test_lost_transaction_takes_no_more_statements(engine: SqliteEngine) -> None:
    """After SQLite itself has rolled back, a statement would be committed at once: it is refused."""
    unit = await engine.begin(writes=True)
    await unit.execute(ADD, {"name": "a", "size": 1}, in_thread=False)
    engine._writer.driver.rollback()  # as on a full disk
    with pytest.raises(TransactionLost):
        await unit.execute(ADD, {"name": "b", "size": 1}, in_thread=False)
    with pytest.raises(TransactionLost):
        await unit.commit(lambda: pytest.fail("nothing was committed"))
    await unit.close()
    told = Told()
    await told.write(engine, "c")
    assert await names(engine) == {"c"}


async def test_group_lost_with_one_unit_fails_all_of_it(engine: SqliteEngine, disk: Disk) -> None:
    """SQLite rolls back under the second unit: the first, done but not committed, hears of it too."""
    told = Told()
    tasks = await start(engine, told, disk, "a")

    async def lose() -> None:
        unit = await engine.begin(writes=True)
        engine._writer.driver.rollback()
        await unit.close()

    losing = asyncio.create_task(lose())
    await asyncio.sleep(0)
    after = asyncio.create_task(told.write(engine, "b"))
    await asyncio.sleep(0)
    disk.is_free.set()
    results = await asyncio.gather(*tasks, losing, after, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), TransactionLost, type(None), type(None)]
    assert disk.commits == 2
    assert told.names == ["first", "b"]
    assert await names(engine) == {"first", "b"}


async def test_caller_cancelled_within_its_group_is_committed_with_it(engine: SqliteEngine, disk: Disk) -> None:
    """It is too late to stop it: it is committed and told like the others, who get their answers."""
    told = Told()
    tasks = await start(engine, told, disk, "a", "b")
    disk.reached.clear()
    disk.is_free.set()
    disk.is_free.clear()
    await tasks[0]
    await disk.reached.wait()
    tasks[1].cancel()
    disk.is_free.set()
    async with asyncio.timeout(DEADLINE_S):
        await tasks[2]
    assert tasks[1].cancelled()
    assert told.names == ["first", "a", "b"]
    assert await names(engine) == {"first", "a", "b"}


@pytest.mark.parametrize("which", [0, 1, 2])
async def test_cancelled_caller_harms_nobody(engine: SqliteEngine, disk: Disk, which: int) -> None:
    """Whether it waits for the disk, for its group or for its turn: it is done and told, or neither; the others are."""
    told = Told()
    tasks = await start(engine, told, disk, "a", "b")
    tasks[which].cancel()
    await asyncio.sleep(0)
    disk.is_free.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[which], asyncio.CancelledError)
    assert results.count(None) == 2
    await told.write(engine, "c")
    expected = {"first", "a", "b", "c"} - ({"ab"[which - 1]} if which else set())
    assert set(told.names) == expected
    assert await names(engine) == expected


async def test_cancelled_sweep_ends_before_the_next_turn(engine: SqliteEngine) -> None:
    """A long statement in its thread is waited for, however often its caller is cancelled; then it is undone."""
    unit = await engine.begin(writes=True)
    driver = engine._writer.driver
    begun, may_end = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow() -> int:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(may_end.wait(), loop).result(DEADLINE_S)
        return 1

    driver.create_function("slow", 0, slow)
    sweeping = asyncio.create_task(
        unit.execute(text("INSERT INTO notes VALUES ('swept', slow())"), None, in_thread=True)
    )
    await begun.wait()
    for _ in range(2):
        sweeping.cancel()
        await asyncio.sleep(0)
    assert not sweeping.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await sweeping
    await unit.close()
    await Told().write(engine, "a")
    assert await names(engine) == {"a"}


@contextlib.contextmanager
def locked_by_another(engine: SqliteEngine) -> Any:
    """Hold the write lock as another process would."""
    other = sqlite3.connect(engine._engine.url.database or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield other
    if other.in_transaction:
        other.rollback()
    other.close()


async def test_lock_of_another_process_is_waited_for(engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it writes the event loop and the readers go on; when it is done every waiting unit is committed."""
    monkeypatch.setattr(group_commit, "RETRY_S", 0)
    told = Told()
    with locked_by_another(engine) as other:
        tasks = [asyncio.create_task(told.write(engine, name)) for name in "ab"]
        for _ in range(5):
            assert await names(engine) == set()
        assert not any(task.done() for task in tasks)
        other.rollback()
        await asyncio.gather(*tasks)
    assert await names(engine) == {"a", "b"}


async def test_lock_held_for_too_long_is_given_up(engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody who waits hears of it in time, not one after the other, and later units are committed."""
    monkeypatch.setattr(group_commit, "WAIT_S", 0.05)
    told = Told()
    with locked_by_another(engine):
        results = await asyncio.gather(*(told.write(engine, name) for name in "abc"), return_exceptions=True)
    assert [type(result) for result in results] == [TimeoutError] * 3
    assert told.names == []
    await told.write(engine, "d")
    assert await names(engine) == {"d"}


async def test_database_that_cannot_be_written_refuses_and_recovers(engine: SqliteEngine) -> None:
    """Read-only: the unit fails, readers go on, and once it can be written all is as before."""
    told = Told()
    await told.write(engine, "a")
    engine._writer.driver.execute("PRAGMA query_only=ON")
    with pytest.raises(OperationalError, match="readonly"):
        await told.write(engine, "b")
    assert await names(engine) == {"a"}
    engine._writer._drop_connection()
    await told.write(engine, "b")
    assert await names(engine) == {"a", "b"}


async def test_unit_that_is_refused_alone_leaves_no_transaction_open(engine: SqliteEngine) -> None:
    """Another process can write at once."""
    with pytest.raises(ValueError, match="a"):
        await Told().write(engine, "a", fail=True)
    with locked_by_another(engine):
        assert await names(engine) == set()


async def test_reader_keeps_its_snapshot(engine: SqliteEngine) -> None:
    """What is committed after its first statement it does not see, on the loop or in a thread."""
    told = Told()
    await told.write(engine, "a")
    reading: Transaction = await engine.begin(writes=False)
    assert (await reading.execute(FIND, {"wanted": "a"}, in_thread=False)).scalar_one() == "a"
    await told.write(engine, "b")
    assert (await reading.execute(FIND, {"wanted": "b"}, in_thread=False)).one_or_none() is None
    assert (await reading.execute(ALL, None, in_thread=True)).scalars().all() == ["a"]
    await reading.close()
    assert await names(engine) == {"a", "b"}


async def test_more_readers_than_connections_wait_for_each_other(engine: SqliteEngine) -> None:
    """The one too many reads when another is done."""
    readers = [await engine.begin(writes=False) for _ in range(sqlite.MAX_READERS)]
    late = asyncio.create_task(engine.begin(writes=False))
    await asyncio.sleep(0)
    assert not late.done()
    for reader in readers:
        await reader.close()
    await (await late).close()
    assert await names(engine) == set()


async def test_commits_are_durable_before_they_are_told(engine: SqliteEngine) -> None:
    """WAL and a sync of it at each commit, foreign keys on: on the writer's and on the readers' connections."""
    for begin_writing in (True, False):
        transaction = await engine.begin(writes=begin_writing)
        values = [
            (await transaction.execute(text(f"PRAGMA {name}"), None, in_thread=True)).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
        await transaction.close()
        assert values == ["wal", 2, 1]
