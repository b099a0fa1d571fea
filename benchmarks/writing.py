"""The write path: tasks created over REST by 16 clients that each wait for their answer, on SQLite and PostgreSQL."""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Final

from benchmarks import generator
from benchmarks.generator import http_request
from benchmarks.machine import LOAD_CORE
from benchmarks.peer import Peer
from benchmarks.peers import ORM_PROJECT, OrmFastApi, TimeToDo
from benchmarks.postgres import durable_postgres, make_database
from benchmarks.scenarios import Bench, tidy
from benchmarks.site import make_board
from tests.support import servers

WRITERS: Final = 16


def writing(bench: Bench) -> None:
    """Create tasks, committed durably: ours and the ORM's route on SQLite, then both on PostgreSQL."""
    _measure(bench, "write:sqlite", bench.ours, OrmFastApi())
    try:
        with durable_postgres() as server, tempfile.TemporaryDirectory(prefix="timetodo-board-") as folder:
            assert server.process is not None
            os.sched_setaffinity(server.process.pid, {LOAD_CORE})  # the server under test has its core to itself
            ours, theirs = (asyncio.run(make_database(server.url, name)) for name in ("ours", "theirs"))
            board = asyncio.run(make_board(Path(folder), WRITERS, rooms=0, TIMETODO_DATABASE_URL=ours))
            peers = TimeToDo(board, TIMETODO_DATABASE_URL=ours), OrmFastApi(theirs)
            _measure(bench, "write:postgresql", *peers, quickly=True)
    except (servers.ServerMissingError, RuntimeError) as error:
        bench.results.missing["PostgreSQL"] = str(error)[:300]


def _measure(bench: Bench, measurement: str, *peers: Peer, quickly: bool = False) -> None:
    for repeat, peer in bench.interleave(peers, quickly=quickly):
        with bench.attempt(measurement, peer, repeat), peer.running() as target:
            options = {"http_clients": WRITERS, "seconds": bench.plan.choose(5, 1.5), "warm": 0.5, "settle": 0.2}
            requests = [_create(peer, target.tokens, person) for person in range(WRITERS)]
            found = generator.run(target, http=requests, clients=0, **options)[0]
            bench.results.record(measurement, peer.name, repeat, tidy(found))


def _create(peer: Peer, tokens: list[str], person: int) -> str:
    path, project = ("/api/v1/tasks", peer.board.crowd) if isinstance(peer, TimeToDo) else ("/tasks", ORM_PROJECT)
    return http_request("POST", path, tokens[person], f'{{"project_id":"{project}","title":"post-@@@@@@@@@@"}}')
