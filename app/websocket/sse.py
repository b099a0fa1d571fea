"""Server-sent events: the same log, cursor and permissions for networks where WebSockets die.

`GET /api/v1/projects/{id}/events/stream`. Each event's id is `<epoch>:<seq>`, so `Last-Event-ID` resumes. A stream is
a connection like any other, with another transport: it is counted, loses access and expires the same way.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from app.errors import BadRequest, Unauthorized, Unavailable
from app.websocket.connection import Connection, SocketUser
from app.websocket.hub import Hub
from app.websocket.messages import JoinProject, Since
from app.websocket.protocol import CloseCode, CloseError, Frame, encode

BUFFERED_FRAMES: Final = 16
"""Frames on their way to a stream; beyond that its cursor waits."""
COMMENT_S: Final = 15.0
"""How often a silent stream gets a comment, so that proxies keep it open and a dead peer is noticed."""
UNSEEN_TYPES: Final = frozenset({"welcome", "ping", "pong"})
"""Messages that mean nothing to a reader who cannot answer."""

router = APIRouter()


class StreamTransport:
    """Hands frames to the response that is being streamed."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[Frame | None] = asyncio.Queue(BUFFERED_FRAMES)

    async def send(self, frame: Frame) -> None:
        """Wait for room, then queue the frame."""
        await self.frames.put(frame)

    async def close(self, code: int, reason: str) -> None:
        """Say why, and end the stream after what is queued."""
        await self.frames.put(encode("closed", {"code": code, "reason": reason}))
        await self.frames.put(None)


@router.get("/api/v1/projects/{project_id}/events/stream", tags=["history"], response_class=StreamingResponse)
async def stream_events(
    request: Request,
    project_id: UUID,
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
    last_event_id: Annotated[str | None, Header(max_length=100)] = None,
) -> StreamingResponse:
    """Follow a project's log as server-sent events, live; `Last-Event-ID` resumes."""
    hub: Hub = request.app.state.hub
    if hub.is_draining:
        message = "the server is shutting down; come back in a moment"
        raise Unavailable(message)
    user = await _identify(hub, authorization)
    await hub.directory.enter(user, project_id)
    join = JoinProject(type="join_project", project_id=project_id, since=_parse_position(last_event_id))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(hub, user, join), media_type="text/event-stream", headers=headers)


async def _identify(hub: Hub, authorization: str | None) -> SocketUser | None:
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        message = "the Authorization header must read: Bearer <access token>"
        raise Unauthorized(message)
    return await hub.directory.identify(token.strip())


def _parse_position(last_event_id: str | None) -> Since | None:
    if not last_event_id:
        return None
    epoch, _, seq = last_event_id.rpartition(":")
    if not epoch or not seq.isascii() or not seq.isdigit() or len(seq) > 15:
        message = "Last-Event-ID must be the id of an event of this stream, <epoch>:<seq>"
        raise BadRequest(message)
    return Since(epoch=epoch, seq=int(seq))


async def _stream(hub: Hub, user: SocketUser | None, join: JoinProject) -> AsyncIterator[bytes]:
    transport = StreamTransport()
    connection = Connection(transport, user, replay_max_events=hub.settings.replay_max_events)
    writer = asyncio.create_task(connection.run(), name=f"stream-{connection.id}")
    try:
        await _start(hub, connection, join)
        async for part in _parts(connection, transport):
            yield part
    finally:
        connection.close(CloseCode.NORMAL, "")
        hub.handler.disconnect(connection)
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)


async def _start(hub: Hub, connection: Connection, join: JoinProject) -> None:
    try:
        await hub.handler.connect(connection)
        await hub.handler.receive(connection, join.model_dump_json())
    except CloseError as error:
        connection.close(error.code, error.reason)


async def _parts(connection: Connection, transport: StreamTransport) -> AsyncIterator[bytes]:
    """Yield what goes over the wire; whatever is taken shows that somebody is there."""
    epoch = ""
    while True:
        try:
            frame = await asyncio.wait_for(transport.frames.get(), COMMENT_S)
        except TimeoutError:
            yield b": still here\n\n"
            connection.heard()
            continue
        if frame is None:
            return
        message = orjson.loads(frame)
        if message["type"] in UNSEEN_TYPES:
            continue
        epoch = message["data"].get("epoch", epoch) if "seq" not in message else epoch
        yield _format(message, frame, epoch)
        connection.heard()


def _format(message: dict[str, Any], frame: Frame, epoch: str) -> bytes:
    position = f"id: {epoch}:{message['seq']}\n" if "seq" in message else ""
    return f"{position}event: {message['type']}\ndata: ".encode() + frame + b"\n\n"
