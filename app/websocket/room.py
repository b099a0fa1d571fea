"""A project room: the recent tail of one project's log as ready frames, and the connections that read it.

The tail is shared by all viewers. A cursor that is older than the tail reads from the log; so many cursors at the same
place cause one read.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.domain.events import Event
from app.services.history import LogHead
from app.websocket.protocol import Frame

if TYPE_CHECKING:
    from app.websocket.connection import Connection

READ_BATCH: Final = 200
"""Events read from the log at once for a cursor that is older than the tail."""
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
        self._reads: dict[int, asyncio.Task[list[Frame]]] = {}

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
        for viewer in self.viewers:
            viewer.wake()

    def restart(self, head: LogHead) -> None:
        """The log was replaced (a backup was restored): forget the tail; every cursor must resynchronise."""
        self.epoch = head.epoch
        self._jump(head.seq, head.floor)

    def skip_to(self, seq: int) -> None:
        """Events up to `seq` were trimmed before this room had them: cursors before it must resynchronise."""
        self._jump(seq, seq)

    def send_ephemeral(self, frame: Frame, *, exclude: "Connection | None" = None) -> None:
        """Show every viewer something that is not stored; those who are behind do without."""
        for viewer in self.viewers:
            if viewer is not exclude:
                viewer.send_ephemeral(frame)

    async def read(self, since: int) -> Sequence[Frame]:
        """Return frames after `since`, up to the head or a batch of them; empty when there are none."""
        missing = self.seq - since
        if missing <= 0:
            return ()
        if missing <= len(self._tail):
            return list(islice(self._tail, len(self._tail) - missing, None))
        if since not in self._reads:
            task = asyncio.create_task(self._read_frames(since), name=f"log-{self.project_id}-{since}")
            task.add_done_callback(lambda _: self._reads.pop(since, None))
            self._reads[since] = task
        return await asyncio.shield(self._reads[since])

    async def _read_frames(self, since: int) -> list[Frame]:
        """Read from the log; what reaches into the tail's gap is kept there for the next who come back."""
        epoch, before_tail = self.epoch, self.seq - len(self._tail)
        limit = max(READ_BATCH, min(before_tail - since, self._max_tail_events))
        events = await self._read_log(self.project_id, since, limit)
        if self.epoch != epoch:
            return []
        frames = [event.encoded for event in events]
        before_tail = self.seq - len(self._tail)
        older = [event.encoded for event in events if event.seq <= before_tail]
        if older and since + len(older) == before_tail:
            self._tail.extendleft(reversed(older))
            self._tail_bytes += sum(map(len, older))
            self._trim()
        return frames

    def _jump(self, seq: int, floor: int) -> None:
        self.seq = self.access_seq = seq
        self.floor = floor
        self._tail.clear()
        self._tail_bytes = 0
        for viewer in self.viewers:
            viewer.wake()

    def _trim(self) -> None:
        while len(self._tail) > self._max_tail_events or (self._tail_bytes > TAIL_BYTES and len(self._tail) > 1):
            self._tail_bytes -= len(self._tail.popleft())
