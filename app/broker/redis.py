"""The broker of several servers: Redis (or Valkey) publish/subscribe, nothing stored.

A listener that lost its connection dials again for ever; what was published meanwhile is found in the log. The
channel names carry a prefix so that several boards can share one Redis.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from uuid import UUID

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.broker.base import EventListener, Signal, SignalListener, SignalType
from app.domain.events import Event

RECONNECT_S: Final = 0.5
SOCKET_TIMEOUT_S: Final = 1.0
"""A Redis that does not answer holds up whoever finds that out for this long; the log has the event anyway."""
START_S: Final = 10.0
"""How long a server that starts waits for Redis."""
_DOWN: Final = "Redis does not answer"
_log = structlog.get_logger(__name__)


class RedisBroker:
    """Publishes to, and listens on, one channel for events and one for signals."""

    reaches_others = True

    def __init__(self, url: str, *, prefix: str = "timetodo") -> None:
        self._redis: Redis = Redis.from_url(
            url, socket_connect_timeout=SOCKET_TIMEOUT_S, socket_timeout=SOCKET_TIMEOUT_S, health_check_interval=15
        )
        self._events = f"{prefix}:events"
        self._signals = f"{prefix}:signals"
        self._listener: asyncio.Task[None] | None = None
        self._return: asyncio.Task[None] | None = None
        """Waits for Redis to answer again; until then nobody who publishes does."""

    async def start(self, on_event: EventListener, on_signal: SignalListener) -> None:
        """Subscribe, and return when the subscription stands.

        Raises:
            ConnectionError: it cannot be had; a server that starts deaf would hide a wrong address.
        """
        ready = asyncio.Event()
        self._listener = asyncio.create_task(self._listen(on_event, on_signal, ready), name="redis-listener")
        try:
            await asyncio.wait_for(ready.wait(), START_S)
        except TimeoutError:
            await self._stop_listening()
            raise ConnectionError(_DOWN) from None

    async def publish(self, *events: Event) -> None:
        """Publish the events as everybody will read them, in one go."""
        if len(events) == 1:  # nearly always, and a third cheaper so
            await self._send(self._events, events[0].encoded)
            return
        async with self._answering(), self._redis.pipeline(transaction=False) as pipeline:
            for event in events:
                pipeline.execute_command("PUBLISH", self._events, event.encoded)
            await pipeline.execute()

    async def signal(self, signal: Signal) -> None:
        """Publish the signal."""
        await self._send(self._signals, orjson.dumps(signal))

    async def _send(self, channel: str, body: bytes) -> None:
        async with self._answering():
            await self._redis.publish(channel, body)

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        """Say at once that Redis is down while that is known, and look in the background when it is back."""
        if self._return is not None and not self._return.done():
            raise ConnectionError(_DOWN)
        try:
            yield
        except (RedisError, OSError) as error:
            if self._return is None or self._return.done():
                self._return = asyncio.create_task(self._wait_for_return(), name="redis-return")
            raise ConnectionError(_DOWN) from error

    async def _wait_for_return(self) -> None:
        while True:
            await asyncio.sleep(RECONNECT_S)
            with suppress(ConnectionError):
                await self.ping()
                return

    async def ping(self) -> None:
        """Return when Redis answers.

        Raises:
            ConnectionError: it does not.
        """
        try:
            await self._redis.ping()
        except (RedisError, OSError) as error:
            raise ConnectionError(_DOWN) from error

    async def close(self) -> None:
        """Stop listening and disconnect."""
        await self._stop_listening()
        await _end(self._return)
        await self._redis.aclose()

    async def _stop_listening(self) -> None:
        await _end(self._listener)

    async def _listen(self, on_event: EventListener, on_signal: SignalListener, ready: asyncio.Event) -> None:
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(self._events, self._signals)
                    while True:
                        message = await subscription.get_message(timeout=SOCKET_TIMEOUT_S)
                        self._hear(message, on_event, on_signal, ready)
            except Exception as error:  # noqa: BLE001 - whatever it is, a server must not stay deaf
                _log.warning("redis_listener_lost", retry_s=RECONNECT_S, error=repr(error))
                await asyncio.sleep(RECONNECT_S)

    def _hear(
        self, message: dict[str, Any] | None, on_event: EventListener, on_signal: SignalListener, ready: asyncio.Event
    ) -> None:
        if message is None:
            return  # nothing was said for a while
        if message["type"] == "message":
            self._deliver(message["channel"], message["data"], on_event, on_signal)
        else:
            ready.set()  # the subscription stands

    def _deliver(self, channel: bytes, body: bytes, on_event: EventListener, on_signal: SignalListener) -> None:
        """Hand one message over; whatever is wrong with it must not deafen this server."""
        try:
            if channel == self._events.encode():
                on_event(Event.decode(body))
            else:
                raw = orjson.loads(body)
                identifier = UUID(raw["id"]) if raw["id"] else None
                on_signal(Signal(SignalType(raw["type"]), raw["origin"], identifier, raw["data"]))
        except Exception:  # noqa: BLE001 - whatever is wrong with one message
            _log.exception("publication_not_delivered", channel=channel.decode())


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
