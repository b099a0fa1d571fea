"""The broker of a single server: a function call."""

from collections.abc import Callable
from typing import TypeVar

import structlog

from app.broker.base import EventListener, Signal, SignalListener
from app.domain.events import Event

Message = TypeVar("Message")
_log = structlog.get_logger(__name__)


class MemoryBroker:
    """Delivers at once, in order, to the one listener there is."""

    reaches_others = False

    def __init__(self) -> None:
        self._on_event: EventListener | None = None
        self._on_signal: SignalListener | None = None

    async def start(self, on_event: EventListener, on_signal: SignalListener) -> None:
        """Begin to deliver."""
        self._on_event, self._on_signal = on_event, on_signal

    async def publish(self, *events: Event) -> None:
        """Call the listener, once for each."""
        for event in events:
            _deliver(self._on_event, event)

    async def signal(self, signal: Signal) -> None:
        """Call the listener."""
        _deliver(self._on_signal, signal)

    async def ping(self) -> None:
        """Return at once: a function call is never down."""

    async def close(self) -> None:
        """Forget the listeners."""
        self._on_event = self._on_signal = None


def _deliver(listener: Callable[[Message], None] | None, message: Message) -> None:
    """Hand one message over; what goes wrong at the listener is no concern of a request already committed."""
    if listener is None:
        return
    try:
        listener(message)
    except Exception:  # noqa: BLE001 - whatever is wrong with one message
        _log.exception("publication_not_delivered", type=type(message).__name__)
