"""What the product weighs and how quickly a client is back: `.venv/bin/python -m benchmarks.basics`.

The server is the real command in a process of its own, the client the `websockets` library over real TCP. The resume
time is from dialling to the last of the missed events; a bare HTTP round trip in the same run says what the machine and
the network cost without us.
"""

import asyncio
import gzip
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.support.people import Json
from tests.support.site import Account, Site

REPEATS = 30
MISSED = 25
ASSETS = Path(__file__).parent.parent / "app" / "web" / "assets"


async def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder) / "data")
        await site.start()
        try:
            await measure(site)
        finally:
            site.stop()
    print(f"page's JavaScript: {script_kib():.1f} KiB gzipped")


async def measure(site: Site) -> None:
    """Measure one running server."""
    print(f"idle server: {rss_mib(site.process.pid):.0f} MiB resident")
    anna = await site.account("Anna")
    project = await anna.project("Website")
    for number in range(MISSED):
        await anna.task(project, f"Task {number}")
    position = await anna.call("GET", f"/projects/{project['id']}/board")
    since = {"epoch": position["epoch"], "seq": position["seq"] - MISSED}
    round_trip = await median_ms(lambda: get_health(site))
    resume = await median_ms(lambda: resume_once(site, anna, project, since))
    print(f"bare HTTP round trip: {round_trip:.1f} ms (new connection, median of {REPEATS})")
    print(f"resume of {MISSED} missed changes: {resume:.1f} ms from dialling to the last, {resume / round_trip:.1f} x")


async def resume_once(site: Site, account: Account, project: Json, since: Json) -> None:
    """Dial, join with `since`, and read up to the last missed event."""
    url = site.url.replace("http", "ws") + "/api/v1/ws"
    protocols = [Subprotocol("timetodo.v1"), Subprotocol(f"bearer.{account.token}")]
    async with connect(url, subprotocols=protocols, compression=None) as socket:
        join = {"type": "join_project", "project_id": project["id"], "since": since}
        await socket.send(orjson.dumps(join).decode())
        seq = since["seq"]
        while seq < since["seq"] + MISSED:
            message = orjson.loads(await socket.recv())
            if "seq" in message:
                assert message["seq"] == seq + 1, "an event is missing"
                seq = message["seq"]


async def get_health(site: Site) -> None:
    """Ask for /healthz on a new connection, with no client library in between."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    await reader.read()
    writer.close()
    await writer.wait_closed()


async def median_ms(action: Callable[[], Awaitable[None]]) -> float:
    """Return the median duration of an action in milliseconds."""
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        await action()
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)


def rss_mib(pid: int) -> float:
    """Return the resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    message = f"no memory figure for process {pid}"
    raise LookupError(message)


def script_kib() -> float:
    """Return what the page's scripts weigh on the wire."""
    return sum(len(gzip.compress(file.read_bytes(), 9)) for file in ASSETS.glob("*.js")) / 1024


if __name__ == "__main__":
    asyncio.run(main())
