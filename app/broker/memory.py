"""The broker of a single server: a function call."""

from app.broker.base import EventListener, Signal, SignalListener
from app.domain.events import Event


class MemoryBroker:
    """Delivers at once, in order, to the one listener there is."""

    def __init__(self) -> None:
        self._on_event: EventListener | None = None
        self._on_signal: SignalListener | None = None

    async def start(self, on_event: EventListener, on_signal: SignalListener) -> None:
        """Begin to deliver."""
        self._on_event, self._on_signal = on_event, on_signal

    async def publish(self, event: Event) -> None:
        """Call the listener."""
        if self._on_event is not None:
            self._on_event(event)

    async def signal(self, signal: Signal) -> None:
        """Call the listener."""
        if self._on_signal is not None:
            self._on_signal(signal)

    async def ping(self) -> None:
        """Return at once: a function call is never down."""

    async def close(self) -> None:
        """Forget the listeners."""
        self._on_event = self._on_signal = None
