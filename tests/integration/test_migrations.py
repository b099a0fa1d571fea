"""The schema on both databases: up, down, up again, and the same as the models."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from app.db import migrate
from app.db.base import Engine
from app.db.engine import create_engine
from app.models import Base

TABLES = {table.name for table in Base.metadata.sorted_tables}


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    """An engine on an empty database."""
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


async def tables(engine: Engine) -> set[str]:
    """Return the names of the tables there are."""
    return set(await engine.run_alone(lambda connection: inspect(connection).get_table_names(), writes=False))


async def test_schema_goes_up_down_and_up_again(engine: Engine) -> None:
    """The migrations build what the models say, take all of it away, and build it again."""
    await migrate.upgrade(engine)
    assert await tables(engine) == TABLES | {"alembic_version"}
    await migrate.check(engine)
    await migrate.downgrade(engine, "base")
    assert await tables(engine) == {"alembic_version"}
    await migrate.upgrade(engine)
    await migrate.upgrade(engine)
    await migrate.check(engine)


async def test_schema_that_differs_is_seen(engine: Engine) -> None:
    """The check fails when a column is missing: it can fail."""
    await migrate.upgrade(engine)
    await engine.run_alone(lambda connection: connection.execute(text("ALTER TABLE labels DROP COLUMN color")))
    with pytest.raises(Exception, match="color"):
        await migrate.check(engine)


async def test_servers_that_start_at_once_agree(database_url: str) -> None:
    """Two that bring one database up to date at the same moment both succeed."""
    engines = [create_engine(database_url) for _ in range(3)]
    try:
        await asyncio.gather(*(migrate.upgrade(engine) for engine in engines))
        assert await tables(engines[0]) == TABLES | {"alembic_version"}
        await migrate.check(engines[0])
    finally:
        for engine in engines:
            await engine.dispose()


async def test_sqlite_may_be_named_with_the_driver_of_earlier_versions(tmp_path: Path) -> None:
    """`sqlite+aiosqlite://` of an old configuration opens the same file."""
    engines = [create_engine(f"{scheme}:///{tmp_path / 'test.sqlite3'}") for scheme in ("sqlite", "sqlite+aiosqlite")]
    await migrate.upgrade(engines[0])
    assert await tables(engines[1]) == TABLES | {"alembic_version"}
    for engine in engines:
        await engine.dispose()


def test_other_databases_are_refused() -> None:
    """What was never tested is not opened."""
    with pytest.raises(ValueError, match="TIMETODO_DATABASE_URL must begin with"):
        create_engine("mysql+aiomysql://x/y")
