"""How soon somebody hears of what concerns them, and what that costs, on SQLite or with `--postgres`.

The server is the real command in a process of its own. One person comments, another listens on a socket, and beside
them tasks are created a hundred times a second in another project. Times begin when the comment's request is sent, so
they hold its commit too; the same comment's event on the same socket, and the comment's own answer, say how much of
that is the change itself. A push is there when its whole request is at the push service, which is this process;
on screen something is when a real Chromium has painted it in an inbox that is open.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx2
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.postgres import durable_postgres, make_database
from tests.support.browser import browsing, sign_in
from tests.support.people import Json
from tests.support.push import PushService
from tests.support.realtime import eventually
from tests.support.site import Account, Site

COMMENTS: Final = 200
BESIDE_PER_S: Final = 100
WATCHERS: Final = 200
REPEATS: Final = 30
ROWS: Final = 10_000
AT_ONCE: Final = 8
MOST_BESIDE: Final = 32
"""Requests beside that are under way: a machine that cannot do so many a second does as many as it can, and says so."""
ON_SCREEN: Final = 100
# By the clock of the machine: when the text that is awaited was painted.
PAINTED: Final = """() => {
  new MutationObserver((changes) => {
    if (!window.awaited || !changes.some(({ target }) => target.textContent.includes(window.awaited))) return;
    window.awaited = null;
    requestAnimationFrame(() => setTimeout(() => { window.paintedAt = performance.timeOrigin + performance.now(); }));
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""
AWAIT: Final = "(text) => { window.awaited = text; window.paintedAt = 0; }"
SETTINGS: Final = {"TIMETODO_AUTH_ATTEMPTS_PER_MINUTE": "1000000", "TIMETODO_PUSH_ALLOW_PRIVATE": "true"}


def run() -> None:
    """Measure on one of the databases."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.notifications")
    parser.add_argument("--postgres", action="store_true", help="on a durable PostgreSQL in place of SQLite")
    if not parser.parse_args().postgres:
        asyncio.run(measure())
        return
    with durable_postgres() as server:
        asyncio.run(measure(TIMETODO_DATABASE_URL=asyncio.run(make_database(server.url, "board"))))


async def measure(**settings: str) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder) / "data", **SETTINGS, **settings)
        await site.start()
        try:
            anna, boris = await site.account("Anna"), await site.account("Boris")
            await measure_latency(anna, boris)
            await measure_screen(anna, boris)
            await measure_push(anna, boris)
            await measure_watchers(site, anna)
            await measure_inbox(anna, boris)
        finally:
            site.stop()


async def measure_latency(anna: Account, boris: Account) -> None:
    """Print how long after a comment is sent its answer, its event and its notification are there."""
    project, side = await anna.project("Website", boris), await anna.project("Side")
    answered: list[float] = []
    heard: dict[str, list[float]] = {"comment_added": [], "notification": []}
    async with client_of(anna) as client, listening(boris, project) as socket, writing(anna, side):
        for number in range(COMMENTS):
            task = await make_task(client, project, boris)
            await settle(socket)
            begun = time.perf_counter()
            answer, times = await asyncio.gather(
                post(client, f"/tasks/{task['id']}/comments", {"body": f"Comment {number}"}), first_of(socket, heard)
            )
            answered.append(answer - begun)
            for kind, at in times.items():
                heard[kind].append(at - begun)
    print("a comment, from its sending:")
    for name, seconds in ({"answer": answered} | heard).items():
        print(f"  {name}: {in_ms(seconds)}")


async def measure_screen(anna: Account, boris: Account) -> None:
    """Print how long after a comment is sent, and after it is answered, its notification is on somebody's screen."""
    project, side = await anna.project("On screen", boris), await anna.project("Beside the screen")
    sent: list[float] = []
    committed: list[float] = []
    async with browsing() as browser, client_of(anna) as client:
        page = await browser.new_page(base_url=boris.site.url, locale="en")
        await sign_in(page, boris)
        await page.goto("/inbox")
        await page.locator("[data-item]").first.wait_for()
        await page.evaluate(PAINTED)
        async with writing(anna, side):
            for number in range(ON_SCREEN):
                task = await make_task(client, project, boris)
                await page.evaluate(AWAIT, text := f"Comment {number} on screen")
                begun = time.perf_counter()
                answer = await post(client, f"/tasks/{task['id']}/comments", {"body": text})
                at = await page.wait_for_function("() => window.paintedAt")
                painted = await at.json_value() / 1000 - time.time() + time.perf_counter()
                sent.append(painted - begun)
                committed.append(painted - answer)
    print(f"a comment's notification on screen: {in_ms(sent)}; after the answer: {in_ms(committed)}")


async def measure_push(anna: Account, boris: Account) -> None:
    """Print how long after a comment is sent, and after it is answered, a push service has the push of it."""
    project, side = await anna.project("Pushed", boris), await anna.project("Beside pushes")
    service = PushService()
    await service.start()
    device = await boris.call("POST", "/push/devices", json=service.subscription())
    sent: list[float] = []
    committed: list[float] = []
    async with client_of(anna) as client, writing(anna, side):
        for number in range(COMMENTS):
            task = await make_task(client, project, boris)
            await heard_at(service, 2 * number)
            begun = time.perf_counter()
            answer = await post(client, f"/tasks/{task['id']}/comments", {"body": f"Comment {number}"})
            pushed = await heard_at(service, 2 * number + 1)
            sent.append(pushed - begun)
            committed.append(pushed - answer)
    await boris.call("DELETE", f"/push/devices/{device['id']}")
    await service.stop()
    print(f"a comment's push at the push service: {in_ms(sent)}; after the answer: {in_ms(committed)}")


async def heard_at(service: PushService, number: int) -> float:
    """Wait for a push; return when it came."""
    await eventually(lambda: len(service.heard_at) > number)
    return service.heard_at[number]


async def measure_watchers(site: Site, anna: Account) -> None:
    """Print what a comment takes in a project where nobody, and where many, are told of it."""
    people = [await site.account(f"Watcher{number}") for number in range(WATCHERS)]
    project = await anna.project("Watched", *people)
    quiet, watched = [await anna.task(project, title) for title in ("Quiet", "Watched")]
    for person in people:
        await person.call("PUT", f"/tasks/{watched['id']}/watch", json={"state": "watching"})
    times: dict[str, list[float]] = {quiet["id"]: [], watched["id"]: []}
    async with client_of(anna) as client:
        for _ in range(REPEATS):
            for task_id, seconds in times.items():
                begun = time.perf_counter()
                seconds.append(await post(client, f"/tasks/{task_id}/comments", {"body": "Look"}) - begun)
    alone, many = (statistics.median(seconds) for seconds in times.values())
    print(f"a comment nobody is told of: {in_ms(times[quiet['id']])}")
    print(f"a comment {WATCHERS} watchers are told of: {in_ms(times[watched['id']])}, {many / alone:.1f} x")
    print(f"  for each of them {(many - alone) / WATCHERS * 1e6:.0f} us")


async def measure_inbox(anna: Account, boris: Account) -> None:
    """Print how long the first page of a long inbox takes, beside the shortest request there is."""
    project = await anna.project("Busy", boris)
    task = await anna.task(project, "Talk")
    rows = iter(range(ROWS))
    async with client_of(anna) as client:

        async def fill() -> None:
            for number in rows:
                await post(client, f"/tasks/{task['id']}/comments", {"body": f"@{boris.user['name']} look {number}"})

        await asyncio.gather(*(fill() for _ in range(AT_ONCE)))
    async with client_of(boris) as client:
        shortest = await timed_gets(client, "/users/me")
        for query in ("", "?filter=unread", "?filter=mentions", "?filter=assigned"):
            found = await timed_gets(client, f"/notifications{query}")
            ratio = statistics.median(found) / statistics.median(shortest)
            print(f"an inbox of {ROWS}, /notifications{query}: {in_ms(found)}, {ratio:.1f} x GET /users/me")


@asynccontextmanager
async def client_of(account: Account) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield an HTTP client that speaks for somebody and keeps its connections."""
    headers = {"Authorization": f"Bearer {account.token}"}
    async with httpx2.AsyncClient(base_url=f"{account.site.url}/api/v1", headers=headers, timeout=60) as client:
        yield client


@asynccontextmanager
async def listening(account: Account, project: Json) -> AsyncIterator[ClientConnection]:
    """Yield a socket that reads a project and its owner's notifications."""
    url = account.site.url.replace("http", "ws") + "/api/v1/ws"
    protocols = [Subprotocol("timetodo.v1"), Subprotocol(f"bearer.{account.token}")]
    async with connect(url, subprotocols=protocols, compression=None) as socket:
        await socket.send(orjson.dumps({"type": "join_user"}).decode())
        await socket.send(orjson.dumps({"type": "join_project", "project_id": project["id"]}).decode())
        yield socket


@asynccontextmanager
async def writing(account: Account, project: Json) -> AsyncIterator[None]:
    """Create tasks at a steady rate meanwhile; print how many a second that were."""
    under_way: set[asyncio.Task[float]] = set()
    begun, made = time.perf_counter(), 0
    async with client_of(account) as client, asyncio.TaskGroup() as group:

        async def write() -> None:
            nonlocal made
            due = begun
            while True:
                due += 1 / BESIDE_PER_S
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                if len(under_way) < MOST_BESIDE:
                    task = group.create_task(post(client, "/tasks", {"project_id": project["id"], "title": "Beside"}))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                    made += 1

        writer = group.create_task(write())
        yield
        writer.cancel()
        print(f"beside {made / (time.perf_counter() - begun):.0f} new tasks a second, of {BESIDE_PER_S} wanted:")


async def make_task(client: httpx2.AsyncClient, project: Json, assignee: Account) -> Json:
    """Make a task of somebody's, so that no comment joins the notification of another."""
    body = {"project_id": project["id"], "title": "Told", "assignee_ids": [assignee.user["id"]]}
    answer = await client.post("/tasks", json=body)
    assert answer.status_code == 201, answer.text
    task: Json = answer.json()
    return task


async def post(client: httpx2.AsyncClient, path: str, body: Json) -> float:
    """Make something; return when the answer was there."""
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return time.perf_counter()


async def hear(socket: ClientConnection) -> str:
    """Return the type of the next message; a heartbeat is answered, or the connection would not live as long."""
    kind: str = orjson.loads(await socket.recv())["type"]
    if kind == "ping":
        await socket.send('{"type":"pong"}')
    return kind


async def settle(socket: ClientConnection) -> None:
    """Read until nothing has come for a moment."""
    try:
        while True:
            await asyncio.wait_for(hear(socket), 0.05)
    except TimeoutError:
        return


async def first_of(socket: ClientConnection, kinds: dict[str, list[float]]) -> dict[str, float]:
    """Return when the first message of each of some types came."""
    times: dict[str, float] = {}
    while len(times) < len(kinds):
        kind = await hear(socket)
        if kind in kinds and kind not in times:
            times[kind] = time.perf_counter()
    return times


async def timed_gets(client: httpx2.AsyncClient, path: str) -> list[float]:
    """Return what each of some readings took, in seconds."""
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        times.append(time.perf_counter() - begun)
    return times


def in_ms(seconds: Sequence[float]) -> str:
    """Return median and 99th percentile as words."""
    p99 = statistics.quantiles(seconds, n=100)[98]
    return f"p50 {statistics.median(seconds) * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms"


if __name__ == "__main__":
    run()
