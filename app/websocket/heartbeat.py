"""One clock for all connections: pings them, spread over the interval, and ends those that cannot go on.

A ping names the heads of the rooms a connection reads, so a client that missed something notices.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from app.domain.clock import utc_now
from app.websocket.connection import Connection
from app.websocket.manager import ConnectionManager
from app.websocket.presence import ANNOUNCE_S, Presence
from app.websocket.protocol import CloseCode, encode

SLOTS: Final = 25
"""Parts of the heartbeat interval; each connection is pinged in one of them."""
MAX_TICK_S: Final = 1.0
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
        self._last_tick = clock()
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
        """End what cannot go on, and ping those whose turn has come since the last tick."""
        now, wall = self._clock(), self._now()
        for connection in list(self._manager.connections.values()):
            end = self._why_end(connection, now, wall)
            if end is not None:
                connection.close(*end)
            elif self._is_due(connection, now):
                heads = {str(project_id): cursor.room.seq for project_id, cursor in connection.cursors.items()}
                connection.send_ephemeral(encode("ping", {"heads": heads}))
        self._last_tick = now
        if now - self._last_announcement >= ANNOUNCE_S:
            self._last_announcement = now
            self._presence.announce_all()

    def _why_end(self, connection: Connection, now: float, wall: datetime) -> tuple[CloseCode, str] | None:
        if connection.user is not None and wall >= connection.user.token_expires_at:
            return CloseCode.TOKEN_EXPIRED, "the access token has expired; renew it and come back"
        if connection.stuck_since is not None and now - connection.stuck_since > self._slow_s:
            return CloseCode.TOO_SLOW, "nothing was taken for too long"
        if now - connection.heard_at > SILENT_BEATS * self._heartbeat_s + MAX_TICK_S:
            return CloseCode.NO_HEARTBEAT, "not heard of for too long"
        return None

    def _is_due(self, connection: Connection, now: float) -> bool:
        """Whether the connection's moment within the interval lies between the last tick and now."""
        offset = _slot(connection.id) / SLOTS * self._heartbeat_s
        return (now - offset) // self._heartbeat_s > (self._last_tick - offset) // self._heartbeat_s

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(min(MAX_TICK_S, self._heartbeat_s / SLOTS))
            try:
                self.tick()
            except Exception:  # noqa: BLE001 - one bad tick must not stop the clock
                _log.exception("heartbeat_failed")


def _slot(connection_id: UUID) -> int:
    return connection_id.int % SLOTS
