"""Server-sent events: the same log, cursor and permissions for networks where WebSockets die.

`GET /api/v1/projects/{id}/events/stream`. Each event's id is `<epoch>:<seq>`, so `Last-Event-ID` resumes. A stream is
a connection like any other, with another transport: it is counted, loses access and expires the same way.
"""

import asyncio
import contextlib
import math
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Header, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.domain.networks import network_of
from app.errors import BadRequest, RateLimited, Unauthorized, Unavailable
from app.websocket.connection import Connection, SocketUser
from app.websocket.hub import Hub
from app.websocket.lifecycle import CLOSE_S, cancel, run_connection, wait_for
from app.websocket.messages import JoinProject, Since
from app.websocket.protocol import encode

UNSEEN_TYPES: Final = frozenset({"welcome", "pong"})
"""Messages that mean nothing to a reader who cannot answer."""
LAST_TYPES: Final = frozenset({"project_left", "error"})
"""Messages after which a stream of one project has nothing more to say."""

router = APIRouter()


class StreamPeer:
    """Writes messages as server-sent events; what has been taken shows that somebody is there."""

    def __init__(self, send: Send) -> None:
        self.is_over = asyncio.Event()
        """Set when the last message has been written."""
        self.connection: Connection | None = None
        self._send = send
        self._epoch = ""

    async def send(self, text: bytes) -> None:
        """Write one message and wait until the peer's side can take the next.

        Raises:
            ConnectionError: the peer has gone.
        """
        head = orjson.loads(text)
        if head["type"] in UNSEEN_TYPES:
            return
        await self._write(self._format(head, text))
        if self.connection is not None:
            self.connection.heard()
        if head["type"] in LAST_TYPES:
            self.is_over.set()

    async def close(self, code: int, reason: str) -> None:
        """Say why, and end the stream."""
        body = _block("closed", encode("closed", {"code": code, "reason": reason}))
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(self._write(body, is_last=True), CLOSE_S)

    async def _write(self, body: bytes, *, is_last: bool = False) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": not is_last})

    def _format(self, head: dict[str, Any], text: bytes) -> bytes:
        """Return a message as one block. A position is told with everything a reader may go on from."""
        type_, data = head["type"], head["data"]
        if type_ == "ping":
            return b": still here\n\n"
        if "seq" in head:
            return _block(type_, text, f"{self._epoch}:{head['seq']}")
        self._epoch = data.get("epoch", self._epoch)
        is_position = type_ == "resync" or (type_ == "project_joined" and not data["recovered"])
        return _block(type_, text, f"{self._epoch}:{data['seq']}" if is_position else None)


class EventStream(Response):
    """The answer that goes on until one side ends it."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, user: SocketUser | None, join: JoinProject) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hub = hub
        self._user = user
        self._join = join

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the stream as a connection."""
        peer = StreamPeer(send)
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await run_connection(
            self._hub,
            peer,
            self._user,
            lambda connection: self._read(connection, peer, receive),
            network=_network(Request(scope)),
        )

    async def _read(self, connection: Connection, peer: StreamPeer, receive: Receive) -> None:
        """Join the project, and return when the peer has gone or there is nothing more to say."""
        peer.connection = connection
        await self._hub.handler.receive(connection, self._join.model_dump_json())
        gone = asyncio.create_task(_wait_for_disconnect(receive), name=f"gone-{connection.id}")
        over = asyncio.create_task(wait_for(peer.is_over), name=f"over-{connection.id}")
        try:
            await asyncio.wait((gone, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel(gone, over)


@router.get(
    "/api/v1/projects/{project_id}/events/stream", tags=["history"], response_class=EventStream, status_code=200
)
async def stream_events(
    request: Request,
    project_id: UUID,
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
    last_event_id: Annotated[str | None, Header(max_length=100)] = None,
) -> Response:
    """Follow a project's log as server-sent events, live; `Last-Event-ID` resumes."""
    hub: Hub = request.app.state.hub
    if hub.is_draining:
        message = "the server is shutting down; come back in a moment"
        raise Unavailable(message)
    user = await _identify(hub, authorization)
    await hub.directory.enter(user, project_id)
    if hub.manager.why_full(user.id if user else None) is not None:
        message = "there are too many connections; close one, or come back in a moment"
        raise Unavailable(message)
    refusal = hub.door.refuse_crowd(_network(request))
    if refusal is not None:
        raise RateLimited(refusal.detail, retry_after_s=max(1, math.ceil(refusal.retry_after_s or 1)))
    join = JoinProject(type="join_project", project_id=project_id, since=_parse_position(last_event_id))
    return EventStream(hub, user, join)


def _network(request: Request) -> str:
    return network_of(request.client.host) if request.client else ""


async def _identify(hub: Hub, authorization: str | None) -> SocketUser | None:
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        message = "the Authorization header must read: Bearer <access token>"
        raise Unauthorized(message)
    return (await hub.directory.admit(hub.directory.verify(token.strip()))).user


def _parse_position(last_event_id: str | None) -> Since | None:
    if not last_event_id:
        return None
    epoch, _, seq = last_event_id.rpartition(":")
    if not epoch or not seq.isascii() or not seq.isdigit() or len(seq) > 15:
        message = "Last-Event-ID must be the id of an event of this stream, <epoch>:<seq>"
        raise BadRequest(message)
    return Since(epoch=epoch, seq=int(seq))


def _block(type_: str, text: bytes, position: str | None = None) -> bytes:
    id_ = f"id: {position}\n" if position else ""
    return f"{id_}event: {type_}\ndata: ".encode() + text + b"\n\n"


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
