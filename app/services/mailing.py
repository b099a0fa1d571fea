"""What services know of mail: whether there is any, where its links lead, and how often somebody may cause it."""

from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from app.security import DerivedTokens
from app.services.mail_limits import Limit

INVITATIONS_TO_ONE: Final = 5
"""In an hour, to one address."""
RESETS_TO_ONE: Final = 3
RESETS_WITHIN: Final = timedelta(minutes=30)
"""Nobody's mailbox is filled with links they may not have asked for."""


@dataclass(frozen=True, slots=True)
class Mailing:
    """Made once for each server."""

    is_on: bool
    base_url: str
    tokens: DerivedTokens
    invitations: Limit
    """How many of them one person may have mailed."""
    invitations_to: Limit
    """How many of them one address may be mailed, whoever invites it."""
    resets: Limit
    """How often one address may be sent a link for a new password."""

    @classmethod
    def make(cls, *, is_on: bool, base_url: str, secret: str, invitations_per_hour: int) -> "Mailing":
        """Return the one of a server; all servers of a board have the same `secret`."""
        return cls(
            is_on,
            base_url,
            DerivedTokens(secret),
            invitations=Limit("invitations by mail", invitations_per_hour),
            invitations_to=Limit("invitations by mail to this address", INVITATIONS_TO_ONE),
            resets=Limit("requests for this address", RESETS_TO_ONE, RESETS_WITHIN),
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

    def unsubscribe_token(self, user_id: UUID) -> str:
        """Return what ends somebody's digests; it holds their id, and is good for as long as the key."""
        return f"{user_id.hex}.{self.tokens.make('unsubscribe', user_id)}"

    def read_unsubscribe_token(self, token: str) -> UUID | None:
        """Return whose digests it ends; None: it is not ours."""
        try:
            user_id = UUID(hex=token.partition(".")[0])
        except ValueError:
            return None
        is_ours = compare_digest(token.encode(), self.unsubscribe_token(user_id).encode())
        return user_id if is_ours else None

    def unsubscribe_page(self, token: str) -> str:
        """Return where somebody is asked whether they want no more digests: mail scanners open every link."""
        return f"{self.base_url}/unsubscribe#{token}"

    def unsubscribe_headers(self, token: str) -> dict[str, str]:
        """Return how a reader of mail can do it with one click (RFC 8058, which wants https)."""
        if not self.base_url.startswith("https:"):
            return {}
        url = f"{self.base_url}/api/v1/mail/unsubscribe/{token}"
        return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
