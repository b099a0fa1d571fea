"""The realtime side of one server, put together: manager, rooms, relay, presence, heartbeat, handler."""

import asyncio
import random
from typing import Any
from uuid import UUID

import structlog

from app.broker.base import Broker, Signal, SignalType
from app.config import Settings
from app.domain.demand import Demand
from app.websocket.batcher import Receiver
from app.websocket.cluster import ClusterStats
from app.websocket.connection import Connection, SocketUser, Transport
from app.websocket.directory import Admission, Directory
from app.websocket.door import Door
from app.websocket.effects import Effects
from app.websocket.events import UserEvent
from app.websocket.handlers import WebSocketHandler
from app.websocket.heartbeat import Heartbeat
from app.websocket.manager import ConnectionManager
from app.websocket.presence import Presence
from app.websocket.protocol import CloseCode, CloseError, encode
from app.websocket.relay import Relay

_log = structlog.get_logger(__name__)


class Hub:
    """Starts and stops the realtime side, and knows whether it still takes connections."""

    def __init__(
        self, settings: Settings, directory: Directory, broker: Broker, *, server_id: str, demand: Demand | None = None
    ) -> None:
        self.settings = settings
        self.directory = directory
        self.is_draining = False
        self._broker = broker
        self._server_id = server_id
        self._signals: set[asyncio.Task[None]] = set()
        self.manager = ConnectionManager(
            directory.read_log,
            replay_max_events=settings.replay_max_events,
            max_tail_events=settings.room_tail_events,
            max_connections=settings.ws_max_connections,
            max_connections_per_user=settings.ws_max_connections_per_user,
            demand=demand,
        )
        self.door = Door(settings, directory, self.manager, is_draining=lambda: self.is_draining)
        announce = self._announce if broker.reaches_others else None
        self.presence = Presence(
            server_id,
            self.manager.show_to_members,
            announce,
            grace_s=settings.presence_grace_s,
            is_watched=self.manager.rooms.__contains__,
        )
        tell = self._tell_others if broker.reaches_others else None
        self.cluster = ClusterStats(server_id, self.manager.get_stats, tell)
        self._effects = Effects(self.manager, self.presence, self.cluster, server_id=server_id)
        self._relay = Relay(
            self.manager,
            self._effects.on_event,
            self._effects.on_unread,
            read_log=directory.read_log,
            read_heads=directory.read_heads,
            find_role=directory.find_role,
            find_dead_sessions=directory.find_dead_sessions,
            check_s=settings.relay_check_s,
        )
        self._heartbeat = Heartbeat(
            self.manager, self.presence, heartbeat_s=settings.ws_heartbeat_s, slow_s=settings.ws_slow_s
        )
        self.handler = WebSocketHandler(
            self.manager,
            settings=settings,
            directory=directory,
            relay=self._relay,
            presence=self.presence,
            show_elsewhere=self._show_elsewhere,
        )

    async def start(self) -> None:
        """Begin to listen to the broker and to tick."""
        await self._broker.start(self._relay.on_event, self._effects.on_signal)
        self._relay.start()
        self._heartbeat.start()
        self.cluster.start()

    def make_connection(self, transport: Transport, user: SocketUser | None, *, network: str = "") -> Connection:
        """Return a connection that is not taken in yet."""
        limit = self.settings.replay_max_events
        return Connection(transport, user, network=network, replay_max_events=limit)

    async def take_in(self, connection: Connection) -> None:
        """Take a connection in and welcome it.

        Raises:
            CloseError: it cannot stay.
        """
        self._refuse_if_draining()
        await self.handler.connect(connection)

    def take_in_soon(self, connection: Connection, receiver: Receiver[Admission | None]) -> None:
        """Take a connection in, and have `receiver` told whose it is so that it can be welcomed.

        Raises:
            CloseError: it cannot stay.
        """
        self._refuse_if_draining()
        self.handler.check_in(connection)
        if connection.user is None:
            receiver.set_result(None)
        else:
            self.directory.admit_soon(connection.user, receiver)

    def _refuse_if_draining(self) -> None:
        if self.is_draining:
            raise CloseError(CloseCode.RESTART, "the server restarts")

    async def drain(self) -> None:
        """Ask every client to come back a little later, spread over the drain time, and close.

        After this no new connection is taken. Returns when all have gone or the drain time is over.
        """
        self.is_draining = True
        spread_ms = int(self.settings.drain_s * 1000)
        for connection in list(self.manager.connections.values()):
            after_ms = random.randint(0, spread_ms)  # noqa: S311 - a spread, not a secret
            connection.send_text(encode("reconnect", {"after_ms": after_ms}))
            connection.close(CloseCode.RESTART, "the server restarts")
        deadline = asyncio.get_running_loop().time() + self.settings.drain_s
        while self.manager.connections and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Stop everything that runs by itself."""
        await self.cluster.stop()
        await self._heartbeat.stop()
        await self._relay.stop()
        self.presence.stop()
        await asyncio.gather(*self._signals, return_exceptions=True)

    def _announce(self, data: dict[str, Any]) -> None:
        self._tell_others(Signal(SignalType.PRESENCE, self._server_id, None, data))

    def _show_elsewhere(self, project_id: UUID, event: UserEvent) -> None:
        data = {"type": event.type.value, "user_id": str(event.user_id), "data": event.data}
        self._tell_others(Signal(SignalType.ACTIVITY, self._server_id, project_id, data))

    def _tell_others(self, signal: Signal) -> None:
        if not self._broker.reaches_others:
            return
        task = asyncio.get_running_loop().create_task(self._send(signal))
        self._signals.add(task)
        task.add_done_callback(self._signals.discard)

    async def _send(self, signal: Signal) -> None:
        try:
            await self._broker.signal(signal)
        except (OSError, TimeoutError):
            _log.warning("signal_failed", type=signal.type)
