"""The `websockets` library with its own `broadcast`: encoded and framed once, no task a reader. No tokens."""

import asyncio
import sys
from collections import defaultdict

from websockets.asyncio.server import ServerConnection, broadcast, serve

from benchmarks.servers.common import encode, listen_for_events, make_event

rooms: defaultdict[str, set[ServerConnection]] = defaultdict(set)


async def handle(connection: ServerConnection) -> None:
    """Serve one client: the last part of the path is the room."""
    assert connection.request is not None
    room = rooms[connection.request.path.rsplit("/", 1)[-1]]
    room.add(connection)
    try:
        await connection.wait_closed()
    finally:
        room.discard(connection)


async def publish(room: str, seq: int) -> None:
    """Send an event to everybody in a room."""
    broadcast(rooms[room], encode(make_event(seq)))


async def main() -> None:
    """Serve for ever."""
    port, control_port = map(int, sys.argv[1:3])
    async with serve(handle, "127.0.0.1", port, compression=None), await listen_for_events(control_port, publish):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main())
