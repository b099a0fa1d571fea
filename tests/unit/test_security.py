"""Tokens, passwords and secrets hold against what people try."""

import base64
import hashlib
import hmac
import json
import re
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import jwt
import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from app import security
from app.errors import TokenExpired, Unauthorized
from app.security import AccessTokens, DerivedTokens, Passwords, digest, load_or_create_secret, new_credential, new_id

KEY = "k" * 48
TOKENS = AccessTokens(KEY, lifetime_s=900)
USER, SESSION = uuid4(), uuid4()


def make_claims(**changes: Any) -> dict[str, Any]:
    """Return good claims, changed."""
    now = int(datetime.now(UTC).timestamp())
    good = {"sub": str(USER), "sid": str(SESSION), "type": "access", "iat": now, "exp": now + 900}
    return good | changes


def sign(claims: dict[str, Any], key: str = KEY, algorithm: str = "HS256") -> str:
    """Sign claims as somebody might."""
    return jwt.encode(claims, key, algorithm=algorithm)


def sign_raw(payload: bytes, header: dict[str, Any] | None = None) -> str:
    """Sign bytes that `jwt.encode` would not take."""

    def encode(part: bytes) -> bytes:
        return base64.urlsafe_b64encode(part).rstrip(b"=")

    head = encode(json.dumps(header or {"alg": "HS256", "typ": "JWT"}).encode())
    body = head + b"." + encode(payload)
    return (body + b"." + encode(hmac.digest(KEY.encode(), body, hashlib.sha256))).decode()


def test_issued_token_says_who_it_is_for() -> None:
    """Verifying what was issued gives user, session and expiry back."""
    now = datetime.now(UTC).replace(microsecond=0)
    claims = TOKENS.verify(TOKENS.issue(USER, SESSION, now))
    assert (claims.user_id, claims.session_id) == (USER, SESSION)
    assert claims.expires_at == now + timedelta(seconds=900)


def test_expired_token_is_told_apart() -> None:
    """A token that was good once is answered `token_expired`, so that a client refreshes."""
    with pytest.raises(TokenExpired):
        TOKENS.verify(TOKENS.issue(USER, SESSION, datetime.now(UTC) - timedelta(hours=1)))


def test_token_seen_before_expires_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of a token is what it says, not that it is still good."""
    tokens = AccessTokens(KEY, lifetime_s=900)
    token = tokens.issue(uuid4(), uuid4(), datetime.now(UTC))
    assert tokens.verify(token) == tokens.verify(token)

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Later":
            return cls.fromtimestamp(datetime.now(tz).timestamp() + 901, tz)

    monkeypatch.setattr(security, "datetime", Later)
    with pytest.raises(TokenExpired):
        tokens.verify(token)


def test_only_so_many_tokens_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one remembered longest is forgotten first; it is still ours."""
    monkeypatch.setattr(security, "MAX_VERIFIED", 2)
    tokens = AccessTokens(KEY, lifetime_s=900)
    issued = [tokens.issue(uuid4(), uuid4(), datetime.now(UTC)) for _ in range(3)]
    seen = [tokens.verify(token) for token in issued]
    assert list(tokens._verified) == issued[1:]
    assert [tokens.verify(token) for token in issued] == seen


NOW = int(datetime.now(UTC).timestamp())
REFUSED = {
    "nothing": "",
    "no token": "nonsense",
    "not ascii": "Ж.Ж.Ж",
    "alg none": jwt.encode(make_claims(), "", algorithm="none"),
    "alg none in capitals": sign_raw(json.dumps(make_claims()).encode(), {"alg": "NONE"}),
    "other algorithm": sign(make_claims(), algorithm="HS384"),
    "other key": sign(make_claims(), key="x" * 48),
    "cut signature": sign(make_claims()).rpartition(".")[0] + ".",
    "header names a key": sign_raw(b"{}", {"alg": "HS256", "jku": "https://evil.example", "kid": "../dev/null"}),
    "wrong type": sign(make_claims(type="refresh")),
    "type is a list": sign(make_claims(type=["access"])),
    "exp is a string": sign_raw(json.dumps(make_claims(exp=str(NOW + 900))).encode()),
    "exp is a float": sign_raw(json.dumps(make_claims(exp=NOW + 900.5)).encode()),
    "exp is NaN": sign_raw(json.dumps(make_claims(exp=float("nan"))).encode()),
    "exp is infinite": sign_raw(json.dumps(make_claims(exp=float("inf"))).encode()),
    "exp is true": sign_raw(json.dumps(make_claims(exp=True)).encode()),
    "exp is null": sign_raw(json.dumps(make_claims(exp=None)).encode()),
    "exp is beyond all years": sign(make_claims(exp=10**18)),
    "exp is enormous": sign_raw(json.dumps(make_claims()).replace('"exp": ', '"exp": 1' + "0" * 500).encode()),
    "issued in the future": sign(make_claims(iat=NOW + 10_000)),
    "sub is a number": sign_raw(json.dumps(make_claims(sub=7)).encode()),
    "sub is no id": sign(make_claims(sub="admin")),
    "sid is a list": sign(make_claims(sid=["x"])),
    "sid is null": sign(make_claims(sid=None)),
    "payload is a list": sign_raw(b"[]"),
    "payload is bottomless": sign_raw(b"[" * 2000),
    "oversized": sign(make_claims(padding="x" * 5000)),
    **{f"without {name}": sign({k: v for k, v in make_claims().items() if k != name}) for name in make_claims()},
}


