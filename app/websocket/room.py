"""A room: the recent tail of one project's log, or of one user's, as ready frames, and the connections that read it.

The tail is shared by all viewers: an event is framed once, and what several viewers miss is joined once for all who
stand at the same place. A cursor that is older than the tail reads from the log; so many cursors at the same place
cause one read, and what one read brought into the tail serves the others.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, KeysView
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.domain.events import Event
from app.services.history import LogHead
from app.websocket.flusher import Flusher
from app.websocket.framing import frame
from app.websocket.protocol import Frame

if TYPE_CHECKING:
    from app.websocket.connection import Connection, Cursor

READ_BATCH: Final = 200
"""Events read from the log at least, for a cursor that is older than the tail."""
BATCH_BYTES: Final = 64 * 1024
"""What a cursor is given at once: a socket that takes nothing holds on to little more than its high-water mark."""
MAX_BATCHES: Final = 16
"""Joined batches kept for others at the same place; a handful, for most viewers stand at the head."""
MAX_SIGNS: Final = 16
"""Signs of life handed out at once: a reader who takes nothing holds on to a few pieces of so many."""
TAIL_BYTES: Final = 4 * 1024 * 1024
"""What a tail may weigh; beyond it the oldest frames go and late cursors read from the log."""

LogReader = Callable[[UUID, int, int], Awaitable[list[Event]]]
"""(project id, since, limit) → events after `since`, in order."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive events, framed and joined: what one write takes."""

    frames: bytes
    event_count: int


