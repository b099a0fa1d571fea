"""Where the player plays: a thread and event loop of its own, so that it shares nothing with the server but the API."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from app.demo.player import Player

STOP_S: Final = 2.0
"""How long the end of the server waits for the last action of the player."""
_log = structlog.get_logger(__name__)


@contextmanager
def playing(player: Player, *, minutes: float | None = None) -> Iterator[None]:
    """Play while the block, which serves, runs; for so many minutes at most."""
    ended = threading.Event()
    seconds = None if minutes is None else minutes * 60

    def play() -> None:
        try:
            asyncio.run(_play_until(player, ended, seconds))
        except Exception:  # noqa: BLE001 - the board is served whether or not somebody plays
            _log.exception("demo_player_failed")
        _log.info("demo_player_ended")

    thread = threading.Thread(target=play, name="demo-player", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(STOP_S)


async def _play_until(player: Player, ended: threading.Event, seconds: float | None) -> None:
    play = asyncio.create_task(player.run(), name="demo-play")
    end = asyncio.create_task(asyncio.to_thread(ended.wait, seconds), name="demo-end")
    await asyncio.wait((play, end), return_when=asyncio.FIRST_COMPLETED)
    ended.set()
    play.cancel()
    result, _ = await asyncio.gather(play, end, return_exceptions=True)
    if isinstance(result, Exception):
        raise result
