"""From the broker to the rooms: publications become the log's order, without a gap.

A publication is a hint. The next in order is handed over, an old one dropped, and one that leaves a gap makes the relay
read the log. Every second or so the open rooms are compared with the log, and the connections' sessions with the
database: a broker that lost something costs a delay, never an event and never a secret.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from app.domain.clock import utc_now
from app.domain.events import Event
from app.errors import NotFound
from app.permissions import Role
from app.services.history import LogHead
from app.websocket.connection import Connection, SocketUser
from app.websocket.manager import ConnectionManager
from app.websocket.protocol import CloseCode
from app.websocket.room import LogReader, Room

REPAIR_BATCH: Final = 500
"""Events read from the log at once."""
LOOKUP_BATCH: Final = 500
"""Ids in one query, far below what any database takes."""
LOOK_BACK: Final = timedelta(minutes=1)
"""How far before the last look sessions may say they ended: clocks differ, and a commit takes its time."""
_log = structlog.get_logger(__name__)

HeadReader = Callable[[list[UUID]], Awaitable[dict[UUID, LogHead]]]
RoleFinder = Callable[[SocketUser | None, UUID], Awaitable[Role | None]]
DeadSessionFinder = Callable[[list[UUID], datetime], Awaitable[set[UUID]]]
"""(sessions, since) → those of them that let nobody in any more, and all that were ended since then."""


class Relay:
    """Keeps this server's rooms at the heads of their logs.

    `deliver` takes the next event of an open room, `on_unread` any event of a project without one, as it comes.
    `find_role` raises NotFound for somebody who may not read a project.
    """

    def __init__(
        self,
        manager: ConnectionManager,
        deliver: Callable[[Room, Event], None],
        on_unread: Callable[[Event], None],
        *,
        read_log: LogReader,
        read_heads: HeadReader,
        find_role: RoleFinder,
        find_dead_sessions: DeadSessionFinder,
        check_s: float,
    ) -> None:
        self._manager = manager
        self._deliver = deliver
        self._on_unread = on_unread
        self._read_log = read_log
        self._read_heads = read_heads
        self._find_role = find_role
        self._find_dead_sessions = find_dead_sessions
        self._check_s = check_s
        self._repairs: dict[Room, asyncio.Task[None]] = {}
        self._sessions_checked_at = utc_now()
        self._unchecked_sessions: list[UUID] = []
        self._unchecked_persons: list[UUID] = []
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
            self._on_unread(event)
        elif event.seq == room.seq + 1:
            self._deliver(room, event)
        elif event.seq > room.seq:
            self._start_repair(room)

    async def enter(self, project_id: UUID, head: LogHead, *, is_personal: bool = False) -> Room:
        """Return the room of a project or user; when it is not at `head`, which was just read, after a repair.

        The caller looks whether the room suits what it has read, and joins without awaiting anything first: an empty
        room may be forgotten.
        """
        room = self._manager.rooms.get(project_id)
        if room is None:
            room = self._manager.open_room(project_id, head, is_personal=is_personal)
            self._start_repair(room)  # something may have been published between the reading and the opening
        elif room.epoch != head.epoch or room.seq < head.seq:
            self._start_repair(room)
            await asyncio.shield(self._repairs[room])
        else:
            room.floor = max(room.floor, head.floor)
        return room

    async def check_rooms(self) -> None:
        """Compare open rooms with their logs once, and forget the empty ones: all of projects, some of persons."""
        projects = [room for room in self._manager.rooms.values() if not room.is_personal]
        for rooms in _batches([*projects, *self._some_persons_rooms()]):
            heads = await self._read_heads([room.project_id for room in rooms])
            for room in rooms:
                self._check_room(room, heads.get(room.project_id))

    def _some_persons_rooms(self) -> list[Room]:
        """Return up to 500 of them, in turn: everybody who is connected may have one."""
        if not self._unchecked_persons:
            self._unchecked_persons = [id_ for id_, room in self._manager.rooms.items() if room.is_personal]
        batch = self._unchecked_persons[:LOOKUP_BATCH]
        self._unchecked_persons = self._unchecked_persons[LOOKUP_BATCH:]
        return [room for id_ in batch if (room := self._manager.rooms.get(id_)) is not None]

    def _check_room(self, room: Room, head: LogHead | None) -> None:
        if not self._manager.is_open(room):
            return
        if head is not None and (head.epoch != room.epoch or head.seq > room.seq):
            self._start_repair(room)
        elif head is not None:
            room.floor = max(room.floor, head.floor)
        self._manager.forget_if_empty(room.project_id)

    async def check_sessions(self) -> None:
        """Close connections whose session has ended without our being told.

        Those that were ended are found at once; whatever else makes a session useless, by 500 a time, in turn.
        """
        if not self._manager.connections:
            return
        if not self._unchecked_sessions:
            self._unchecked_sessions = list(self._manager.connections_by_session())
        batch, self._unchecked_sessions = (
            self._unchecked_sessions[:LOOKUP_BATCH],
            self._unchecked_sessions[LOOKUP_BATCH:],
        )
        now = utc_now()
        dead = await self._find_dead_sessions(batch, self._sessions_checked_at - LOOK_BACK)
        self._sessions_checked_at = now
        if dead:
            by_session = self._manager.connections_by_session()
            for session_id in dead & by_session.keys():
                self._manager.close_all(by_session[session_id], CloseCode.LOGGED_OUT, "this session has ended")

    async def _check_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._check_s)
            try:
                await self.check_rooms()
                await self.check_sessions()
            except Exception:  # noqa: BLE001 - the database may be away for a moment
                _log.exception("check_failed")

    def _start_repair(self, room: Room) -> None:
        """Read what a room misses from the log; once at a time for each room."""
        if room not in self._repairs:
            task = asyncio.create_task(self._repair(room), name=f"repair-{room.project_id}")
            task.add_done_callback(lambda done: self._end_repair(room, done))
            self._repairs[room] = task

    def _end_repair(self, room: Room, done: asyncio.Task[None]) -> None:
        del self._repairs[room]
        if not done.cancelled() and (error := done.exception()) is not None:
            _log.error("repair_failed", project_id=str(room.project_id), exc_info=error)

    async def _repair(self, room: Room) -> None:
        """Bring a room to the head of its log: event by event, or with a jump when that cannot be."""
        while (head := await self._find_head_beyond(room)) is not None:
            if head.epoch != room.epoch or head.floor > room.seq:
                await self._jump(room, head)
            else:
                for event in await self._read_log(room.project_id, room.seq, REPAIR_BATCH):
                    if event.seq == room.seq + 1 and self._manager.is_open(room):
                        self._deliver(room, event)

    async def _find_head_beyond(self, room: Room) -> LogHead | None:
        """Return where the log stands if the room is not there yet; None also for a room nobody reads any more."""
        head = (await self._read_heads([room.project_id])).get(room.project_id)
        is_there = head is None or (head.epoch == room.epoch and head.seq <= room.seq)
        return None if is_there or not self._manager.is_open(room) else head

    async def _jump(self, room: Room, head: LogHead) -> None:
        """Go on from the head. Who may read may have changed among what was missed, so that is asked first."""
        at = room.head
        asked: set[Connection] = set()
        while waiting := room.viewers - asked:
            for viewer in waiting:
                await self._renew_role(room, viewer)
            asked |= waiting
        if room.head == at:
            room.restart(head)

    async def _renew_role(self, room: Room, viewer: Connection) -> None:
        try:
            role = await self._find_role(viewer.user, room.project_id)
        except NotFound:
            self._manager.revoke(room.project_id, lambda other: other is viewer, "revoked")
        else:
            self._manager.set_role(viewer, room, role)


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), LOOKUP_BATCH):
        yield items[start : start + LOOKUP_BATCH]
