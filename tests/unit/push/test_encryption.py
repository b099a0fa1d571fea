"""Encryption, checked by another implementation of the same standard."""

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.push.encoding import from_base64url, to_base64url
from app.push.encryption import MAX_PAYLOAD_BYTES, encrypt, read_browser_keys
from app.push.keys import to_point

AUTH = b"sixteen bytes ok"


@pytest.mark.parametrize("size", [0, 1, 100, MAX_PAYLOAD_BYTES])
def test_browser_reads_what_was_encrypted_for_it(size: int) -> None:
    """Whatever its size, up to what push services take; and never twice the same bytes."""
    key = ec.generate_private_key(ec.SECP256R1())
    keys = read_browser_keys(to_base64url(to_point(key.public_key())), to_base64url(AUTH))
    payload = b"x" * size
    body, other = encrypt(payload, keys), encrypt(payload, keys)
    assert len(body) <= 4096
    assert body != other
    assert http_ece.decrypt(body, private_key=key, auth_secret=AUTH, version="aes128gcm") == payload


def test_longer_payload_is_refused() -> None:
    """It would not be one record."""
    keys = read_browser_keys(
        to_base64url(to_point(ec.generate_private_key(ec.SECP256R1()).public_key())), to_base64url(AUTH)
    )
    with pytest.raises(ValueError, match="3993"):
        encrypt(b"x" * (MAX_PAYLOAD_BYTES + 1), keys)


@pytest.mark.parametrize(
    ("p256dh", "auth"), [("AAAA", "A" * 22), ("", "A" * 22), ("!", "A" * 22), ("BA" + "A" * 85, "A" * 22)]
)
def test_keys_that_are_none_are_refused(p256dh: str, auth: str) -> None:
    """A point must be on the curve."""
    with pytest.raises(ValueError):  # noqa: PT011 - the text is the library's
        read_browser_keys(p256dh, auth)


def test_base64url_is_read_with_padding_or_without() -> None:
    """Browsers leave it out, some tools do not."""
    assert from_base64url("_-8=") == from_base64url("_-8") == b"\xff\xef"
    with pytest.raises(ValueError, match="base64url"):
        from_base64url("n?ne")
