"""Base64url without padding, in which Web Push writes every key."""

import base64
import binascii


def to_base64url(raw: bytes) -> str:
    """Write bytes."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Read bytes; padding may be there or not.

    Raises:
        ValueError: not base64url.
    """
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        message = "not base64url"
        raise ValueError(message) from error
