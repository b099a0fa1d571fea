"""The broker's contract.

A broker carries hints. It may lose, repeat or reorder them, and it may be down: whoever listens must be able to do
without (the log repairs events; sweeps repair signals).
Implementations pass one suite, `tests/contracts`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from app.domain.events import Event


class SignalType(StrEnum):
    """What servers tell each other besides events."""

    SESSION_ENDED = "session_ended"
    """A session was logged out or revoked: `id` is the session's."""
    USER_DEACTIVATED = "user_deactivated"
    """A user may no longer do anything: `id` is the user's."""
    ACTIVITY = "activity"
    """Somebody types or views: `id` is the project's, `data` the message's."""
    PRESENCE = "presence"
    """Who is connected to one server: `data` names the server and its users."""
    STATS = "stats"
    """How much goes on at one server: `data` is its numbers."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A message between servers that is never stored. `origin` is the server it came from."""

    type: SignalType
    origin: str
    id: UUID | None
    data: dict[str, Any]


EventListener = Callable[[Event], None]
SignalListener = Callable[[Signal], None]


class Broker(Protocol):
    """Carries publications to every server, this one included."""

    reaches_others: bool
    """Whether there may be other servers: what only they need to know need not be told otherwise."""

    async def start(self, on_event: EventListener, on_signal: SignalListener) -> None:
        """Begin to deliver. Listeners are called on the event loop, one message at a time, and must not block."""

    async def publish(self, *events: Event) -> None:
        """Offer committed events to every server, in their order, and without a wait for each.

        Raises:
            ConnectionError: they could not all be offered; the log still has them.
        """

    async def signal(self, signal: Signal) -> None:
        """Offer a signal to every server.

        Raises:
            ConnectionError: it could not be offered.
        """

    async def ping(self) -> None:
        """Return when the broker works.

        Raises:
            ConnectionError: it does not.
        """

    async def close(self) -> None:
        """Stop delivering and free what is held."""
