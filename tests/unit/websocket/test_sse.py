"""How messages look as server-sent events."""

from typing import Any
from uuid import uuid4

import orjson
import pytest

from app.errors import BadRequest
from app.websocket.connection import Connection
from app.websocket.messages import Since
from app.websocket.protocol import encode
from app.websocket.sse import StreamPeer, _parse_position
from tests.support.realtime import FakeClock, FakeTransport, make_event

P = uuid4()


class Wire:
    """Takes what an ASGI server would send."""

    def __init__(self) -> None:
        self.parts: list[dict[str, Any]] = []
        self.is_broken = False

    async def send(self, message: Any) -> None:
        if self.is_broken:
            raise ConnectionResetError
        self.parts.append(message)

    @property
    def text(self) -> str:
        return b"".join(part["body"] for part in self.parts).decode()


async def test_event_is_a_block_with_its_position() -> None:
    """Id, type and the same JSON as on a socket."""
    wire = Wire()
    peer = StreamPeer(wire.send)
    clock = FakeClock()
    peer.connection = Connection(FakeTransport(), clock=clock)
    clock.now += 5
    joined = encode("project_joined", {"epoch": "k3f", "seq": 6, "recovered": True}, project_id=P)
    event = make_event(P, 5)
    for frame in (joined, event.encoded):
        await peer.send(frame)
    assert wire.text == (
        f"event: project_joined\ndata: {joined.decode()}\n\n"
        f"id: k3f:5\nevent: task_created\ndata: {event.encoded.decode()}\n\n"
    )
    assert all(part["more_body"] for part in wire.parts)
    assert peer.connection.heard_at == clock.now
    assert not peer.is_over.is_set()


@pytest.mark.parametrize(("recovered", "has_id"), [(None, True), (False, True), (True, False)])
async def test_position_begun_from_is_told(recovered: bool | None, has_id: bool) -> None:
    """A stream that begins at the head says where, so that one cut off before its first event misses none."""
    wire = Wire()
    await StreamPeer(wire.send).send(encode("project_joined", {"epoch": "e", "seq": 7, "recovered": recovered}))
    assert wire.text.startswith("id: e:7\n") is has_id


async def test_resync_is_a_position_in_the_new_epoch() -> None:
    """Events after a resync are numbered in the log it names."""
    wire = Wire()
    peer = StreamPeer(wire.send)
    await peer.send(encode("resync", {"epoch": "e2", "seq": 3}, project_id=P))
    await peer.send(make_event(P, 4).encoded)
    assert [line for line in wire.text.splitlines() if line.startswith("id:")] == ["id: e2:3", "id: e2:4"]


async def test_signs_of_life_of_the_connection() -> None:
    """A ping becomes a comment, which keeps proxies from closing; a welcome says nothing to who cannot answer."""
    wire = Wire()
    peer = StreamPeer(wire.send)
    for type_ in ("welcome", "pong", "ping"):
        await peer.send(encode(type_))
    assert wire.text == ": still here\n\n"


@pytest.mark.parametrize("type_", ["project_left", "error"])
async def test_last_message_ends_the_stream(type_: str) -> None:
    """When the one project is taken away, or could not be joined, there is nothing more to wait for."""
    peer = StreamPeer(Wire().send)
    await peer.send(encode(type_))
    assert peer.is_over.is_set()


async def test_close_says_why_and_finishes_the_answer() -> None:
    """A peer that has gone is no error."""
    wire = Wire()
    peer = StreamPeer(wire.send)
    await peer.close(4410, "this session has ended")
    assert wire.parts[-1]["more_body"] is False
    data = orjson.loads(wire.text.splitlines()[1].removeprefix("data: "))
    assert data == {"type": "closed", "data": {"code": 4410, "reason": "this session has ended"}}
    wire.is_broken = True
    await peer.close(1000, "")


@pytest.mark.parametrize(
    ("given", "position"),
    [(None, None), ("", None), ("k3f:418", Since(epoch="k3f", seq=418)), ("a:b:0", Since(epoch="a:b", seq=0))],
)
def test_position_is_read(given: str | None, position: Since | None) -> None:
    """What the stream wrote as an id is read again."""
    assert _parse_position(given) == position


@pytest.mark.parametrize("given", ["418", ":418", "k3f:", "k3f:-1", "k3f:x", "k3f:٣", "k3f:" + "9" * 16])
def test_anything_else_is_no_position(given: str) -> None:
    """And says so instead of starting somewhere."""
    with pytest.raises(BadRequest):
        _parse_position(given)
