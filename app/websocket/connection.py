"""One client's connection: who it is, which rooms it reads and from where, and what is written to it when.

A connection has no queue of events. It has a cursor per room; while its socket takes nothing, the cursors wait, and
when it takes again they read on from the room's tail or the log. Only answers and signs of life are queued, and of
those little: signs of life are dropped first.

Nothing here awaits a socket. Whatever there is to write, of all rooms, is joined into one write; a transport that can
take no more says so, and calls `resume` when it can.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID, uuid4

import orjson
import structlog

from app.permissions import Action, Role, may
from app.websocket.framing import frame
from app.websocket.protocol import FAILED, CloseCode, Frame, encode
from app.websocket.room import Batch, Room

MAX_QUEUED_FRAMES: Final = 256
"""Answers waiting for a socket that takes nothing: a client that asks without reading is too slow."""
MAX_QUEUED_EPHEMERAL: Final = 32
"""Signs of life are dropped when this much waits already for a socket that takes nothing."""
_log = structlog.get_logger(__name__)


class Transport(Protocol):
    """The way to one peer. It calls the connection's `resume` when it can take more again."""

    @property
    def is_writable(self) -> bool:
        """Whether the peer's side can take more."""

    @property
    def backlog_bytes(self) -> int:
        """How much of what was written the peer has not taken yet, as far as is known here."""

    def write(self, frames: bytes) -> None:
        """Write some whole frames (`app.websocket.framing`)."""

    def close(self, code: int, reason: str) -> None:
        """End the conversation after what was written; harmless when it has ended."""


@dataclass(frozen=True, slots=True)
class SocketUser:
    """The person behind a connection; the name is known once they are admitted."""

    id: UUID
    name: str
    session_id: UUID
    token_expires_at: datetime


@dataclass(slots=True, eq=False)
class Cursor:
    """How far a connection has read one room, and in which role. `epoch` names the log the number belongs to."""

    connection: "Connection"
    room: Room
    seq: int
    epoch: str
    role: Role | None
    is_open: bool = True

    @property
    def sees_members(self) -> bool:
        """Whether it may be shown who the others are: strangers in a public project and one's own room are not."""
        return may(self.role, Action.SEE_MEMBERS_LIST)


