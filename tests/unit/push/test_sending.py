"""What the answers of push services mean, and requests that get none."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import h11
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.push.encoding import to_base64url
from app.push.keys import PushKey, make_private_key, to_point
from app.push.sending import Outcome, Push, PushSender, Urgency, read_answer, read_retry_after
from tests.support.ports import free_port
from tests.support.tls import Authority

NOW: Final = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.SENT),
        (201, Outcome.SENT),
        (202, Outcome.SENT),
        (301, Outcome.REFUSED),
        (307, Outcome.REFUSED),
        (400, Outcome.REFUSED),
        (403, Outcome.REFUSED),
        (404, Outcome.GONE),
        (410, Outcome.GONE),
        (413, Outcome.REFUSED),
        (429, Outcome.BUSY),
        (500, Outcome.BUSY),
        (503, Outcome.BUSY),
    ],
)
def test_status_means_an_outcome(status: int, outcome: Outcome) -> None:
    """A redirect is a refusal: nobody follows it."""
    assert read_answer(h11.Response(status_code=status, headers=[])).outcome is outcome


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("999999999", 86_400),
        ("Wed, 25 Nov 2026 12:01:30 GMT", 90),
        ("Wed, 25 Nov 2026 12:01:30 -0000", 90),
        ("Wed, 25 Nov 2026 11:00:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("²", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str, seconds: float | None) -> None:
    """At most a day; what is neither says nothing."""
    assert read_retry_after(value, NOW) == seconds


async def send(endpoint: str, *, allow_private: bool = True, timeout_s: float = 5) -> tuple[Outcome, str]:
    """Send to an address."""
    point = to_base64url(to_point(ec.generate_private_key(ec.SECP256R1()).public_key()))
    push = Push(endpoint, point, to_base64url(b"sixteen bytes ok"), b"{}", ttl_s=60, urgency=Urgency.NORMAL)
    sender = PushSender(PushKey(make_private_key()), timeout_s=timeout_s, allow_private=allow_private)
    answer = await sender.send(push)
    return answer.outcome, answer.reason


async def test_nobody_listens() -> None:
    """It is tried again another time."""
    assert (await send(f"http://127.0.0.1:{free_port()}/x"))[0] is Outcome.UNREACHABLE


async def test_address_is_looked_at_again_when_it_is_used() -> None:
    """What was stored may since lead into our own network."""
    assert await send("https://localhost/x", allow_private=False) == (Outcome.REFUSED, "must be on a public address")


@asynccontextmanager
async def answering(answer: bytes | None, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Return the address of one that answers so once, or never."""
    is_done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.readuntil(b"\r\n\r\n")
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
            writer.close()
            await writer.wait_closed()
        is_done.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"https://localhost:{port}/x" if tls else f"http://127.0.0.1:{port}/x"
        if not tls:  # where the handshake fails nobody is served
            await is_done.wait()


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 201 Created\r\n" + b"X: y\r\n" * 50_000, None])
async def test_answer_that_is_none(answer: bytes | None) -> None:
    """A push service that hangs up, talks nonsense, never ends its head or says nothing holds us for a bounded time."""
    async with answering(answer) as address:
        assert (await send(address, timeout_s=0.5))[0] is Outcome.UNREACHABLE


async def test_word_before_the_answer_is_not_the_answer() -> None:
    """An informational response is passed over."""
    async with answering(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 201 Created\r\n\r\n") as address:
        assert (await send(address))[0] is Outcome.SENT


@pytest.mark.parametrize(
    ("name", "is_trusted", "outcome"),
    [
        ("localhost", True, Outcome.SENT),
        ("elsewhere.example", True, Outcome.UNREACHABLE),
        ("localhost", False, Outcome.UNREACHABLE),
    ],
)
async def test_certificate_must_be_a_trusted_one_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, is_trusted: bool, outcome: Outcome
) -> None:
    """We connect to an address that was looked up and looked at, but it must have the certificate of the name."""
    authority = Authority(tmp_path)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with answering(b"HTTP/1.1 201 Created\r\n\r\n", authority.context(name)) as address:
        found, reason = await send(address)
    assert found is outcome
    assert ("CERTIFICATE_VERIFY_FAILED" in reason) is (outcome is Outcome.UNREACHABLE)
