"""The socket's door: `WS /api/v1/ws`. Checks the origin, finds out who it is, then runs the connection.

This is the portable path: it works under any ASGI server.
"""

import asyncio
import contextlib
from typing import Final

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.responses import JSONResponse

from app.errors import TokenExpired, Unauthorized
from app.websocket.connection import Connection, SocketUser
from app.websocket.hub import Hub
from app.websocket.lifecycle import CLOSE_S, FAILED, run_connection
from app.websocket.protocol import BEARER_PREFIX, SUBPROTOCOL, CloseCode, CloseError, Frame

REASON_BYTES: Final = 123
"""What a close frame has room for (RFC 6455 section 5.5.1)."""
ORIGIN_LENGTH: Final = 200
"""What the log takes of an origin that somebody made up."""
_log = structlog.get_logger(__name__)

router = APIRouter()


class WebSocketTransport:
    """Sends through a Starlette WebSocket."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def send(self, frame: Frame) -> None:
        """Send one text message.

        Raises:
            ConnectionError: the peer has gone.
        """
        try:
            await self._websocket.send_text(frame.decode())
        except (WebSocketDisconnect, RuntimeError, OSError) as error:
            raise ConnectionError from error

    async def close(self, code: int, reason: str) -> None:
        """Close the socket."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError, TimeoutError):
            await asyncio.wait_for(
                self._websocket.close(code, reason.encode()[:REASON_BYTES].decode(errors="ignore")), CLOSE_S
            )


@router.websocket("/api/v1/ws")
async def serve(websocket: WebSocket) -> None:
    """Serve one client until one side ends it."""
    hub: Hub = websocket.app.state.hub
    if await _is_refused(websocket, hub):
        return
    offered = websocket.scope.get("subprotocols", [])
    try:
        await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
    except (WebSocketDisconnect, OSError):
        return  # gone before the door was open
    transport = WebSocketTransport(websocket)
    try:
        user = await _identify(websocket, hub, offered)
    except CloseError as error:
        await transport.close(error.code, error.reason)
    except Exception:  # noqa: BLE001 - the database may be away for a moment
        _log.exception("identification_failed")
        await transport.close(CloseCode.INTERNAL, FAILED)
    else:
        connection = Connection(transport, user, replay_max_events=hub.settings.replay_max_events)
        await run_connection(hub, connection, lambda: _read(websocket, hub, connection))


async def _is_refused(websocket: WebSocket, hub: Hub) -> bool:
    """Refuse before the upgrade: pages of foreign origins (HTTP 403), and everybody while shutting down (503)."""
    origin = websocket.headers.get("origin")
    if origin is not None and origin not in hub.settings.origins:
        _log.warning("origin_refused", origin=origin[:ORIGIN_LENGTH], hint="add it to TIMETODO_ALLOWED_ORIGINS")
        await websocket.close()
        return True
    if hub.is_draining:
        body = {"detail": "the server is shutting down; come back in a moment", "code": "unavailable"}
        await websocket.send_denial_response(JSONResponse(body, 503, {"Retry-After": "1"}))
        return True
    return False


async def _identify(websocket: WebSocket, hub: Hub, offered: list[str]) -> SocketUser | None:
    """Return who it is by the first credential given; None when there is none.

    A browser cannot see why an upgrade was refused, so wrong credentials are refused after it, with a close code.
    """
    bearer = next((name.removeprefix(BEARER_PREFIX) for name in offered if name.startswith(BEARER_PREFIX)), None)
    ticket, token = websocket.query_params.get("ticket"), websocket.query_params.get("token")
    try:
        if bearer is not None:
            return await hub.directory.identify(bearer)
        if ticket is not None:
            return await hub.directory.redeem(ticket)
        return await hub.directory.identify(token) if token is not None else None
    except TokenExpired as error:
        raise CloseError(CloseCode.TOKEN_EXPIRED, error.detail) from None
    except Unauthorized as error:
        raise CloseError(CloseCode.UNAUTHORIZED, error.detail) from None


async def _read(websocket: WebSocket, hub: Hub, connection: Connection) -> None:
    """Serve what the client says, one message at a time, until it has gone."""
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        await hub.handler.receive(connection, message.get("text") or message.get("bytes") or b"")