class Connection:
    """One client's connection; `user` is None while it is anonymous."""

    __slots__ = (
        "_answers_sent",
        "_backlog_bytes",
        "_clock",
        "_close_reason",
        "_is_woken",
        "_queue",
        "_reading",
        "_replay_max_events",
        "close_code",
        "cursors",
        "events_delivered",
        "heard_at",
        "id",
        "is_present",
        "missed_ephemeral",
        "network",
        "on_drained",
        "ping_at",
        "slot",
        "stuck_since",
        "transport",
        "user",
        "viewing",
    )

    def __init__(
        self,
        transport: Transport,
        user: SocketUser | None = None,
        *,
        network: str = "",
        replay_max_events: int = 1000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.id = uuid4()
        self.user = user
        self.network = network
        """What counts as its address (`app.domain.networks`); empty when that is not known."""
        self.cursors: dict[UUID, Cursor] = {}
        self.viewing: dict[UUID, UUID] = {}
        """Which task its user looks at, by project."""
        self.is_present = False
        """Whether it counts as a device of its user."""
        self.events_delivered = 0
        self.heard_at = clock()
        self.ping_at = 0.0
        """When the heartbeat pings it next."""
        self.slot = -1
        """Where in the heartbeat's wheel it is; an entry in another slot is an old one."""
        self.stuck_since: float | None = None
        """Since when the peer has taken nothing although something waits; None while it takes."""
        self.missed_ephemeral = False
        """Whether a sign of life was dropped, so that presence must be told whole."""
        self.on_drained: Callable[[Connection], None] | None = None
        """Called when everything has been written after a sign of life was dropped."""
        self.close_code: int | None = None
        self._answers_sent = 0
        self._close_reason = ""
        self.transport = transport
        self._replay_max_events = replay_max_events
        self._clock = clock
        self._queue: list[Frame] = []
        self._is_woken = False
        self._backlog_bytes = 0
        self._reading: asyncio.Task[None] | None = None

    @property
    def user_id(self) -> UUID | None:
        """The user's id; None while anonymous."""
        return self.user.id if self.user else None

    @property
    def is_authenticated(self) -> bool:
        """Whether we know who it is."""
        return self.user is not None

    @property
    def messages_sent(self) -> int:
        """How many messages were written to it, events included."""
        return self._answers_sent + self.events_delivered

    @property
    def is_closing(self) -> bool:
        """Whether its end has been decided."""
        return self.close_code is not None

    def is_in_project(self, project_id: UUID) -> bool:
        """Whether it reads this project's room."""
        return project_id in self.cursors

    def identify(self, user: SocketUser) -> None:
        """Note whose connection it is; it may have been nobody's until now."""
        for cursor in self.cursors.values():
            cursor.room.anonymous_count -= self.user is None
        self.user = user

    def heard(self) -> None:
        """Note that the peer has said something."""
        self.heard_at = self._clock()

    def open_cursor(self, room: Room, seq: int, role: Role | None) -> None:
        """Begin to read a room after `seq`; what was queued before comes first."""
        self.cursors[room.project_id] = room.cursors[self] = Cursor(self, room, seq, room.epoch, role)
        room.anonymous_count += self.user is None
        if seq != room.seq:
            self.wake()

    def close_cursor(self, project_id: UUID) -> bool:
        """Stop reading a room, at once: not one more frame of it is written. Return whether it was read."""
        cursor = self.cursors.pop(project_id, None)
        if cursor is None:
            return False
        cursor.is_open = False
        del cursor.room.cursors[self]
        cursor.room.anonymous_count -= self.user is None
        return True

    def send_json(self, message: dict[str, Any]) -> None:
        """Queue a message of its own for this connection."""
        self.send_text(orjson.dumps(message))

    def send_text(self, text: bytes) -> None:
        """Queue an encoded message of its own for this connection."""
        self.send_frame(frame(text))

    def send_frame(self, ready: Frame) -> None:
        """Queue a frame for this connection; a peer that lets them pile up is cut off."""
        if len(self._queue) >= MAX_QUEUED_FRAMES and not self.transport.is_writable:
            self.close(CloseCode.TOO_SLOW, "you ask faster than you read")
            return
        self._queue.append(ready)
        self.wake()

    def queue_ephemeral(self, ready: Frame, count: int = 1) -> None:
        """Queue so many signs of life, unless too much waits already; the caller sees to the writing."""
        if len(self._queue) >= MAX_QUEUED_EPHEMERAL and not self.transport.is_writable:
            self.missed_ephemeral = True
        else:
            self._queue.append(ready)
            self._answers_sent += count - 1  # as one of the queue it is counted when it is written

    def send_ephemeral(self, text: bytes) -> None:
        """Queue a sign of life and have it written."""
        self.queue_ephemeral(frame(text))
        self.wake()

    def close(self, code: int, reason: str) -> None:
        """Decide the connection's end. What is queued is still written; rooms are not read on.

        Its cursors stay until the manager lets it go, so that the manager knows what to clean up.
        """
        if self.close_code is None:
            self.close_code, self._close_reason = code, reason
            self.wake()

    def wake(self) -> None:
        """Have what there is written soon, with whatever else comes before the loop's next turn."""
        if not self._is_woken:
            self._is_woken = True
            asyncio.get_running_loop().call_soon(self._on_woken)

    def resume(self) -> None:
        """Go on writing: the transport can take more."""
        self.stuck_since = None
        self.pump()

    def pause(self) -> None:
        """Note that the transport can take no more for now."""
        if self.stuck_since is None:
            self.stuck_since, self._backlog_bytes = self._clock(), self.transport.backlog_bytes

    def note_progress(self) -> None:
        """See whether a peer that cannot take more has at least taken some of what was written."""
        backlog = self.transport.backlog_bytes
        if backlog < self._backlog_bytes:
            self.stuck_since = self._clock()
        self._backlog_bytes = backlog

    def follow(self, cursor: Cursor) -> bytes | None:
        """Return what is new in one room, for the caller to write: as a rule the same as for many others.

        None when there is nothing, or when it is not all there is to write: then that has been written.
        """
        room = cursor.room
        batch = room.batches.get(cursor.seq)
        is_rule = not self._queue and self.close_code is None and cursor.is_open and cursor.epoch is room.epoch
        if batch is None or not is_rule:
            self.pump()
            return None
        if not self.transport.is_writable:
            return None
        self._move(cursor, batch)
        return batch.frames

    def pump(self) -> None:
        """Write what there is in one piece, as far as the peer's side takes it; the rest on the loop's next turns."""
        if self.close_code is not None:
            self._finish()
            return
        if not self.transport.is_writable:
            return
        out = self._take_queue() if self._queue else []
        for cursor in self.cursors.values():
            room = cursor.room
            if cursor.seq != room.seq or cursor.epoch != room.epoch:
                self._read_on(cursor, out)
        if out:
            self.transport.write(out[0] if len(out) == 1 else b"".join(out))
        if self.missed_ephemeral and self.on_drained is not None and self.transport.is_writable:
            self.missed_ephemeral = False
            self.on_drained(self)

    def stop(self) -> None:
        """Write no more: the peer has gone."""
        self.close_code = self.close_code or CloseCode.NORMAL
        self._queue.clear()
        if self._reading is not None:
            self._reading.cancel()

    def _on_woken(self) -> None:
        self._is_woken = False
        self.pump()

    def _read_on(self, cursor: Cursor, out: list[Frame]) -> None:
        """Take the next frames of a room into what is about to be written."""
        room = cursor.room
        behind = room.seq - cursor.seq
        if cursor.epoch != room.epoch or cursor.seq < room.floor or behind > self._replay_max_events:
            cursor.epoch, cursor.seq = room.epoch, room.seq
            head = {"epoch": room.epoch, "seq": room.seq}
            out.append(frame(encode("resync", head, project_id=None if room.is_personal else room.project_id)))
            self._answers_sent += 1
            return
        batch = room.find_batch(cursor.seq)
        if batch is not None:
            out.append(batch.frames)
            self._move(cursor, batch)
        elif self._reading is None:
            self._reading = asyncio.create_task(self._read_log(cursor), name=f"reader-{self.id}")

    def _move(self, cursor: Cursor, batch: Batch) -> None:
        cursor.seq += batch.event_count
        self.events_delivered += batch.event_count
        if cursor.seq < cursor.room.seq:
            self.wake()  # others get their turn before the next batch

    async def _read_log(self, cursor: Cursor) -> None:
        """Read what is no longer in the room's tail, then go on; a log that cannot be read is the server's fault."""
        since = cursor.seq
        try:
            batch = await cursor.room.read(since)
        except Exception:  # noqa: BLE001 - the client comes back and resumes
            _log.exception("log_not_read", connection_id=str(self.id))
            self.close(CloseCode.INTERNAL, FAILED)
            return
        finally:
            self._reading = None
        is_wanted = not self.is_closing and self.cursors.get(cursor.room.project_id) is cursor and cursor.seq == since
        if batch is not None and is_wanted and self.transport.is_writable:
            out = [*self._take_queue(), batch.frames]
            self._move(cursor, batch)
            self.transport.write(b"".join(out))
        self.wake()

    def _take_queue(self) -> list[Frame]:
        queue, self._queue = self._queue, []
        self._answers_sent += len(queue)
        return queue

    def _finish(self) -> None:
        """Write the last words, and end."""
        queue = self._take_queue()
        if queue:
            self.transport.write(b"".join(queue))
        if self._reading is not None:
            self._reading.cancel()
        assert self.close_code is not None
        self.transport.close(self.close_code, self._close_reason)
