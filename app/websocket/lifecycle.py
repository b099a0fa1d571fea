"""The life of one connection on the portable path: taken in, served, and let go with all that was held for it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from app.websocket.connection import Connection, SocketUser
from app.websocket.hub import Hub
from app.websocket.protocol import FAILED, CloseCode, CloseError
from app.websocket.transport import Peer, WriterTransport

CLOSE_S: Final = 1.0
"""How long a peer that takes nothing may hold up the closing of its connection."""
_log = structlog.get_logger(__name__)
Read = Callable[[Connection], Awaitable[None]]


async def run_connection(hub: Hub, peer: Peer, user: SocketUser | None, read: Read, *, network: str = "") -> None:
    """Write to `peer`, and serve what `read` receives, until one of the two is over or the end is decided elsewhere."""
    transport = WriterTransport(peer)
    connection = transport.connection = hub.make_connection(transport, user, network=network)
    writer = asyncio.create_task(transport.run(), name=f"writer-{connection.id}")
    reader = asyncio.create_task(_serve(hub, connection, read), name=f"reader-{connection.id}")
    ending = asyncio.create_task(wait_for(transport.ending), name=f"ending-{connection.id}")
    try:
        await asyncio.wait((writer, reader, ending), return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel(reader, ending)  # nothing more is served while it ends
        connection.close(CloseCode.NORMAL, "")
        hub.handler.disconnect(connection)
        await asyncio.wait((writer,), timeout=CLOSE_S)
        connection.stop()
        await cancel(writer)


async def _serve(hub: Hub, connection: Connection, read: Read) -> None:
    try:
        await hub.take_in(connection)
        await read(connection)
    except CloseError as error:
        connection.close(error.code, error.reason)
    except Exception:  # noqa: BLE001 - a bug, or the database is away: the client comes back
        _log.exception("connection_failed", connection_id=str(connection.id))
        connection.close(CloseCode.INTERNAL, FAILED)


async def wait_for(event: asyncio.Event) -> None:
    """Return when the event has come; unlike its own `wait`, this makes a task of no result."""
    await event.wait()


async def cancel(*tasks: asyncio.Task[None]) -> None:
    """End tasks, and return when they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
