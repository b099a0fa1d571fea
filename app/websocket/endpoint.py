"""The portable way in: `WS /api/v1/ws` under any ASGI server. What it costs more: a few tasks for each connection."""

import asyncio
import contextlib

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.responses import Response

from app.domain.networks import network_of
from app.websocket.connection import Connection
from app.websocket.door import Handshake, Refusal
from app.websocket.framing import MAX_REASON_BYTES
from app.websocket.hub import Hub
from app.websocket.lifecycle import CLOSE_S, run_connection
from app.websocket.protocol import FAILED, CloseCode, CloseError

_log = structlog.get_logger(__name__)

router = APIRouter()


class WebSocketPeer:
    """Sends through a Starlette WebSocket."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def send(self, text: bytes) -> None:
        """Send one text message.

        Raises:
            ConnectionError: the peer has gone.
        """
        try:
            await self._websocket.send_text(text.decode())
        except (WebSocketDisconnect, RuntimeError, OSError) as error:
            raise ConnectionError from error

    async def close(self, code: int, reason: str) -> None:
        """Close the socket."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError, TimeoutError):
            short = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
            await asyncio.wait_for(self._websocket.close(code, short), CLOSE_S)


@router.websocket("/api/v1/ws")
async def serve(websocket: WebSocket) -> None:
    """Serve one client until one side ends it."""
    hub: Hub = websocket.app.state.hub
    handshake = _to_handshake(websocket)
    refusal = hub.door.refuse(handshake)
    if refusal is not None:
        await _refuse(websocket, refusal)
        return
    try:
        await websocket.accept(handshake.subprotocol)
    except (WebSocketDisconnect, OSError):
        return  # gone before the door was open
    peer = WebSocketPeer(websocket)
    try:
        user = await hub.door.identify(handshake)
    except CloseError as error:
        await peer.close(error.code, error.reason)
    except Exception:  # noqa: BLE001 - the database may be away for a moment
        _log.exception("identification_failed")
        await peer.close(CloseCode.INTERNAL, FAILED)
    else:
        await run_connection(
            hub, peer, user, lambda connection: _read(websocket, hub, connection), network=handshake.network
        )


def _to_handshake(websocket: WebSocket) -> Handshake:
    network = network_of(websocket.client.host) if websocket.client else ""
    protocols = websocket.scope.get("subprotocols", [])
    return Handshake(network, websocket.headers.get("origin"), protocols, websocket.query_params)


async def _refuse(websocket: WebSocket, refusal: Refusal) -> None:
    """Answer with HTTP where the server can, else with its own 403."""
    if "websocket.http.response" in websocket.scope.get("extensions", {}):
        await websocket.send_denial_response(Response(refusal.body, refusal.status, refusal.headers))
    else:
        await websocket.close()


async def _read(websocket: WebSocket, hub: Hub, connection: Connection) -> None:
    """Serve what the client says, one message at a time, until it has gone."""
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        await hub.handler.receive(connection, message.get("text") or message.get("bytes") or b"")