class Room:
    """The live end of one log on this server."""

    def __init__(
        self,
        project_id: UUID,
        head: LogHead,
        read_log: LogReader,
        *,
        max_tail_events: int,
        flusher: Flusher | None = None,
        is_personal: bool = False,
    ) -> None:
        self.project_id = project_id
        """The project's id; of somebody's own room, their user id."""
        self.is_personal = is_personal
        """Whether it is somebody's own, which tells of their notifications."""
        self.epoch = head.epoch
        self.seq = head.seq
        self.floor = head.floor
        self.access_seq = head.seq
        """The last event that changed who may read, as far as is known: a permission read before it is stale."""
        self.cursors: dict[Connection, Cursor] = {}
        """Who reads it, and from where."""
        self.anonymous_count = 0
        """How many of the viewers are nobody known."""
        self._flusher = flusher or Flusher()
        self._signs: list[Frame] = []
        """Signs of life that nobody was given yet."""
        self._signs_are_members = False
        """Whether they are for members alone."""
        self.batches: dict[int, Batch] = {}
        """What those who stood at some places were given since the last event, by place."""
        self._tail: deque[Frame] = deque()
        self._tail_bytes = 0
        self._max_tail_events = max_tail_events
        self._read_log = read_log
        self._reads: dict[tuple[str, int], asyncio.Task[Batch | None]] = {}
        self._reading = asyncio.Lock()

    @property
    def viewers(self) -> "KeysView[Connection]":
        """The connections that read it."""
        return self.cursors.keys()

    @property
    def head(self) -> LogHead:
        """Where the log stands, as far as this room has heard."""
        return LogHead(self.epoch, self.seq, self.floor)

    def append(self, seq: int, encoded: bytes) -> None:
        """Take the next event and have it written to every viewer.

        Raises:
            ValueError: it is not the next one; the relay sees to the order.
        """
        if seq != self.seq + 1:
            message = f"expected event {self.seq + 1}, got {seq}"
            raise ValueError(message)
        self.seq = seq
        ready = frame(encoded)
        self._tail.append(ready)
        self._tail_bytes += len(ready)
        self.batches.clear()
        self._trim()
        self._flusher.add(self)

    def restart(self, head: LogHead) -> None:
        """Go on from `head`: the log was replaced (a backup was restored), or trimmed before this room had it all.

        Every cursor must resynchronise. Events that changed who may read may have been among those missed: the caller
        has asked anew for every viewer's permission.
        """
        self.epoch, self.seq, self.floor = head.epoch, head.seq, head.floor
        self.access_seq = head.seq
        self._tail.clear()
        self._tail_bytes = 0
        self.batches.clear()
        self._flusher.add(self)

    def send_ephemeral(self, text: bytes, *, exclude: "Connection | None" = None, members_only: bool = False) -> None:
        """Show viewers something that is not stored; those who are behind do without."""
        ready = frame(text)
        if exclude is not None or members_only is not self._signs_are_members:
            self.hand_out()  # what came before comes first
            self._signs_are_members = members_only
        if exclude is not None:
            self._give(ready, 1, exclude)
        else:
            self._signs.append(ready)
            if len(self._signs) >= MAX_SIGNS:
                self.hand_out()
        self._flusher.add(self)

    def hand_out(self) -> None:
        """Give viewers the signs of life there are, in one piece: when a thousand come, each is told of all."""
        if self._signs:
            signs, self._signs = self._signs, []
            self._give(b"".join(signs), len(signs), None)

    def _give(self, frames: Frame, count: int, exclude: "Connection | None") -> None:
        for viewer, cursor in self.cursors.items():
            if viewer is not exclude and (cursor.sees_members or not self._signs_are_members):
                viewer.queue_ephemeral(frames, count)

    def find_batch(self, since: int) -> Batch | None:
        """Return the events after `since`, up to the head or a batch of them; None when the tail does not reach back.

        `since` lies before the head.
        """
        batch = self.batches.get(since)
        if batch is None and self.seq - since <= len(self._tail):
            batch = self.batches[since] = _join(self._tail[index] for index in range(since - self.seq, 0))
            if len(self.batches) > MAX_BATCHES:
                del self.batches[next(iter(self.batches))]
        return batch

    async def read(self, since: int) -> Batch | None:
        """Return the events after `since`, up to the head or a batch of them, from the log if need be.

        None when there are none, or when they cannot be had any more: then `epoch` or `floor` has changed.
        """
        if since >= self.seq:
            return None
        ready = self.find_batch(since)
        if ready is not None:
            return ready
        key = (self.epoch, since)
        if key not in self._reads:
            task = asyncio.create_task(self._read_batch(since), name=f"log-{self.project_id}-{since}")
            task.add_done_callback(lambda done: self._forget_read(key, done))
            self._reads[key] = task
        return await asyncio.shield(self._reads[key])

    def _forget_read(self, key: tuple[str, int], done: asyncio.Task[Batch | None]) -> None:
        del self._reads[key]
        if not done.cancelled():
            done.exception()  # whoever waited has it; with nobody left, nobody misses it

    async def _read_batch(self, since: int) -> Batch | None:
        """Read from the log up to this room's head, one reader at a time, for large events are a lot of memory.

        Never beyond the head: what the room has not heard of may be the event that takes this reader's access away.
        What reaches into the tail's gap is kept there for the next who come back.
        """
        async with self._reading:
            ready = self.find_batch(since)
            if ready is not None:
                return ready
            epoch, seq, before_tail = self.epoch, self.seq, self.seq - len(self._tail)
            limit = min(seq - since, max(READ_BATCH, min(before_tail - since, self._max_tail_events)))
            events = await self._read_log(self.project_id, since, limit)
        if self.epoch != epoch:
            return None
        if not events or events[0].seq != since + 1:
            self.floor = max(self.floor, events[0].seq - 1 if events else seq)  # trimmed a moment ago
            return None
        frames = [frame(event.encoded) for event in events]
        self._keep(since, frames)
        return _join(frames)

    def _keep(self, since: int, frames: list[Frame]) -> None:
        """Put the frames after `since` before the tail when they reach to it."""
        before_tail = self.seq - len(self._tail)
        older = frames[: before_tail - since]
        if since + len(older) == before_tail:
            self._tail.extendleft(reversed(older))
            self._tail_bytes += sum(map(len, older))
            self._trim()

    def _trim(self) -> None:
        while len(self._tail) > self._max_tail_events or (self._tail_bytes > TAIL_BYTES and len(self._tail) > 1):
            self._tail_bytes -= len(self._tail.popleft())


def _join(frames: Iterable[Frame]) -> Batch:
    """Return the first frames, until they weigh a batch."""
    taken: list[Frame] = []
    weight = 0
    for ready in frames:
        taken.append(ready)
        weight += len(ready)
        if weight >= BATCH_BYTES:
            break
    return Batch(b"".join(taken), len(taken))
