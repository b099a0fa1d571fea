"""The door of the socket: who is turned away before the upgrade, and who it is that comes in.

Both ways in ask here: our own protocol under uvicorn (`app.websocket.server`) and the portable one (`endpoint`).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
import structlog

from app.config import Settings
from app.domain.rate_limit import RateLimiter
from app.errors import TokenExpired, Unauthorized
from app.websocket.connection import SocketUser
from app.websocket.directory import Directory
from app.websocket.manager import ConnectionManager
from app.websocket.protocol import BEARER_PREFIX, SUBPROTOCOL, CloseCode, CloseError

ORIGIN_LENGTH: Final = 200
"""What the log takes of an origin that somebody made up."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a client says of itself before it is let in.

    `network` is what counts as its address (`app.domain.networks`), not a proxy's; empty when that is not known.
    """

    network: str
    origin: str | None
    subprotocols: Sequence[str]
    query: Mapping[str, str]

    @property
    def bearer(self) -> str | None:
        """The access token among the sub-protocols."""
        return next(
            (name.removeprefix(BEARER_PREFIX) for name in self.subprotocols if name.startswith(BEARER_PREFIX)), None
        )

    @property
    def ticket(self) -> str | None:
        """The ticket, unless there is a bearer's token, which comes first."""
        return self.query.get("ticket") if self.query and self.bearer is None else None

    @property
    def subprotocol(self) -> str | None:
        """The protocol we agree on; a bearer's token is never repeated."""
        return SUBPROTOCOL if SUBPROTOCOL in self.subprotocols else None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The HTTP answer to somebody who is not let in."""

    status: int
    code: str
    detail: str
    retry_after_s: float | None = None

    @property
    def body(self) -> bytes:
        """The answer as JSON."""
        retry_after_ms = None if self.retry_after_s is None else int(self.retry_after_s * 1000)
        return orjson.dumps({"detail": self.detail, "code": self.code, "retry_after_ms": retry_after_ms})

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer."""
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(max(1, round(self.retry_after_s)))
        return headers


_FOREIGN: Final = Refusal(403, "forbidden", "pages of this origin may not connect; it is not among the allowed origins")
_DRAINING: Final = Refusal(503, "unavailable", "the server is shutting down; come back in a moment", 1)
_CROWDED: Final = Refusal(429, "limit_exceeded", "your address has too many connections open; close one first", 30)


class Door:
    """Lets clients in, or not."""

    def __init__(
        self,
        settings: Settings,
        directory: Directory,
        manager: ConnectionManager,
        *,
        is_draining: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_draining = is_draining
        self._settings = settings
        self._directory = directory
        self._manager = manager
        self._connects = RateLimiter(settings.ws_connects_per_s, settings.ws_connect_burst, clock)

    def refuse(self, handshake: Handshake) -> Refusal | None:
        """Return why somebody is not let in: a page of a foreign origin, a crowd from one address, or a shutdown."""
        origin = handshake.origin
        if origin is not None and origin not in self._settings.origins:
            _log.warning("origin_refused", origin=origin[:ORIGIN_LENGTH], hint="add it to TIMETODO_ALLOWED_ORIGINS")
            return _FOREIGN
        if self._is_draining():
            return _DRAINING
        return self.refuse_crowd(handshake.network)

    def refuse_crowd(self, network: str) -> Refusal | None:
        """Return why one more connection from an address is too many, or too soon; this one is counted."""
        if not network:
            return None
        if self._manager.count_from(network) >= self._settings.ws_max_connections_per_address:
            return _CROWDED
        wait_s = self._connects.take(network)
        return Refusal(429, "rate_limited", "too many connections from your address", wait_s) if wait_s else None

    async def identify(self, handshake: Handshake) -> SocketUser | None:
        """Return who it is by the first credential given; None when there is none.

        Whether their session is still good is asked when the connection is taken in, so that none slips through.

        A browser cannot see why an upgrade was refused, so wrong credentials are refused after it, with a close code.

        Raises:
            CloseError: the credential is not, or no longer, good.
        """
        if handshake.ticket is None:
            return self.recognise(handshake)
        try:
            return await self._directory.redeem(handshake.ticket)
        except Unauthorized as error:
            raise CloseError(CloseCode.UNAUTHORIZED, error.detail) from None

    def recognise(self, handshake: Handshake) -> SocketUser | None:
        """Return who it is, like `identify`, for somebody without a ticket: a token speaks for itself."""
        token = handshake.query.get("token") if handshake.bearer is None else handshake.bearer
        try:
            return self._directory.verify(token) if token is not None else None
        except TokenExpired as error:
            raise CloseError(CloseCode.TOKEN_EXPIRED, error.detail) from None
        except Unauthorized as error:
            raise CloseError(CloseCode.UNAUTHORIZED, error.detail) from None
