"""Every refusal the product makes: an exception with a stable code, an HTTP status and a sentence that says what to do.

    AppError
     ├── BadRequest 400                       ├── Conflict 409
     ├── Unauthorized 401                     │    ├── VersionConflict
     │    ├── InvalidCredentials              │    ├── EmailTaken
     │    └── TokenExpired                    │    ├── LastOwner
     ├── Forbidden 403                        │    └── ColumnNotEmpty
     │    └── RegistrationClosed, MailOff     │    ├── LastAdmin, OwnAccount
     │                                        ├── Gone 410
     ├── NotFound 404                         ├── TooLarge 413
     ├── InvalidField 422                     ├── RateLimited 429
     └── IdempotencyKeyReused 422             └── Unavailable 503

Transports turn them into problem+json or an `error` message; nothing else ever reaches a client.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final


class AppError(Exception):
    """A refusal. `detail` is for people, `code` for programs, `extra` goes into the answer as it stands."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, *, code: str | None = None, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = dict(extra or {})
        self.reason = code or self.code


class BadRequest(AppError):
    code, status, title = "bad_request", 400, "Bad request"


class Unauthorized(AppError):
    code, status, title = "unauthorized", 401, "Sign in first"


class InvalidCredentials(Unauthorized):
    code = "invalid_credentials"


class TokenExpired(Unauthorized):
    code = "token_expired"


class Forbidden(AppError):
    code, status, title = "forbidden", 403, "Not allowed"


class RegistrationClosed(Forbidden):
    code = "registration_closed"


class MailOff(Forbidden):
    code = "mail_off"


class NotFound(AppError):
    """It does not exist, or the caller may not know that it does: the answer is the same."""

    code, status, title = "not_found", 404, "Not found"


class Conflict(AppError):
    code, status, title = "conflict", 409, "Conflict"


class VersionConflict(Conflict):
    code = "version_conflict"


class EmailTaken(Conflict):
    code = "email_taken"


class LastOwner(Conflict):
    code = "last_owner"


class LastAdmin(Conflict):
    code = "last_admin"


class OwnAccount(Conflict):
    code = "own_account"


class ColumnNotEmpty(Conflict):
    code = "column_not_empty"


class Gone(AppError):
    code, status, title = "expired", 410, "No longer kept"


class TooLarge(AppError):
    code, status, title = "too_large", 413, "Too large"


class InvalidField(AppError):
    """One field of the body or query is wrong; `field` names it as the caller wrote it."""

    code, status, title = "validation_error", 422, "Invalid input"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail, extra={"errors": [{"field": field, "message": detail, "code": "invalid"}]})


class IdempotencyKeyReused(AppError):
    code, status, title = "idempotency_key_reused", 422, "Idempotency key reused"


class RateLimited(AppError):
    code, status, title = "rate_limited", 429, "Too many requests"

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail, extra={"retry_after_s": retry_after_s})
        self.retry_after_s = retry_after_s


class Unavailable(AppError):
    code, status, title = "unavailable", 503, "Not available now"
    retry_after_s: Final = 1
