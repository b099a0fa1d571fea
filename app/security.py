"""Passwords, access tokens and random credentials: made and checked here, nowhere else.

Passwords are argon2id, hashed in a thread because it is slow by design. Access tokens are JWTs (RFC 7519) of one
algorithm; whatever a token's header says about keys or algorithms is ignored. Refresh tokens and tickets are
random, what is mailed is derived; they are stored as SHA-256 digests only.
"""

import asyncio
import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import jwt
import uuid_utils.compat
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from argon2.low_level import ARGON2_VERSION

from app.errors import TokenExpired, Unauthorized

ALGORITHM: Final = "HS256"
TOKEN_TYPE: Final = "access"  # noqa: S105 - a claim's value
SECRET_BYTES: Final = 48
MAX_TOKEN_LENGTH: Final = 4096
MAX_VERIFIED: Final = 10_000
"""Tokens remembered as ours; the one remembered longest goes first."""
_REQUIRED_CLAIMS: Final = ("exp", "iat", "sub", "sid", "type")
_INVALID: Final = "the access token is not valid; sign in again"
_EXPIRED: Final = "the access token has expired; get a new one from POST /api/v1/auth/refresh"


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """Who an access token speaks for, and until when."""

    user_id: UUID
    session_id: UUID
    expires_at: datetime


class AccessTokens:
    """Issues and verifies access tokens with one key."""

    def __init__(self, secret: str, *, lifetime_s: int) -> None:
        self._secret = secret
        self.lifetime_s = lifetime_s
        self._verified: dict[str, AccessClaims] = {}
        """Tokens seen lately that are ours: each is shown again and again until it expires."""

    def issue(self, user_id: UUID, session_id: UUID, now: datetime) -> str:
        """Return a token for one session, valid for `lifetime_s` from `now`."""
        claims = {
            "sub": str(user_id),
            "sid": str(session_id),
            "type": TOKEN_TYPE,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(seconds=self.lifetime_s)).timestamp()),
        }
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def expiry_from_now(self) -> datetime:
        """Return when a token issued at this moment would expire."""
        return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=self.lifetime_s)

    def verify(self, token: str) -> AccessClaims:
        """Return what a valid token says.

        Raises:
            TokenExpired: it was valid once.
            Unauthorized: it is not ours, or not an access token.
        """
        claims = self._verified.get(token)
        if claims is None:
            claims = self._decode(token)
            if len(self._verified) >= MAX_VERIFIED:
                del self._verified[next(iter(self._verified))]
            self._verified[token] = claims
        if claims.expires_at <= datetime.now(UTC):
            raise TokenExpired(_EXPIRED)
        return claims

    def _decode(self, token: str) -> AccessClaims:
        if len(token) > MAX_TOKEN_LENGTH:
            raise Unauthorized(_INVALID)
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._secret, algorithms=[ALGORITHM], options={"require": list(_REQUIRED_CLAIMS)}
            )
            if claims["type"] != TOKEN_TYPE or type(claims["exp"]) is not int:
                raise Unauthorized(_INVALID)
            return AccessClaims(UUID(claims["sub"]), UUID(claims["sid"]), datetime.fromtimestamp(claims["exp"], tz=UTC))
        except jwt.ExpiredSignatureError:
            raise TokenExpired(_EXPIRED) from None
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError, OverflowError, OSError, RecursionError):
            raise Unauthorized(_INVALID) from None


class Passwords:
    """argon2id with the library's current defaults (RFC 9106, low-memory profile), off the event loop.

    At most as many hashes at once as there are cores: each takes 64 MiB.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = asyncio.Semaphore(os.cpu_count() or 1)
        self._decoy = _hash_of_nothing(self._hasher)

    async def hash(self, password: str) -> str:
        """Hash a new password."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Check a password; without a stored hash (unknown user) it takes the same time and is wrong."""
        async with self._slots:
            return await asyncio.to_thread(self._verify, stored, password)

    def _verify(self, stored: str | None, password: str) -> bool:
        try:
            self._hasher.verify(stored or self._decoy, password)
        except (VerifyMismatchError, InvalidHashError):
            return False
        return stored is not None


def _hash_of_nothing(hasher: PasswordHasher) -> str:
    """Return random bytes in the form of a hash: checking a password against them costs what it costs for a real one.

    The form is that of the reference implementation of argon2 (PHC string).
    """
    salt, hash_ = (
        base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
        for length in (hasher.salt_len, hasher.hash_len)
    )
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${hash_}"


class DerivedTokens:
    """Tokens made from the id of a row and a key: who has both makes the same one again, so that none is kept.

    They are as hard to guess as the key; `purpose` keeps those for one thing from opening another.
    """

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"derived tokens", "sha256")

    def make(self, purpose: str, id_: UUID) -> str:
        """Return the token, URL-safe."""
        raw = hmac.digest(self._key, f"{purpose} {id_}".encode(), "sha256")
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562): unique everywhere, and in order of creation for the database's sake."""
    return uuid_utils.compat.uuid7()


def new_credential() -> str:
    """Return 256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def digest(credential: str) -> str:
    """Return what is stored of a random credential. It has full entropy, so a plain hash suffices."""
    return hashlib.sha256(credential.encode("utf-8", "surrogatepass")).hexdigest()


def load_or_create_secret(path: Path, *, size_bytes: int = SECRET_BYTES) -> str:
    """Read a random secret from a file, made on first use like `load_or_create`."""
    return load_or_create(path, lambda: secrets.token_urlsafe(size_bytes))


def load_or_create(path: Path, make: Callable[[], str]) -> str:
    """Read a secret from a file, made on first use with mode 0600; two servers starting at once agree on one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()
