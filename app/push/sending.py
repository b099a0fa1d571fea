"""One request to a push service (RFC 8030): connects to a checked address, follows nowhere, reads only the head.

There is no pool and no redirect, and no proxy is looked for: whatever could lead to an address that was not checked.
"""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import cached_property
from typing import Final

import h11

from app.push.addresses import Endpoint, EndpointRefusedError, parse_endpoint, resolve
from app.push.encryption import encrypt, read_browser_keys
from app.push.keys import PushKey
from app.push.resolver import HostNotFoundError, Resolver

READ_BYTES: Final = 16_384
MAX_RETRY_AFTER_S: Final = 24 * 3600.0
"""A push service that asks for more is not waited for longer."""
MAX_LOOKUPS: Final = 64
"""Names looked up at once: as many as there are requests under way."""
_BUSY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_GONE: Final = frozenset({404, 410})


class Urgency(StrEnum):
    """How much of its battery a device may spend on it (RFC 8030, section 5.3)."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Outcome(StrEnum):
    """What became of a request."""

    SENT = "sent"
    GONE = "gone"
    """The subscription is no more (404, 410)."""
    BUSY = "busy"
    """The push service lives and asks to be left alone for a while (429, 5xx)."""
    UNREACHABLE = "unreachable"
    """No answer: connection, TLS, name or time."""
    REFUSED = "refused"
    """It will not be taken the next time either."""


@dataclass(frozen=True, slots=True)
class Push:
    """What goes to one subscription. `topic` replaces what waits at the push service under the same one."""

    endpoint: str
    p256dh: str
    auth: str
    payload: bytes
    ttl_s: int
    urgency: Urgency
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome, why if it was not sent, and for how long the push service wants to be left alone (seconds)."""

    outcome: Outcome
    reason: str = ""
    retry_after_s: float | None = None


class PushSender:
    """Sends as one board. `allow_private` is for a push service of one's own, by http or inside the network."""

    def __init__(self, key: PushKey, *, timeout_s: float, allow_private: bool) -> None:
        self._key = key
        self._timeout_s = timeout_s
        self._allow_private = allow_private
        self._resolver = Resolver(MAX_LOOKUPS)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()  # reads every certificate that the machine trusts: not at each start

    async def send(self, push: Push) -> Answer:
        """Send; never raises but when cancelled. The whole of it takes `timeout_s` at most."""
        try:
            endpoint = parse_endpoint(push.endpoint, allow_private=self._allow_private)
            body = encrypt(push.payload, read_browser_keys(push.p256dh, push.auth))
            async with asyncio.timeout(self._timeout_s):
                addresses = await resolve(self._resolver, endpoint, allow_private=self._allow_private)
                return await self._exchange(endpoint, addresses, self._headers(endpoint, push, body), body)
        except (HostNotFoundError, OSError, TimeoutError, h11.RemoteProtocolError) as error:
            return Answer(Outcome.UNREACHABLE, f"{type(error).__name__}: {error}")
        except (EndpointRefusedError, ValueError) as error:  # after: a certificate that is not good is a ValueError too
            return Answer(Outcome.REFUSED, str(error))

    def _headers(self, endpoint: Endpoint, push: Push, body: bytes) -> list[tuple[str, str]]:
        headers = [
            ("Host", endpoint.authority),
            ("Authorization", self._key.authorize(endpoint.origin)),
            ("Content-Type", "application/octet-stream"),
            ("Content-Encoding", "aes128gcm"),
            ("Content-Length", str(len(body))),
            ("TTL", str(push.ttl_s)),
            ("Urgency", push.urgency.value),
            ("Connection", "close"),
        ]
        return headers if push.topic is None else [*headers, ("Topic", push.topic)]

    async def _exchange(
        self, endpoint: Endpoint, addresses: list[str], headers: list[tuple[str, str]], body: bytes
    ) -> Answer:
        reader, writer = await self._connect(endpoint, addresses)
        try:
            connection = h11.Connection(h11.CLIENT)
            writer.write(connection.send(h11.Request(method="POST", target=endpoint.target, headers=headers)) or b"")
            writer.write(connection.send(h11.Data(data=body)) or b"")
            connection.send(h11.EndOfMessage())
            await writer.drain()
            return read_answer(await _read_head(connection, reader))
        finally:
            # Nothing is waited for: what matters has been read, and closing TLS politely may take for ever.
            writer.transport.abort()

    async def _connect(
        self, endpoint: Endpoint, addresses: list[str]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        is_secret = endpoint.scheme == "https"
        tls, name = (self._tls, endpoint.host) if is_secret else (None, None)
        failure: OSError | None = None
        for address in addresses:
            try:
                return await asyncio.open_connection(
                    address, endpoint.port, limit=READ_BYTES, ssl=tls, server_hostname=name
                )
            except OSError as error:
                failure = error
        raise failure or HostNotFoundError(endpoint.host)


def read_answer(response: h11.Response) -> Answer:
    """Return what the status of an answer means. A redirect is followed by nobody: it counts as a refusal."""
    status = response.status_code
    if 200 <= status < 300:
        return Answer(Outcome.SENT)
    reason = f"status {status}"
    if status in _GONE:
        return Answer(Outcome.GONE, reason)
    if status in _BUSY:
        value = next((value for name, value in response.headers if name == b"retry-after"), b"")
        return Answer(Outcome.BUSY, reason, read_retry_after(value.decode("latin-1"), datetime.now(UTC)))
    return Answer(Outcome.REFUSED, reason)


def read_retry_after(value: str, now: datetime) -> float | None:
    """Return the seconds of a `Retry-After` header, which is a number or a date (RFC 9110, section 10.2.3)."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), MAX_RETRY_AFTER_S)


async def _read_head(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Response:
    """Informational responses are passed over; who hangs up before the response breaks the protocol."""
    while not isinstance(event := connection.next_event(), h11.Response):
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(READ_BYTES))
    return event
