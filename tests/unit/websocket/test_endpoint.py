"""The socket's door, for a peer that does not wait until it opens."""

from types import SimpleNamespace
from typing import Any

from fastapi import WebSocketDisconnect

from app.websocket.endpoint import serve
from app.websocket.manager import ConnectionManager


class VanishedPeer:
    """A WebSocket whose other side has gone before it was accepted."""

    def __init__(self, hub: Any) -> None:
        self.app = SimpleNamespace(state=SimpleNamespace(hub=hub))
        self.headers: dict[str, str] = {}
        self.scope: dict[str, Any] = {"subprotocols": []}

    async def accept(self, _subprotocol: str | None) -> None:
        raise WebSocketDisconnect(1006)


async def test_peer_that_vanishes_before_the_welcome_leaves_nothing() -> None:
    """Nothing is taken in for it, and its going is no error."""
    manager = ConnectionManager()
    peer: Any = VanishedPeer(SimpleNamespace(is_draining=False, manager=manager))
    await serve(peer)
    assert manager.get_stats()["total_connections"] == 0
