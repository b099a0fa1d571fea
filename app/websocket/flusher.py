"""When rooms write: a slice of sockets each turn of the event loop, so that everybody else gets their turn in between.

A room with something new is dirty. A pass goes over its viewers once and lets each write everything it misses in one
piece. What is appended while a pass is under way goes out with it to those it has not reached yet, so the busier the
server, the more events travel in one write: it slows down by growing latency, not by growing work. While somebody waits
for the answer to a request, most of the loop's time is theirs.
"""

import asyncio
import time
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

import structlog

from app.domain.demand import Demand
from app.websocket.protocol import FAILED, CloseCode

if TYPE_CHECKING:
    from app.websocket.connection import Connection, Cursor
    from app.websocket.room import Room

LONG_SLICE_S: Final = 0.004
"""How long one turn of the event loop may write to sockets when nobody waits for an answer."""
SLICE_S: Final = 0.001
"""How long it may when somebody does."""
PAUSE_S: Final = 0.001
"""How long the loop is theirs after that."""
SOCKETS_PER_LOOK: Final = 32
"""Sockets written to between two looks at the clock."""
_log = structlog.get_logger(__name__)


class Flusher:
    """Lets the viewers of dirty rooms write, room after room. One per event loop."""

    def __init__(self, demand: Demand | None = None) -> None:
        self._demand = demand or Demand()
        self._dirty: dict[Room, None] = {}
        self._pass: Iterator[Cursor] = iter(())
        self._is_scheduled = False

    def add(self, room: "Room") -> None:
        """Have a room written: there is something new in it."""
        self._dirty[room] = None
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        until = time.perf_counter() + (SLICE_S if self._demand.waiting else LONG_SLICE_S)
        while self._write_some():
            if time.perf_counter() >= until:
                self._go_on_later()
                return
        self._is_scheduled = False

    def _go_on_later(self) -> None:
        loop = asyncio.get_running_loop()
        if self._demand.waiting:
            loop.call_later(PAUSE_S, self._run)
        else:
            loop.call_soon(self._run)

    def _write_some(self) -> bool:
        """Let the next few viewers write; return whether there were any, or there are more rooms.

        What there is for each is looked up first and then written in a row: a call of the kernel leaves nothing in the
        processor's caches, so what is done between two of them takes several times as long.
        """
        writes: list[tuple[Connection, bytes]] = []
        cursors = tuple(islice(self._pass, SOCKETS_PER_LOOK))
        for cursor in cursors:
            try:
                frames = cursor.connection.follow(cursor)
            except Exception:  # noqa: BLE001 - see there
                _give_up(cursor.connection)
            else:
                if frames is not None:
                    writes.append((cursor.connection, frames))
        for viewer, frames in writes:
            try:
                viewer.transport.write(frames)
            except Exception:  # noqa: BLE001 - see there
                _give_up(viewer)
        if cursors:
            return True
        if not self._dirty:
            return False
        room = next(iter(self._dirty))
        del self._dirty[room]
        room.hand_out()
        self._pass = iter(tuple(room.cursors.values()))
        return True


def _give_up(viewer: "Connection") -> None:
    """End a connection for a bug, or a transport that broke: no concern of the others."""
    _log.exception("write_failed", connection_id=str(viewer.id))
    viewer.close(CloseCode.INTERNAL, FAILED)
