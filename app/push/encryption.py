"""Encrypts a push so that only the browser it is for can read it (RFC 8291 over RFC 8188, `aes128gcm`).

The mathematics are those of `cryptography`; here is only the order in which the standard puts them (decision 0019).
"""

import os
import struct
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.push.encoding import from_base64url
from app.push.keys import to_point

AUTH_BYTES: Final = 16
SALT_BYTES: Final = 16
RECORD_BYTES: Final = 4096
"""Every push service takes a body of this size (RFC 8030, section 7.2)."""
MAX_PAYLOAD_BYTES: Final = 3993
"""What fits into one record beside header, delimiter and tag."""
_LAST_RECORD: Final = b"\x02"


@dataclass(frozen=True, slots=True)
class BrowserKeys:
    """The public key of one subscription and the secret that it shares with us."""

    point: ec.EllipticCurvePublicKey
    auth: bytes


def read_browser_keys(p256dh: str, auth: str) -> BrowserKeys:
    """Read the keys as a browser hands them out.

    Raises:
        ValueError: not a point of P-256, or not a secret of 16 bytes.
    """
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_base64url(p256dh))
    secret = from_base64url(auth)
    if len(secret) != AUTH_BYTES:
        message = f"auth must have {AUTH_BYTES} bytes"
        raise ValueError(message)
    return BrowserKeys(point, secret)


def encrypt(payload: bytes, keys: BrowserKeys) -> bytes:
    """Return the body of the request: one record, under a key made for it alone.

    Raises:
        ValueError: the payload has more than `MAX_PAYLOAD_BYTES`.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        message = f"a push carries {MAX_PAYLOAD_BYTES} bytes, not {len(payload)}"
        raise ValueError(message)
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    ours, theirs = to_point(ephemeral.public_key()), to_point(keys.point)
    shared = ephemeral.exchange(ec.ECDH(), keys.point)
    input_key = _derive(keys.auth, shared, b"WebPush: info\x00" + theirs + ours, 32)
    salt = os.urandom(SALT_BYTES)
    key = _derive(salt, input_key, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derive(salt, input_key, b"Content-Encoding: nonce\x00", 12)
    header = salt + struct.pack("!IB", RECORD_BYTES, len(ours)) + ours
    return header + AESGCM(key).encrypt(nonce, payload + _LAST_RECORD, None)


def _derive(salt: bytes, secret: bytes, info: bytes, size: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=size, salt=salt, info=info).derive(secret)
