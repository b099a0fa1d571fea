"""The wire: close codes, error codes and frames (docs/protocol.md).

A message is encoded once, and framed once, however many sockets it goes to.
"""

from enum import IntEnum, StrEnum
from typing import Any, Final, Self
from uuid import UUID

import orjson

from app.errors import AppError, Forbidden, NotFound, TokenExpired, Unauthorized, Unavailable

SUBPROTOCOL: Final = "timetodo.v1"
BEARER_PREFIX: Final = "bearer."
FAILED: Final = "something went wrong on the server; come back in a moment"
"""The reason of a close that is the server's fault."""

Frame = bytes
"""One message as the bytes of its WebSocket frame (`app.websocket.framing`)."""


class CloseCode(IntEnum):
    """Why a connection ends. 42xx: back off, 44xx: never again unchanged."""

    NORMAL = 1000
    TOO_BIG = 1009
    RESTART = 1012
    TRY_LATER = 1013
    TOO_SLOW = 4200
    NO_HEARTBEAT = 4201
    FLOODING = 4202
    TOO_MANY = 4203
    NOT_THE_PROTOCOL = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    LOGGED_OUT = 4410
    TOKEN_EXPIRED = 4419
    INTERNAL = 4500


class ErrorCode(StrEnum):
    """What was wrong with one message; the connection lives."""

    BAD_REQUEST = "bad_request"
    UNKNOWN_TYPE = "unknown_type"
    UNAUTHORIZED = "unauthorized"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a code, not a credential
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    NOT_JOINED = "not_joined"
    LIMIT_EXCEEDED = "limit_exceeded"
    RATE_LIMITED = "rate_limited"
    TOO_LARGE = "too_large"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


RETRYABLE: Final = frozenset({ErrorCode.RATE_LIMITED, ErrorCode.UNAVAILABLE, ErrorCode.INTERNAL})
_REFUSALS: Final[dict[type, ErrorCode]] = {
    Forbidden: ErrorCode.FORBIDDEN,
    NotFound: ErrorCode.NOT_FOUND,
    TokenExpired: ErrorCode.TOKEN_EXPIRED,
    Unauthorized: ErrorCode.UNAUTHORIZED,
    Unavailable: ErrorCode.UNAVAILABLE,
}


class MessageError(Exception):
    """A message that cannot be served; it is answered with `error`."""

    def __init__(self, code: ErrorCode, message: str, *, retry_after_ms: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.retry_after_ms = code, message, retry_after_ms

    @classmethod
    def of(cls, refusal: AppError) -> Self:
        """Return a refusal as an answer, by its own code or that of what it is a kind of."""
        codes = (_REFUSALS[kind] for kind in type(refusal).__mro__ if kind in _REFUSALS)
        return cls(next(codes, ErrorCode.BAD_REQUEST), refusal.detail)


class CloseError(Exception):
    """A connection that cannot go on; it is closed with this code."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def encode(
    type_: str, data: Any = None, *, project_id: UUID | None = None, message_id: str | int | None = None, **more: Any
) -> bytes:
    """Return the text of a message that is not a stored event; those come encoded from the log."""
    message: dict[str, Any] = {"type": type_}
    if message_id is not None:
        message["id"] = message_id
    if project_id is not None:
        message["project_id"] = project_id
    message |= more
    message["data"] = {} if data is None else data
    return orjson.dumps(message)


def encode_error(error: MessageError, message_id: str | int | None) -> bytes:
    """Return the `error` answer to one message."""
    data = {
        "code": error.code,
        "message": error.message,
        "retryable": error.code in RETRYABLE,
        "retry_after_ms": error.retry_after_ms,
    }
    return encode("error", data, message_id=message_id)
