"""What services know of mail: whether there is any, where its links lead, and how often somebody may cause it."""

import math
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from app.domain.rate_limit import RateLimiter
from app.errors import RateLimited
from app.security import DerivedTokens

RESETS_AT_ONCE: Final = 3
RESET_EVERY_S: Final = 600.0
"""Nobody's mailbox is filled with links they may not have asked for."""


@dataclass(frozen=True, slots=True)
class Mailing:
    """Made once for each server."""

    is_on: bool
    base_url: str
    tokens: DerivedTokens
    invitations: RateLimiter
    """How many of them one person may have mailed."""
    resets: RateLimiter
    """How often one address may be sent a link for a new password."""

    @classmethod
    def make(cls, *, is_on: bool, base_url: str, secret: str, invitations_per_hour: int) -> "Mailing":
        """Return the one of a server; all servers of a board have the same `secret`."""
        return cls(
            is_on,
            base_url,
            DerivedTokens(secret),
            invitations=RateLimiter(invitations_per_hour / 3600, invitations_per_hour),
            resets=RateLimiter(1 / RESET_EVERY_S, RESETS_AT_ONCE),
        )

    @property
    def host(self) -> str:
        """Where this board is, as people say it."""
        return urlsplit(self.base_url).netloc

    def invitation_token(self, invitation_id: UUID) -> str:
        """Return what opens an invitation."""
        return self.tokens.make("invitation", invitation_id)

    def reset_token(self, mail_id: UUID) -> str:
        """Return what sets a new password; each mail has its own."""
        return self.tokens.make("reset", mail_id)

    def invitation_url(self, token: str) -> str:
        """Return where an invitation is opened."""
        return f"{self.base_url}/invite/{token}"

    def reset_url(self, token: str) -> str:
        """Return where a new password is set; what follows the `#` is in no server's log."""
        return f"{self.base_url}/reset#{token}"


def take(limiter: RateLimiter, key: str, what: str) -> None:
    """Count one attempt of `key`.

    Raises:
        RateLimited: too many; `what` says of what.
    """
    if wait_s := math.ceil(limiter.take(key)):
        message = f"too many {what}; try again in {wait_s} s"
        raise RateLimited(message, retry_after_s=wait_s)
