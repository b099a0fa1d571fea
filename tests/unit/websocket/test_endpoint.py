"""The socket's door under any ASGI server, also for a peer that does not wait until it opens."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from starlette.websockets import WebSocket

from app.websocket.endpoint import WebSocketTransport, serve
from tests.support.realtime import Bench

Message = dict[str, Any]


class Asgi:
    """An ASGI server with one WebSocket."""

    def __init__(self, bench: Bench, *received: Message) -> None:
        self.sent: list[Message] = []
        self.is_gone = False
        self._received = iter([{"type": "websocket.connect"}, *received])
        application = SimpleNamespace(state=SimpleNamespace(hub=bench.hub))
        scope = {"type": "websocket", "app": application, "headers": [], "query_string": b"", "subprotocols": []}
        self.websocket = WebSocket(scope, self._receive, self._send)

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


async def test_transport_to_a_peer_that_has_gone(bench: Bench) -> None:
    """Sending says so as the transport's contract has it; closing is harmless, also twice."""
    asgi = Asgi(bench)
    await asgi.websocket.accept()
    transport = WebSocketTransport(asgi.websocket)
    await transport.send(b"{}")
    asgi.is_gone = True
    with pytest.raises(ConnectionError):
        await transport.send(b"{}")
    for _ in range(2):
        await transport.close(1000, "")


async def test_reason_is_cut_to_what_a_close_frame_holds(bench: Bench) -> None:
    """At 123 bytes, and never in the middle of a letter."""
    asgi = Asgi(bench)
    await asgi.websocket.accept()
    await WebSocketTransport(asgi.websocket).close(4401, "я" * 100)
    assert asgi.sent[-1] == {"type": "websocket.close", "code": 4401, "reason": "я" * 61}
