"""What the Python peers share: the event everybody is sent, and the port its numbers come in by."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

EVENT_BYTES: Final = 304
"""What one event weighs as compact JSON, at every peer."""
_USER: Final = "6f0c2f5e-8f0a-4c3e-9d53-3a8f2f8f7f11"
_PROJECT: Final = "00000000-0000-4000-8000-000000000000"


def make_event(seq: int) -> dict[str, Any]:
    """Return event `seq`: 304 bytes when encoded without spaces."""
    event: dict[str, Any] = {
        "type": "task_updated",
        "project_id": _PROJECT,
        "seq": seq,
        "timestamp": "2026-11-22T10:00:00.123Z",
        "user_id": _USER,
        "op_id": None,
        "data": {"title": ""},
    }
    event["data"]["title"] = "x" * (EVENT_BYTES - len(encode(event)))
    return event


def encode(event: dict[str, Any]) -> str:
    """Encode an event."""
    return json.dumps(event, separators=(",", ":"))


async def listen_for_events(port: int, publish: Callable[[str, int], Awaitable[None]]) -> asyncio.Server:
    """Call `publish(room, seq)` for each line on the control port, one after the other."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for line in reader:
            room, seq = line.split()
            await publish(room.decode(), int(seq))
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", port)
