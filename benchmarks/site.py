"""A board with people on it, made once over the REST API; each server that is measured gets a copy of its data."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2

from tests.support.people import PASSWORD, Json
from tests.support.site import Site

CONNECTIONS_PER_PERSON: Final = 20
ROOM_SIZE: Final = 20
ROOMS: Final = 50
RESUMED: Final = 100
"""Events that those who resume have missed."""
AT_ONCE: Final = 4
"""Registrations under way: hashing a password takes a core."""
UNLIMITED: Final = {
    "TIMETODO_AUTH_ATTEMPTS_PER_MINUTE": "1000000",
    "TIMETODO_ACCESS_TOKEN_S": "86400",
    "TIMETODO_WS_MAX_CONNECTIONS": "100000",
    "TIMETODO_WS_MAX_CONNECTIONS_PER_USER": "100000",
    "TIMETODO_WS_MAX_CONNECTIONS_PER_ADDRESS": "100000",
    "TIMETODO_WS_CONNECTS_PER_S": "100000",
    "TIMETODO_WS_CONNECT_BURST": "100000",
    "TIMETODO_LOG_LEVEL": "WARNING",
    "TIMETODO_DRAIN_S": "0",
}
"""All clients come from one address and are many: the limits that keep one away from the others are not the subject."""


@dataclass(frozen=True)
class Board:
    """People, one project that all are in, one beside it, and 50 small ones; `data_dir` is there to be copied."""

    data_dir: Path
    tokens: list[str]
    crowd: str
    side: str
    epoch: str
    seq: int
    """Where the log of the crowd's project stands; its last events are tasks that were created."""
    small: list[str]
    """Project ids. Person `n` is in small project `r` if `(r + n) % 50 < 20`."""

    @contextmanager
    def copy(self, folder: Path) -> Iterator[Path]:
        """Yield a copy of the data directory."""
        target = folder / "data"
        shutil.copytree(self.data_dir, target)
        try:
            yield target
        finally:
            shutil.rmtree(target, ignore_errors=True)

    def small_room_tokens(self, connections: int) -> list[str]:
        """Return tokens in the order of connections that are dealt out over the small rooms one by one."""
        return [self.tokens[_member(n % ROOMS, n // ROOMS)] for n in range(connections)]


def _member(room: int, place: int) -> int:
    """Return the person in one of the 20 places of a small room."""
    return (room + place % ROOM_SIZE) % ROOMS


async def make_board(folder: Path, people: int, *, rooms: int = ROOMS, **environment: str) -> Board:
    """Make the board by the real server, then stop it; with `rooms` small projects."""
    site = Site(folder / "board", **UNLIMITED, **environment)
    await site.start()
    try:
        async with httpx2.AsyncClient(base_url=f"{site.url}/api/v1", timeout=60) as client:
            accounts = await _register(site, client, max(people, rooms))
            crowd = await _project(client, "Crowd", accounts)
            side = await _project(client, "Side", accounts[:ROOM_SIZE])
            small = []
            for room in range(rooms):
                members = [accounts[_member(room, place)] for place in range(ROOM_SIZE)]
                small.append(await _project(client, f"Small {room}", members))
            for number in range(RESUMED):
                await _call(client, "/tasks", accounts[0], {"project_id": crowd, "title": f"Task {number}"})
            board = await _get(client, f"/projects/{crowd}/board", accounts[0])
    finally:
        site.stop()
    tokens: list[str] = [account["access_token"] for account in accounts]
    return Board(site.data_dir, tokens, crowd, side, board["epoch"], board["seq"], small)


async def _register(site: Site, client: httpx2.AsyncClient, count: int) -> list[Json]:
    """Make accounts; the first is the administrator's."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def register(number: int, code: str | None = None) -> Json:
        body = {"email": f"person{number}@example.org", "password": PASSWORD, "name": f"Person {number}", "code": code}
        async with limit:
            return await _call(client, "/auth/register", None, body)

    first = await register(0, site.admin_code())
    return [first, *await asyncio.gather(*(register(number) for number in range(1, count)))]


async def _project(client: httpx2.AsyncClient, name: str, people: list[Json]) -> str:
    """Make a project of the first person's with the others as its editors; return its id."""
    owner, *members = people
    project = await _call(client, "/projects", owner, {"name": name})
    for member in members:
        body = {"email": member["user"]["email"], "role": "editor"}
        await _call(client, f"/projects/{project['id']}/members", owner, body)
    return str(project["id"])


async def _call(client: httpx2.AsyncClient, path: str, who: Json | None, body: Json) -> Json:
    headers = {"Authorization": f"Bearer {who['access_token']}"} if who else {}
    answer = await client.post(path, json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


async def _get(client: httpx2.AsyncClient, path: str, who: Json) -> Json:
    answer = await client.get(path, headers={"Authorization": f"Bearer {who['access_token']}"})
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found
