"""One socket: who it is, which rooms it reads and from where, and the one task that writes to it.

A connection has no queue of events. It has a cursor per room; while its socket takes nothing, the cursors wait, and
when it takes again they read on from the room's tail or the log. Only answers and signs of life are queued, and of
those little: signs of life are dropped first.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID, uuid4

import orjson
import structlog

from app.permissions import Role
from app.websocket.protocol import CloseCode, Frame, encode
from app.websocket.room import Room

MAX_QUEUED_FRAMES: Final = 256
"""Answers waiting for a socket that takes nothing: a client that asks without reading is too slow."""
MAX_QUEUED_EPHEMERAL: Final = 32
"""Signs of life are dropped when this much waits already."""
FRAMES_IN_A_ROW: Final = 50
"""After so many frames of one room others get their turn: a peer that takes everything must not hold the loop."""
_log = structlog.get_logger(__name__)


class Transport(Protocol):
    """The way to one peer."""

    async def send(self, frame: Frame) -> None:
        """Send one frame; return when the peer's side can take the next.

        Raises:
            ConnectionError: the peer has gone.
        """

    async def close(self, code: int, reason: str) -> None:
        """End the conversation; harmless when it has ended."""


@dataclass(frozen=True, slots=True)
class SocketUser:
    """The person behind a connection."""

    id: UUID
    name: str
    session_id: UUID
    token_expires_at: datetime


@dataclass(slots=True, eq=False)
class Cursor:
    """How far a connection has read one room, and in which role. `epoch` names the log the number belongs to."""

    room: Room
    seq: int
    epoch: str
    role: Role | None


class PeerGone(Exception):
    """The other side is not there any more."""


class Connection:
    """One client's connection; `user` is None while it is anonymous."""

    def __init__(
        self,
        transport: Transport,
        user: SocketUser | None = None,
        *,
        replay_max_events: int = 1000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.id = uuid4()
        self.user = user
        self.cursors: dict[UUID, Cursor] = {}
        self.viewing: dict[UUID, UUID] = {}
        """Which task its user looks at, by project."""
        self.is_present = False
        """Whether it counts as a device of its user."""
        self.messages_sent = 0
        self.events_delivered = 0
        self.heard_at = clock()
        self.stuck_since: float | None = None
        """When the write that is under way began; None while there is none."""
        self.missed_ephemeral = False
        """Whether a sign of life was dropped, so that presence must be told whole."""
        self.on_drained: Callable[[Connection], None] | None = None
        """Called when everything has been written after a sign of life was dropped."""
        self.close_code: int | None = None
        self.ending = asyncio.Event()
        """Set when its end has been decided."""
        self._close_reason = ""
        self._transport = transport
        self._replay_max_events = replay_max_events
        self._clock = clock
        self._queue: deque[Frame] = deque()
        self._wakened = asyncio.Event()

    @property
    def user_id(self) -> UUID | None:
        """The user's id; None while anonymous."""
        return self.user.id if self.user else None

    @property
    def is_authenticated(self) -> bool:
        """Whether we know who it is."""
        return self.user is not None

    @property
    def is_closing(self) -> bool:
        """Whether its end has been decided."""
        return self.close_code is not None

    def is_in_project(self, project_id: UUID) -> bool:
        """Whether it reads this project's room."""
        return project_id in self.cursors

    def heard(self) -> None:
        """Note that the peer has said something."""
        self.heard_at = self._clock()

    def open_cursor(self, room: Room, seq: int, role: Role | None) -> None:
        """Begin to read a room after `seq`; what was queued before comes first."""
        self.cursors[room.project_id] = Cursor(room, seq, room.epoch, role)
        room.viewers.add(self)
        self.wake()

    def close_cursor(self, project_id: UUID) -> bool:
        """Stop reading a room, at once: not one more frame of it is written. Return whether it was read."""
        cursor = self.cursors.pop(project_id, None)
        if cursor is None:
            return False
        cursor.room.viewers.discard(self)
        return True

    def send_json(self, message: dict[str, Any]) -> None:
        """Queue a message of its own for this connection."""
        self.send_text(orjson.dumps(message))

    def send_text(self, frame: Frame) -> None:
        """Queue a frame of its own for this connection; a peer that lets them pile up is cut off."""
        if len(self._queue) >= MAX_QUEUED_FRAMES:
            self.close(CloseCode.TOO_SLOW, "you ask faster than you read")
            return
        self._queue.append(frame)
        self.wake()

    def send_ephemeral(self, frame: Frame) -> None:
        """Queue a sign of life, unless too much waits already."""
        if len(self._queue) >= MAX_QUEUED_EPHEMERAL:
            self.missed_ephemeral = True
            return
        self._queue.append(frame)
        self.wake()

    def close(self, code: int, reason: str) -> None:
        """Decide the connection's end. What is queued is still written, if the peer takes it; rooms are not read on.

        Its cursors stay until the manager lets it go, so that the manager knows what to clean up.
        """
        if self.close_code is None:
            self.close_code, self._close_reason = code, reason
            self.ending.set()
            self.wake()

    def wake(self) -> None:
        """There may be something to write."""
        self._wakened.set()

    async def run(self) -> None:
        """Write until the connection ends. Returns when the transport is closed or the peer has gone."""
        try:
            while not (self.is_closing and not self._queue):
                await self._wakened.wait()
                self._wakened.clear()
                await self._write_pending()
        except PeerGone:
            self.close(CloseCode.NORMAL, "the peer has gone")
            return
        except Exception:  # noqa: BLE001 - the log could not be read; the client comes back and resumes
            _log.exception("writer_failed", connection_id=str(self.id))
            self.close(CloseCode.INTERNAL, "something went wrong on the server; come back in a moment")
        assert self.close_code is not None
        with contextlib.suppress(ConnectionError):
            await self._transport.close(self.close_code, self._close_reason)

    async def _write_pending(self) -> None:
        progress = True
        while progress:
            await self._write_queue()
            progress = False
            for cursor in list(self.cursors.values()):
                progress = await self._read_on(cursor) or progress
        if self.missed_ephemeral and self.on_drained is not None:
            self.missed_ephemeral = False
            self.on_drained(self)

    async def _write_queue(self) -> None:
        while self._queue:
            await self._write(self._queue.popleft())

    async def _read_on(self, cursor: Cursor) -> bool:
        """Write the next frames of one room; return whether there may be more."""
        if not self._reads(cursor):
            return False
        room = cursor.room
        behind = room.seq - cursor.seq
        if cursor.epoch != room.epoch or cursor.seq < room.floor or behind > self._replay_max_events:
            cursor.epoch, cursor.seq = room.epoch, room.seq
            head = {"epoch": room.epoch, "seq": room.seq}
            await self._write(encode("resync", head, project_id=room.project_id))
            return True
        frames = await room.read(cursor.seq)
        for count, frame in enumerate(frames, 1):
            if not self._reads(cursor):
                return True
            cursor.seq += 1
            self.events_delivered += 1
            await self._write(frame)
            await self._write_queue()
            if count % FRAMES_IN_A_ROW == 0:
                await asyncio.sleep(0)
        return cursor.seq < room.seq

    def _reads(self, cursor: Cursor) -> bool:
        """Whether this cursor is still open, and the connection too."""
        return not self.is_closing and self.cursors.get(cursor.room.project_id) is cursor

    async def _write(self, frame: Frame) -> None:
        self.stuck_since = self._clock()
        try:
            await self._transport.send(frame)
        except ConnectionError as error:
            raise PeerGone from error
        self.stuck_since = None
        self.messages_sent += 1
