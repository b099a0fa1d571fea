"""From the broker to the rooms: publications become the log's order, without a gap.

A publication is a hint. The next in order is handed over, an old one dropped, and one that leaves a gap makes the relay
read the log. Every second or so the open rooms are compared with the log, and now and then the connections' sessions
with the database: a broker that lost something costs a delay, never an event.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

import structlog

from app.domain.events import Event
from app.services.history import LogHead
from app.websocket.manager import ConnectionManager
from app.websocket.protocol import CloseCode
from app.websocket.room import LogReader, Room

SESSION_CHECK_EVERY: Final = 10
"""Sessions are looked up once in so many checks: their end is signalled, this is the repair."""
REPAIR_BATCH: Final = 500
_log = structlog.get_logger(__name__)

HeadReader = Callable[[list[UUID]], Awaitable[dict[UUID, LogHead]]]
DeadSessionFinder = Callable[[list[UUID]], Awaitable[set[UUID]]]


class Relay:
    """Keeps this server's rooms at the heads of their logs."""

    def __init__(
        self,
        manager: ConnectionManager,
        deliver: Callable[[Room, Event], None],
        *,
        read_log: LogReader,
        read_heads: HeadReader,
        find_dead_sessions: DeadSessionFinder,
        check_s: float,
    ) -> None:
        self._manager = manager
        self._deliver = deliver
        self._read_log = read_log
        self._read_heads = read_heads
        self._find_dead_sessions = find_dead_sessions
        self._check_s = check_s
        self._repairs: dict[UUID, asyncio.Task[None]] = {}
        self._checker: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to compare rooms with the log."""
        self._checker = asyncio.create_task(self._check_for_ever(), name="relay-checker")

    async def stop(self) -> None:
        """Stop everything under way."""
        tasks = [*self._repairs.values(), *([self._checker] if self._checker else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def on_event(self, event: Event) -> None:
        """Take a publication: hand it over if it is the next, drop it if old, repair if it leaves a gap."""
        room = self._manager.rooms.get(event.project_id)
        if room is None:
            return
        if event.seq == room.seq + 1:
            self._deliver(room, event)
        elif event.seq > room.seq:
            self._start_repair(room)

    async def enter(self, project_id: UUID, head: LogHead) -> Room:
        """Return the project's room, not behind `head`, which the caller has just read from the log.

        The caller must join it without awaiting anything first: an empty room may be forgotten.
        """
        room = self._manager.rooms.get(project_id)
        if room is None:
            room = self._manager.open_room(project_id, head)
            self._start_repair(room)  # something may have been published between the reading and the opening
        while room.seq < head.seq and room.epoch == head.epoch:
            self._start_repair(room)
            await asyncio.shield(self._repairs[project_id])
            room = self._manager.open_room(project_id, head)
        return room

    async def check_rooms(self) -> None:
        """Compare every open room with its log once, and forget the empty ones."""
        rooms = dict(self._manager.rooms)
        heads = await self._read_heads(list(rooms)) if rooms else {}
        for project_id, head in heads.items():
            room = self._manager.rooms.get(project_id)
            if room is None or room is not rooms[project_id]:
                continue
            room.floor = max(room.floor, head.floor)
            if head.epoch != room.epoch:
                room.restart(head)
            elif head.seq > room.seq:
                self._start_repair(room)
            self._manager.forget_if_empty(project_id)

    async def check_sessions(self) -> None:
        """Close the connections whose session has ended without our being told."""
        by_session = self._manager.connections_by_session()
        dead = await self._find_dead_sessions(list(by_session)) if by_session else set()
        for session_id in dead:
            self._manager.close_all(by_session[session_id], CloseCode.LOGGED_OUT, "this session has ended")

    async def _check_for_ever(self) -> None:
        rounds = 0
        while True:
            await asyncio.sleep(self._check_s)
            rounds += 1
            try:
                await self.check_rooms()
                if rounds % SESSION_CHECK_EVERY == 0:
                    await self.check_sessions()
            except Exception:  # noqa: BLE001 - the database may be away for a moment
                _log.exception("check_failed")

    def _start_repair(self, room: Room) -> None:
        """Read what a room misses from the log; once at a time for each room."""
        if room.project_id not in self._repairs:
            task = asyncio.create_task(self._repair(room), name=f"repair-{room.project_id}")
            task.add_done_callback(lambda _: self._repairs.pop(room.project_id, None))
            self._repairs[room.project_id] = task

    async def _repair(self, room: Room) -> None:
        more = True
        while more:
            events = await self._read_log(room.project_id, room.seq, REPAIR_BATCH)
            if events and events[0].seq > room.seq + 1:
                room.skip_to(events[0].seq - 1)
            for event in events:
                if event.seq == room.seq + 1:
                    self._deliver(room, event)
            more = len(events) == REPAIR_BATCH
