"""A project room: the recent tail of one project's log as ready frames, and the connections that read it.

The tail is shared by all viewers. A cursor that is older than the tail reads from the log; so many cursors at the same
place cause one read, and what one read brought into the tail serves the others.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.domain.events import Event
from app.services.history import LogHead
from app.websocket.protocol import Frame

if TYPE_CHECKING:
    from app.websocket.connection import Connection

READ_BATCH: Final = 200
"""Events read from the log at least, for a cursor that is older than the tail."""
BATCH_BYTES: Final = 256 * 1024
"""What one reading hands to a cursor: a socket that takes nothing holds on to no more than this."""
TAIL_BYTES: Final = 4 * 1024 * 1024
"""What a tail may weigh; beyond it the oldest frames go and late cursors read from the log."""

LogReader = Callable[[UUID, int, int], Awaitable[list[Event]]]
"""(project id, since, limit) → events after `since`, in order."""


class Room:
    """The live end of one project's log on this server."""

    def __init__(self, project_id: UUID, head: LogHead, read_log: LogReader, *, max_tail_events: int) -> None:
        self.project_id = project_id
        self.epoch = head.epoch
        self.seq = head.seq
        self.floor = head.floor
        self.access_seq = head.seq
        """The last event that changed who may read, as far as is known: a permission read before it is stale."""
        self.viewers: set[Connection] = set()
        self._tail: deque[Frame] = deque()
        self._tail_bytes = 0
        self._max_tail_events = max_tail_events
        self._read_log = read_log
        self._reads: dict[tuple[str, int], asyncio.Task[list[Frame]]] = {}
        self._reading = asyncio.Lock()

    @property
    def head(self) -> LogHead:
        """Where the log stands, as far as this room has heard."""
        return LogHead(self.epoch, self.seq, self.floor)

    def append(self, seq: int, frame: Frame) -> None:
        """Take the next event and wake every viewer.

        Raises:
            ValueError: it is not the next one; the relay sees to the order.
        """
        if seq != self.seq + 1:
            message = f"expected event {self.seq + 1}, got {seq}"
            raise ValueError(message)
        self.seq = seq
        self._tail.append(frame)
        self._tail_bytes += len(frame)
        self._trim()
        self._wake_viewers()

    def restart(self, head: LogHead) -> None:
        """Go on from `head`: the log was replaced (a backup was restored), or trimmed before this room had it all.

        Every cursor must resynchronise. Events that changed who may read may have been among those missed: the caller
        has asked anew for every viewer's permission.
        """
        self.epoch, self.seq, self.floor = head.epoch, head.seq, head.floor
        self.access_seq = head.seq
        self._tail.clear()
        self._tail_bytes = 0
        self._wake_viewers()

    def send_ephemeral(self, frame: Frame, *, exclude: "Connection | None" = None) -> None:
        """Show every viewer something that is not stored; those who are behind do without."""
        for viewer in self.viewers:
            if viewer is not exclude:
                viewer.send_ephemeral(frame)

    async def read(self, since: int) -> Sequence[Frame]:
        """Return frames after `since`, up to the head or a batch of them.

        Empty when there are none, or when they cannot be had any more: then `epoch` or `floor` has changed.
        """
        if self.seq - since <= len(self._tail):
            return self._read_tail(since)
        key = (self.epoch, since)
        if key not in self._reads:
            task = asyncio.create_task(self._read_frames(since), name=f"log-{self.project_id}-{since}")
            task.add_done_callback(lambda done: self._forget_read(key, done))
            self._reads[key] = task
        return await asyncio.shield(self._reads[key])

    def _forget_read(self, key: tuple[str, int], done: asyncio.Task[list[Frame]]) -> None:
        del self._reads[key]
        if not done.cancelled():
            done.exception()  # whoever waited has it; with nobody left, nobody misses it

    def _read_tail(self, since: int) -> list[Frame]:
        missing = self.seq - since
        return _take_batch(self._tail[index] for index in range(-missing, 0))

    async def _read_frames(self, since: int) -> list[Frame]:
        """Read from the log up to this room's head, one reader at a time, for large events are a lot of memory.

        Never beyond the head: what the room has not heard of may be the event that takes this reader's access away.
        What reaches into the tail's gap is kept there for the next who come back.
        """
        async with self._reading:
            if self.seq - since <= len(self._tail):
                return self._read_tail(since)
            epoch, seq, before_tail = self.epoch, self.seq, self.seq - len(self._tail)
            limit = min(seq - since, max(READ_BATCH, min(before_tail - since, self._max_tail_events)))
            events = await self._read_log(self.project_id, since, limit)
        if self.epoch != epoch:
            return []
        if not events or events[0].seq != since + 1:
            self.floor = max(self.floor, events[0].seq - 1 if events else seq)  # trimmed a moment ago
            return []
        self._keep(events)
        return _take_batch(event.encoded for event in events)

    def _keep(self, events: list[Event]) -> None:
        """Put events before the tail when they reach to it."""
        before_tail = self.seq - len(self._tail)
        older = [event.encoded for event in events if event.seq <= before_tail]
        if older and events[len(older) - 1].seq == before_tail:
            self._tail.extendleft(reversed(older))
            self._tail_bytes += sum(map(len, older))
            self._trim()

    def _wake_viewers(self) -> None:
        for viewer in self.viewers:
            viewer.wake()

    def _trim(self) -> None:
        while len(self._tail) > self._max_tail_events or (self._tail_bytes > TAIL_BYTES and len(self._tail) > 1):
            self._tail_bytes -= len(self._tail.popleft())


def _take_batch(frames: Iterable[Frame]) -> list[Frame]:
    """Return the first frames, until they weigh a batch."""
    batch: list[Frame] = []
    weight = 0
    for frame in frames:
        batch.append(frame)
        weight += len(frame)
        if weight >= BATCH_BYTES:
            break
    return batch
