"""Our server, exactly as `timetodo serve` starts it, with one more port: the benchmark's own way to cause events.

`PORT CONTROL_PORT PROJECT_IDS`; everything else comes from TIMETODO_* variables. A line `<room> <seq>` publishes an
event through the broker, which is what a commit on another server causes: from the relay on everything is the real
thing. The line `reads` is answered with the number of times the log has been read for a room.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch
from uuid import UUID

from fastapi import FastAPI

from app import logs, main, startup
from app.config import Settings
from app.domain.clock import utc_now
from app.domain.events import Event, EventType
from app.services import history

EVENT_BYTES: Final = 304
"""As at every peer (`common.py`)."""
USER: Final = UUID("6f0c2f5e-8f0a-4c3e-9d53-3a8f2f8f7f11")


class ControlPort:
    """Takes lines while the server runs."""

    def __init__(self, port: int, project_ids: list[UUID]) -> None:
        self._port = port
        self._project_ids = project_ids
        self._log_reads = 0

    def create_app(self, settings: Settings | None = None) -> FastAPI:
        """Return the real application; its lifespan opens the port."""
        application = main_create_app(settings)
        lifespan = application.router.lifespan_context

        @asynccontextmanager
        async def with_port(app: FastAPI) -> AsyncIterator[Any]:
            publish = application.state.context.broker.publish
            async with lifespan(app) as state, await self._open(publish):
                yield state

        application.router.lifespan_context = with_port
        return application

    async def read_events(self, *arguments: Any, **options: Any) -> list[Event]:
        """Read the log, and count that."""
        self._log_reads += 1
        return await history_read_events(*arguments, **options)

    async def _open(self, publish: Callable[[Event], Awaitable[None]]) -> asyncio.Server:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            async for line in reader:
                if line == b"reads\n":
                    writer.write(b"%d\n" % self._log_reads)
                else:
                    room, seq = line.split()
                    await publish(make_event(self._project_ids[int(room)], int(seq)))
            writer.close()

        return await asyncio.start_server(serve, "127.0.0.1", self._port)


def make_event(project_id: UUID, seq: int) -> Event:
    """Return an event that weighs 304 bytes when encoded."""
    bare = Event(project_id, seq, EventType.TASK_UPDATED, utc_now(), USER, None, b'{"title":""}')
    title = b"x" * (EVENT_BYTES - len(bare.encoded))
    return Event(project_id, seq, bare.type, bare.timestamp, USER, None, b'{"title":"%b"}' % title)


main_create_app = main.create_app
history_read_events = history.read_events


def run() -> None:
    """Serve until a signal ends it."""
    project_ids = [UUID(line) for line in Path(sys.argv[3]).read_text().split()]
    control = ControlPort(int(sys.argv[2]), project_ids)
    settings = Settings(port=int(sys.argv[1]))
    logs.configure(settings.log_level, as_json=settings.log_json)
    asyncio.run(startup.prepare(settings))
    with (
        patch("app.main.create_app", control.create_app),
        patch("app.services.history.read_events", control.read_events),
    ):
        startup.serve(settings)


if __name__ == "__main__":
    run()
