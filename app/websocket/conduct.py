"""How a client has behaved lately: rates for its messages and joins, and patience with what is not of the protocol."""

from typing import Final

from app.domain.rate_limit import TokenBucket
from app.websocket.protocol import CloseCode, CloseError, ErrorCode, MessageError

BAD_MESSAGES_ALLOWED: Final = 10
"""Messages that are not of the protocol, within the window, before the connection is closed."""
FLOODED_MESSAGES_ALLOWED: Final = 100
"""Messages over the rate, within the window, before the connection is closed."""
WINDOW_S: Final = 10.0


class Conduct:
    """One client's account."""

    __slots__ = ("_bad", "_flooded", "_joins", "_messages", "_window_began")

    def __init__(self, messages: TokenBucket, joins: TokenBucket, now: float) -> None:
        self._messages, self._joins = messages, joins
        self._window_began, self._bad, self._flooded = now, 0, 0

    def check_rate(self, now: float) -> None:
        """Count a message.

        Raises:
            MessageError: too many.
            CloseError: far too many.
        """
        self._turn_window(now)
        wait_s = self._messages.take(now)
        if wait_s == 0:
            return
        self._flooded += 1
        if self._flooded > FLOODED_MESSAGES_ALLOWED:
            raise CloseError(CloseCode.FLOODING, "too many messages")
        message = "too many messages; slow down"
        raise MessageError(ErrorCode.RATE_LIMITED, message, retry_after_ms=max(1, int(wait_s * 1000)))

    def check_join(self, now: float) -> None:
        """Count a join, which costs readings of the database.

        Raises:
            MessageError: too many.
        """
        wait_s = self._joins.take(now)
        if wait_s:
            message = "too many joins; slow down"
            raise MessageError(ErrorCode.RATE_LIMITED, message, retry_after_ms=max(1, int(wait_s * 1000)))

    def count_bad(self, now: float) -> None:
        """Count a message that is not of the protocol.

        Raises:
            CloseError: too many of them.
        """
        self._turn_window(now)
        self._bad += 1
        if self._bad >= BAD_MESSAGES_ALLOWED:
            raise CloseError(CloseCode.NOT_THE_PROTOCOL, "too many messages that are not of the protocol")

    def _turn_window(self, now: float) -> None:
        if now - self._window_began > WINDOW_S:
            self._window_began, self._bad, self._flooded = now, 0, 0
