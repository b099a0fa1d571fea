"""The board's key: kept, and what it signs."""

from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.main import create_app
from app.push import keys
from app.push.encoding import from_base64url
from app.push.keys import RENEW_S, TOKEN_S, PushKey, load_or_create_key, make_private_key
from tests.support.server import make_settings


def claims(key: PushKey, header: str, audience: str) -> dict[str, object]:
    """Verify a token like a push service; return what it claims."""
    token, _, public = header.removeprefix("vapid t=").partition(", k=")
    assert public == key.public
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_base64url(public))
    found: dict[str, object] = jwt.decode(
        token, point, algorithms=["ES256"], audience=audience, options={"verify_exp": False}
    )
    return found


def test_token_is_for_one_push_service_and_renewed_in_time() -> None:
    """It is used again while it is good for a long time, then another is made."""
    now = 1_000_000.0
    key = PushKey(make_private_key(), contact="https://board.example.org", clock=lambda: now)
    first = key.authorize("https://push.example.org")
    expected = {"aud": "https://push.example.org", "exp": now + TOKEN_S, "sub": "https://board.example.org"}
    assert claims(key, first, "https://push.example.org") == expected
    assert key.authorize("https://push.example.org") == first
    assert key.authorize("https://other.example.org") != first
    now += RENEW_S
    second = key.authorize("https://push.example.org")
    assert claims(key, second, "https://push.example.org")["exp"] == now + TOKEN_S


def test_tokens_of_many_services_are_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever subscribes names the service; what is forgotten is signed anew."""
    monkeypatch.setattr(keys, "MAX_TOKENS", 2)
    key = PushKey(make_private_key())
    first, *_ = [key.authorize(f"https://{name}.example.org") for name in ("one", "two", "three")]
    assert key.authorize("https://one.example.org") != first


def test_nobody_to_reach_is_not_claimed() -> None:
    """A board without a public address names nobody."""
    key = PushKey(make_private_key())
    assert "sub" not in claims(key, key.authorize("https://push.example.org"), "https://push.example.org")


def test_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """With mode 0600; the next server start finds it."""
    private = load_or_create_key(tmp_path)
    assert load_or_create_key(tmp_path) == private
    assert (tmp_path / "push-key").stat().st_mode & 0o777 == 0o600
    assert len(from_base64url(PushKey(private).public)) == 65


def test_key_of_another_size_is_refused() -> None:
    """A file that holds something else is said to, at the start."""
    with pytest.raises(ValueError, match="32 bytes"):
        PushKey("AAAA")


@pytest.mark.parametrize(
    ("public_url", "contact"),
    [("https://board.example.org", "https://board.example.org"), ("http://board.lan", None), (None, None)],
)
def test_contact_is_the_boards_address(tmp_path: Path, public_url: str | None, contact: str | None) -> None:
    """Without one, or one that is not https, nobody is named: a push service would refuse the token."""
    key: PushKey = create_app(make_settings(tmp_path, public_url=public_url)).state.context.push_key
    found = claims(key, key.authorize("https://push.example.org"), "https://push.example.org")
    assert found.get("sub") == contact