@pytest.mark.parametrize("token", REFUSED.values(), ids=REFUSED.keys())
def test_token_that_is_not_ours_is_refused(token: str) -> None:
    """Whatever is wrong with a token, the answer is Unauthorized and not an accident."""
    with pytest.raises(Unauthorized):
        TOKENS.verify(token)


class RecordingHasher(PasswordHasher):
    """A quick hasher that keeps what it was to check against."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - argon2's name
        self.verified.append(str(hash))
        return super().verify(hash, password)


async def test_right_password_is_right_and_wrong_one_wrong() -> None:
    """Only the password that was hashed is accepted."""
    passwords = Passwords(RecordingHasher())
    stored = await passwords.hash("correct horse")
    assert await passwords.verify(stored, "correct horse")
    assert not await passwords.verify(stored, "wrong horse")
    assert not await passwords.verify("not a hash", "correct horse")


async def test_unknown_user_costs_as_much_work_as_a_wrong_password() -> None:
    """Without an account the same hash is computed, so that timing tells nothing."""
    hasher = RecordingHasher()
    passwords = Passwords(hasher)
    assert not await passwords.verify(None, "correct horse")
    (decoy,) = hasher.verified
    assert extract_parameters(decoy) == extract_parameters(await passwords.hash("correct horse"))
    with pytest.raises(VerifyMismatchError):  # computed, and not the right one; a malformed one would be neither
        hasher.verify(decoy, "correct horse")


def test_secret_file_is_ours_alone(tmp_path: Path) -> None:
    """A secret made on first use is long, kept, and readable by nobody else; its folder too."""
    path = tmp_path / "data" / "secret-key"
    secret = load_or_create_secret(path)
    assert len(secret) >= 48
    assert load_or_create_secret(path) == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["secret-key"]


def test_creators_of_one_secret_agree(tmp_path: Path) -> None:
    """Servers starting at once end up with the same secret."""
    found: list[str] = []
    barrier = threading.Barrier(8)

    def create() -> None:
        barrier.wait()
        found.append(load_or_create_secret(tmp_path / "secret-key"))

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_secret_made_by_another_server_meanwhile_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second takes the first one's secret, even after having looked."""
    path = tmp_path / "secret-key"
    path.write_text("theirs\n")
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert load_or_create_secret(path) == "theirs"
    assert [file.name for file in tmp_path.iterdir()] == ["secret-key"]


def test_ids_are_in_order_of_creation() -> None:
    """UUIDv7: later ones sort later."""
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(ids)
    assert {id_.version for id_ in ids} == {7}


def test_credentials_differ_and_their_digest_takes_any_text() -> None:
    """256 random bits each; even a lone surrogate has a digest."""
    assert new_credential() != new_credential()
    assert len(new_credential()) >= 43
    assert len(digest("\ud800")) == 64


def test_derived_token_is_made_again_by_who_has_the_key() -> None:
    """One for each row, each purpose and each key; nothing of the key is in it."""
    one, again, other = DerivedTokens("k" * 32), DerivedTokens("k" * 32), DerivedTokens("j" * 32)
    row, next_row = new_id(), new_id()
    token = one.make("reset", row)
    assert token == again.make("reset", row)
    assert re.fullmatch(r"[\w-]{43}", token)
    assert len({token, other.make("reset", row), one.make("invitation", row), one.make("reset", next_row)}) == 4
