"""Who is let in: by origin, by address, and by who it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog

from app.config import Settings
from app.domain.networks import network_of
from app.websocket.connection import Connection
from app.websocket.door import ORIGIN_LENGTH, Door, Handshake, Refusal
from app.websocket.manager import ConnectionManager
from app.websocket.protocol import CloseCode, CloseError
from tests.support.realtime import FakeClock, FakeDirectory, FakeTransport, make_user

ANNA = make_user("Anna")
HERE, THERE = "192.0.2.1", "192.0.2.2"


class Entrance:
    """A door whose time and manager a test moves."""

    def __init__(self, **settings: Any) -> None:
        known: dict[str, Any] = {"data_dir": Path("/nowhere"), "public_url": "https://board.example.org"}
        self.clock = FakeClock()
        self.manager = ConnectionManager()
        self.directory = FakeDirectory()
        self.directory.tokens["anna"] = ANNA
        self.is_draining = False
        self.door = Door(
            Settings(**(known | settings)),
            self.directory,
            self.manager,
            is_draining=lambda: self.is_draining,
            clock=self.clock,
        )

    def knock(self, network: str = HERE, origin: str | None = None) -> Refusal | None:
        return self.door.refuse(Handshake(network, origin, [], {}))

    async def identify(self, *subprotocols: str, **query: str) -> Any:
        return await self.door.identify(Handshake(HERE, None, subprotocols, query))


def test_anybody_may_knock() -> None:
    """A script has no origin, and the first connection is never one too many."""
    assert Entrance().knock() is None


@pytest.mark.parametrize("origin", ["https://board.example.org", "https://other.example.org"])
def test_own_and_allowed_pages_may_connect(origin: str) -> None:
    """By configuration, not by what the request says of itself."""
    assert Entrance(allowed_origins="https://other.example.org").knock(origin=origin) is None


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://board.example.org", "x" * 5000])
def test_foreign_page_is_refused(origin: str) -> None:
    """403, and a line in the log that says what to do and cannot be made long by a stranger."""
    with structlog.testing.capture_logs() as logs:
        refusal = Entrance().knock(origin=origin)
    assert refusal is not None
    assert (refusal.status, refusal.code, refusal.retry_after_s) == (403, "forbidden", None)
    (entry,) = logs
    assert (entry["event"], entry["origin"]) == ("origin_refused", origin[:ORIGIN_LENGTH])


def test_draining_server_takes_nobody() -> None:
    """503, with a word when to come back."""
    entrance = Entrance()
    entrance.is_draining = True
    refusal = entrance.knock()
    assert refusal is not None
    assert (refusal.status, refusal.code, refusal.headers["Retry-After"]) == (503, "unavailable", "1")


def test_one_address_has_a_limit() -> None:
    """Of open connections; another address has its own, and whoever goes makes room."""
    entrance = Entrance(ws_max_connections_per_address=2)
    connections = [Connection(FakeTransport(), network=HERE) for _ in range(2)]
    for connection in connections:
        assert entrance.knock() is None
        entrance.manager.connect(connection)
    refusal = entrance.knock()
    assert refusal is not None
    assert (refusal.status, refusal.code) == (429, "limit_exceeded")
    assert entrance.knock(THERE) is None
    entrance.manager.disconnect(connections[0])
    assert entrance.knock() is None


def test_connects_have_a_rate() -> None:
    """A burst at once, then so many a second from one address; the answer says how long to wait."""
    entrance = Entrance(ws_connects_per_s=0.5, ws_connect_burst=2)
    assert [entrance.knock(), entrance.knock()] == [None, None]
    refusal = entrance.knock()
    assert refusal is not None
    assert (refusal.status, refusal.code, refusal.retry_after_s) == (429, "rate_limited", 2.0)
    assert entrance.knock(THERE) is None
    entrance.clock.now += 2
    assert entrance.knock() is None


def test_address_that_is_not_known_has_no_limit() -> None:
    """Behind a server that does not say where its clients are they would all share one."""
    entrance = Entrance(ws_connects_per_s=0.5, ws_connect_burst=1, ws_max_connections_per_address=1)
    assert [entrance.knock(""), entrance.knock("")] == [None, None]


@pytest.mark.parametrize(
    ("wait_s", "ms", "header"), [(None, None, None), (0.01, 10, "1"), (1.4, 1400, "1"), (30, 30_000, "30")]
)
def test_refusal_is_json_with_the_time_to_wait(wait_s: float | None, ms: int | None, header: str | None) -> None:
    """In milliseconds in the body, in whole seconds, at least one, in the header; never cached."""
    refusal = Refusal(429, "rate_limited", "too many", wait_s)
    assert orjson.loads(refusal.body) == {"detail": "too many", "code": "rate_limited", "retry_after_ms": ms}
    assert refusal.headers.get("Retry-After") == header
    assert refusal.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::1", "::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_what_counts_as_one_address(address: str, network: str) -> None:
    """An IPv4 address, however it is written, or the network an IPv6 customer has as a whole."""
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [([], None), (["other"], None), (["bearer.x"], None), (["bearer.x", "timetodo.v1"], "timetodo.v1")],
)
def test_protocol_agreed_on_is_never_the_token(offered: list[str], agreed: str | None) -> None:
    """What a client offers beside ours is not repeated to it."""
    assert Handshake(HERE, None, offered, {}).subprotocol == agreed


@pytest.mark.parametrize(
    "knock",
    [
        lambda entrance: entrance.identify("timetodo.v1", "bearer.anna", token="garbage", ticket="garbage"),
        lambda entrance: entrance.identify("timetodo.v1", token="anna"),
    ],
)
async def test_first_credential_says_who_it_is(knock: Callable[[Entrance], Any]) -> None:
    """A subprotocol before a ticket before a token in the address."""
    assert await knock(Entrance()) is ANNA


async def test_nobody_gives_no_credential() -> None:
    """Which is no wrong one."""
    assert await Entrance().identify("timetodo.v1", other="x") is None


@pytest.mark.parametrize(
    ("token", "code"), [("garbage", CloseCode.UNAUTHORIZED), ("", CloseCode.UNAUTHORIZED), ("old", 4419)]
)
async def test_wrong_credential_is_a_close_code(token: str, code: int) -> None:
    """An expired token has a code of its own; an empty credential is a wrong one."""
    for subprotocols, query in (((f"bearer.{token}",), {}), ((), {"token": token})):
        with pytest.raises(CloseError) as refused:
            await Entrance().identify(*subprotocols, **query)
        assert refused.value.code == code
