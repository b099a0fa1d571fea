"""Blocking work on a connection, off the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress

from app.db.base import Answer


async def run_in_thread(threads: Executor, work: Callable[[], Answer]) -> Answer:
    """Run it in a thread and to its end: whoever is cancelled waits, since until then the connection is in use."""
    running = asyncio.get_running_loop().run_in_executor(threads, work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        raise
