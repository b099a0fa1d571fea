"""One clock for all connections: a wheel of slots, each turned to in its moment; no connection has a timer of its own.

Whoever's turn it is gets a ping, or the end if it cannot go on. A ping names the heads of the rooms a connection reads,
so a client that missed something notices. The turns are spread over the interval.
(Varghese and Lauck, Hashed and Hierarchical Timing Wheels, 1987.)
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

import structlog

from app.domain.clock import utc_now
from app.websocket.connection import Connection
from app.websocket.manager import ConnectionManager
from app.websocket.presence import ANNOUNCE_S, Presence
from app.websocket.protocol import CloseCode, encode

SLOTS: Final = 32
"""Parts of the interval."""
MAX_SLOT_S: Final = 1.0
SILENT_BEATS: Final = 2
"""Beats without a word before a connection counts as dead."""
_log = structlog.get_logger(__name__)


class Heartbeat:
    """Ticks for every connection of this server."""

    def __init__(
        self,
        manager: ConnectionManager,
        presence: Presence,
        *,
        heartbeat_s: float,
        slow_s: float,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._manager = manager
        self._presence = presence
        self._heartbeat_s = heartbeat_s
        self._slow_s = slow_s
        self._clock = clock
        self._now = now
        self._slot_s = min(MAX_SLOT_S, heartbeat_s / SLOTS, slow_s / SLOTS)
        self._slots: dict[int, list[Connection]] = {}
        self._slot = int(clock() / self._slot_s)
        self._last_announcement = clock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to tick."""
        self._task = asyncio.create_task(self._tick_for_ever(), name="heartbeat")

    async def stop(self) -> None:
        """Stop ticking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def tick(self) -> None:
        """Look after those whose turn has come since the last tick."""
        now, wall = self._clock(), self._now()
        self._take_arrivals(now, wall)
        for slot, connection in list(self._turn(now)):
            is_here = connection.id in self._manager.connections and not connection.is_closing
            if is_here and connection.slot == slot:
                self._look_after(connection, now, wall)
        if now - self._last_announcement >= ANNOUNCE_S:
            self._last_announcement = now
            self._presence.announce_all()

    def _take_arrivals(self, now: float, wall: datetime) -> None:
        arrivals, self._manager.arrivals = self._manager.arrivals, []
        for connection in arrivals:
            if not connection.ping_at:
                connection.ping_at = now + (connection.id.int % SLOTS) / SLOTS * self._heartbeat_s
            self._schedule(connection, now, wall)

    def _turn(self, now: float) -> Iterator[tuple[int, Connection]]:
        """Turn the wheel to now; return those in the slots passed, with their slot."""
        until = int(now / self._slot_s)
        passed = range(self._slot, until) if until - self._slot < len(self._slots) else sorted(self._slots)
        self._slot = until
        for slot in passed:
            if slot < until:
                for connection in self._slots.pop(slot, ()):
                    yield slot, connection

    def _look_after(self, connection: Connection, now: float, wall: datetime) -> None:
        """End a connection that cannot go on, else ping it if that is due."""
        if connection.stuck_since is not None:
            connection.note_progress()
        end = self._why_end(connection, now, wall)
        if end is not None:
            connection.close(*end)
            return
        if now >= connection.ping_at:
            connection.ping_at = max(now, connection.ping_at + self._heartbeat_s)
            connection.send_ephemeral(encode("ping", {"heads": _heads(connection)}))
        self._schedule(connection, now, wall)

    def _schedule(self, connection: Connection, now: float, wall: datetime) -> None:
        """Put a connection into the slot of its next turn: its ping, its token's end, or the limit of its slowness."""
        due = min(connection.ping_at, now + self._slow_s)
        if connection.user is not None:
            due = min(due, now + (connection.user.token_expires_at - wall).total_seconds())
        if connection.stuck_since is not None:
            due = min(due, connection.stuck_since + self._slow_s)
        connection.slot = max(int(due / self._slot_s), self._slot)
        self._slots.setdefault(connection.slot, []).append(connection)

    def _why_end(self, connection: Connection, now: float, wall: datetime) -> tuple[CloseCode, str] | None:
        if connection.user is not None and wall >= connection.user.token_expires_at:
            return CloseCode.TOKEN_EXPIRED, "the access token has expired; renew it and come back"
        if connection.stuck_since is not None and now - connection.stuck_since > self._slow_s:
            return CloseCode.TOO_SLOW, "nothing was taken for too long"
        if now - connection.heard_at > SILENT_BEATS * self._heartbeat_s + MAX_SLOT_S:
            return CloseCode.NO_HEARTBEAT, "not heard of for too long"
        return None

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._slot_s)
            try:
                self.tick()
            except Exception:  # noqa: BLE001 - one bad tick must not stop the clock
                _log.exception("heartbeat_failed")


def _heads(connection: Connection) -> dict[str, int]:
    """Return where the logs stand that a connection reads, by project id; its user's own by "user"."""
    return {
        "user" if cursor.room.is_personal else str(project_id): cursor.room.seq
        for project_id, cursor in connection.cursors.items()
    }
