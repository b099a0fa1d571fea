"""The key by which push services know this board (VAPID, RFC 8292).

One for all servers of a board: a browser subscribes to one public key, and only its private half may send. It is kept
as base64url of its 32 bytes, the form in which other Web Push tools keep theirs.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.push.encoding import from_base64url, to_base64url
from app.security import load_or_create

KEY_FILE: Final = "push-key"
KEY_BYTES: Final = 32
TOKEN_S: Final = 12 * 3600
"""Life of a token; RFC 8292 allows 24 hours, and clocks differ."""
RENEW_S: Final = 6 * 3600
"""A token is used again for so long: push services remember the ones they have verified."""
MAX_TOKENS: Final = 1000


class PushKey:
    """Signs for one board. `contact` is how the people who run a push service reach those who run the board.

    It is left out unless it is https: RFC 8292 (section 2.1) knows nothing else but a mail address.
    """

    def __init__(self, private: str, *, contact: str | None = None, clock: Callable[[], float] = time.time) -> None:
        """Read the private key.

        Raises:
            ValueError: not 32 bytes in base64url, or no key of this curve.
        """
        raw = from_base64url(private)
        if len(raw) != KEY_BYTES:
            message = f"a push key has {KEY_BYTES} bytes, this one {len(raw)}"
            raise ValueError(message)
        self._private = ec.derive_private_key(int.from_bytes(raw), ec.SECP256R1())
        self.public = to_base64url(to_point(self._private.public_key()))
        """What a browser subscribes to: `applicationServerKey`."""
        self._contact = contact if contact is not None and contact.startswith("https:") else None
        self._clock = clock
        self._tokens: dict[str, tuple[float, str]] = {}

    def authorize(self, origin: str) -> str:
        """Return the `Authorization` header for the push service at `origin`, which alone may use it."""
        now = self._clock()
        made_at, token = self._tokens.get(origin, (-RENEW_S, ""))
        if now - made_at >= RENEW_S:
            if len(self._tokens) >= MAX_TOKENS:
                self._tokens.clear()
            token = self._sign(origin, int(now))
            self._tokens[origin] = (now, token)
        return f"vapid t={token}, k={self.public}"

    def _sign(self, origin: str, now: int) -> str:
        claims: dict[str, object] = {"aud": origin, "exp": now + TOKEN_S}
        if self._contact is not None:
            claims["sub"] = self._contact
        return jwt.encode(claims, self._private, algorithm="ES256")


def load_or_create_key(data_dir: Path) -> str:
    """Return the private key kept in the data directory, made on first use with mode 0600."""
    return load_or_create(data_dir / KEY_FILE, make_private_key)


def make_private_key() -> str:
    """Return a new private key, as it is kept."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return to_base64url(number.to_bytes(KEY_BYTES))


def to_point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the 65 bytes by which a public key travels."""
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
