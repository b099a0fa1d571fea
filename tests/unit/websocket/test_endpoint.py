"""The socket's door under any ASGI server, also for a peer that does not wait until it opens."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
import structlog
from starlette.websockets import WebSocket

from app.websocket.endpoint import WebSocketPeer, serve
from app.websocket.protocol import FAILED, CloseCode
from tests.support.realtime import Bench

Message = dict[str, Any]


class Asgi:
    """An ASGI server with one WebSocket."""

    def __init__(self, bench: Bench, *received: Message, **scope: Any) -> None:
        self.sent: list[Message] = []
        self.is_gone = False
        self._received = iter([{"type": "websocket.connect"}, *received])
        application = SimpleNamespace(state=SimpleNamespace(hub=bench.hub))
        known = {"type": "websocket", "app": application, "headers": [], "query_string": b"", "subprotocols": []}
        self.websocket = WebSocket(known | scope, self._receive, self._send)

    async def _receive(self) -> Message:
        return next(self._received)

    async def _send(self, message: Any) -> None:
        if self.is_gone:
            raise OSError
        self.sent.append(message)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with Bench() as bench:
        yield bench


async def test_conversation(bench: Bench) -> None:
    """Accepted, welcomed, answered; text and binary are both read, and an empty message is a bad one."""
    asgi = Asgi(
        bench,
        {"type": "websocket.receive", "text": '{"type":"ping","id":1}'},
        {"type": "websocket.receive", "bytes": b'{"type":"ping","id":2}'},
        {"type": "websocket.receive", "text": ""},
        {"type": "websocket.disconnect", "code": 1001},
    )
    await serve(asgi.websocket)
    assert asgi.sent[0]["type"] == "websocket.accept"
    assert asgi.sent[0]["subprotocol"] is None
    texts = [message["text"] for message in asgi.sent if message["type"] == "websocket.send"]
    assert ["welcome" in texts[0], '"id":1' in texts[1], '"id":2' in texts[2], "bad_request" in texts[3]] == [True] * 4
    assert bench.hub.manager.connections == {}


async def test_peer_that_vanishes_before_the_welcome_leaves_nothing(bench: Bench) -> None:
    """Nothing is taken in for it, and its going is no error."""
    asgi = Asgi(bench)
    asgi.is_gone = True
    with structlog.testing.capture_logs() as logs:
        await serve(asgi.websocket)
    assert bench.hub.manager.get_stats()["total_connections"] == 0
    assert logs == []


FOREIGN = [(b"origin", b"https://evil.example")]


async def test_refusal_is_an_http_answer_where_the_server_can(bench: Bench) -> None:
    """With the code and the hint of the quick path."""
    asgi = Asgi(bench, headers=FOREIGN, extensions={"websocket.http.response": {}})
    await serve(asgi.websocket)
    start, body = asgi.sent
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 403)
    assert (b"cache-control", b"no-store") in start["headers"]
    assert orjson.loads(body["body"])["code"] == "forbidden"


async def test_refusal_is_the_servers_own_where_it_cannot(bench: Bench) -> None:
    """A close before the accept, which servers answer with 403."""
    asgi = Asgi(bench, headers=FOREIGN)
    await serve(asgi.websocket)
    assert [message["type"] for message in asgi.sent] == ["websocket.close"]


async def test_wrong_credentials_are_refused_after_the_upgrade(bench: Bench) -> None:
    """A browser sees close codes alone."""
    asgi = Asgi(bench, query_string=b"token=garbage")
    await serve(asgi.websocket)
    assert [message["type"] for message in asgi.sent] == ["websocket.accept", "websocket.close"]
    assert asgi.sent[1]["code"] == CloseCode.UNAUTHORIZED
    assert bench.hub.manager.total_connections == 0


async def test_database_that_fails_while_identifying(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's fault has the server's code, and a line in the log."""

    async def fail(_: object) -> None:
        raise OSError

    monkeypatch.setattr(bench.directory, "redeem", fail)
    asgi = Asgi(bench, query_string=b"ticket=good")
    with structlog.testing.capture_logs() as logs:
        await serve(asgi.websocket)
    assert asgi.sent[-1] == {"type": "websocket.close", "code": CloseCode.INTERNAL, "reason": FAILED}
    assert [entry["event"] for entry in logs] == ["identification_failed"]


async def test_connections_are_counted_by_address(bench: Bench) -> None:
    """A server that knows where its client is counts it there."""
    counted: list[int] = []

    async def look(_: object, _text: object) -> None:
        counted.append(bench.hub.manager.count_from("192.0.2.1"))

    asgi = Asgi(
        bench,
        {"type": "websocket.receive", "text": "{}"},
        {"type": "websocket.disconnect", "code": 1001},
        client=("192.0.2.1", 5),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench.hub.handler, "receive", look)
        await serve(asgi.websocket)
    assert counted == [1]
    assert bench.hub.manager.count_from("192.0.2.1") == 0


async def test_sending_to_a_peer_that_has_gone(bench: Bench) -> None:
    """Sending says so as the contract of a peer has it; closing is harmless, also twice."""
    asgi = Asgi(bench)
    await asgi.websocket.accept()
    peer = WebSocketPeer(asgi.websocket)
    await peer.send(b"{}")
    asgi.is_gone = True
    with pytest.raises(ConnectionError):
        await peer.send(b"{}")
    for _ in range(2):
        await peer.close(1000, "")


async def test_reason_is_cut_to_what_a_close_frame_holds(bench: Bench) -> None:
    """At 123 bytes, and never in the middle of a letter."""
    asgi = Asgi(bench)
    await asgi.websocket.accept()
    await WebSocketPeer(asgi.websocket).close(4401, "я" * 100)
    assert asgi.sent[-1] == {"type": "websocket.close", "code": 4401, "reason": "я" * 61}
