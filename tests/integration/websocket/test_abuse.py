"""What somebody can do to the server with bytes alone: refused early, bounded in memory, felt by nobody else.

On the quick way in, for that is what `timetodo serve` puts on the Internet; other servers have bounds of their own.
"""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from websockets.frames import Opcode

from app.websocket import framing, listener
from app.websocket import server as protocol
from app.websocket.connection import Connection
from app.websocket.entrance import Entrance
from app.websocket.framing import MAX_FRAGMENTS, MAX_FRAMES
from app.websocket.handlers import Rest
from app.websocket.listener import MAX_HEAD_BYTES, MAX_HEADERS, HttpProtocol, WaitingRoom
from app.websocket.server import SocketProtocol
from tests.integration.websocket.conftest import Serve, Stage, fill, narrow_socket, quick_alone
from tests.integration.websocket.test_slow import buffered
from tests.support.raw import Wire, dial, open_raw, request, shake_hands
from tests.support.realtime import eventually, settle
from tests.support.server import TestServer
from tests.support.sockets import open_socket

pytestmark = quick_alone

HELD_BYTES = 256 * 1024
"""What the protocol lets the server hold for one connection."""


def waiting(server: TestServer) -> WaitingRoom:
    return WaitingRoom.of(server.uvicorn.server_state)


def open_sockets(server: TestServer) -> int:
    return len(server.uvicorn.server_state.connections)


@pytest.fixture
def time_is_up(sqlite_server: TestServer, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let all the time pass that those have who are waited for; the server looks at once."""
    monkeypatch.setattr(listener, "SWEEP_S", 0.01)
    deadlines = waiting(sqlite_server)._deadlines

    def pass_time() -> None:
        deadlines.update(dict.fromkeys(deadlines, 0.0))

    return pass_time


# Heads


async def test_endless_header_is_refused(sqlite_server: TestServer) -> None:
    """431 and closed, once it is larger than a head may be: no more of it is held."""
    wire = await dial(sqlite_server)
    sent = 0
    await wire.write(b"GET / HTTP/1.1\r\nX: ")
    while not wire.reader._buffer and sent < 10 * MAX_HEAD_BYTES:  # type: ignore[attr-defined]
        await wire.write(b"x" * 4096)
        sent += 4096
        await settle()
    assert sent < 2 * MAX_HEAD_BYTES
    assert (await wire.answer()).status == 431
    assert await wire.rest() == b""


@pytest.mark.parametrize("count", [MAX_HEADERS, MAX_HEADERS + 1])
async def test_headers_are_counted(sqlite_server: TestServer, count: int) -> None:
    """A hundred are served, one more is 431; small as they are."""
    wire = await dial(sqlite_server)
    await wire.write(request("/livez", Host="x", **{f"X{number}": "" for number in range(count - 1)}))
    answer = await wire.answer()
    assert (answer.status == 431) is (count > MAX_HEADERS)
    assert answer.status != 400
    wire.hang_up()


async def test_handshake_with_many_headers_gets_an_answer(sqlite_server: TestServer) -> None:
    """It is a request like any other."""
    answer = await shake_hands(sqlite_server, **{f"X{number}": "x" for number in range(200)})
    assert answer.status == 431


async def test_what_is_no_http_is_refused(sqlite_server: TestServer) -> None:
    """400, without a word about our inside."""
    wire = await dial(sqlite_server)
    await wire.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n")
    answer = await wire.answer()
    assert (answer.status, answer.body) == (400, b"this is not a valid HTTP request")
    assert await wire.rest() == b""


async def are_waited_for(server: TestServer, count: int) -> None:
    await eventually(lambda: len(waiting(server)._deadlines) == count)
    await settle()


async def test_head_that_is_never_finished_is_given_up(
    sqlite_server: TestServer, time_is_up: Callable[[], None]
) -> None:
    """408 and closed; somebody who says nothing at all is closed without a word."""
    half, silent = await dial(sqlite_server), await dial(sqlite_server)
    await half.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
    await are_waited_for(sqlite_server, 2)
    time_is_up()
    assert (await half.answer()).status == 408
    assert await half.rest() == await silent.rest() == b""
    await eventually(lambda: open_sockets(sqlite_server) == 0)


async def test_half_sent_handshakes_are_given_up(sqlite_server: TestServer, time_is_up: Callable[[], None]) -> None:
    """All fifty, and nothing waits for them any more."""
    wires = [await dial(sqlite_server) for _ in range(50)]
    for wire in wires:
        await wire.write(request()[:-2])
    await are_waited_for(sqlite_server, 50)
    time_is_up()
    for wire in wires:
        assert (await wire.rest()).startswith(b"HTTP/1.1 408")
    await eventually(lambda: open_sockets(sqlite_server) == 0)
    await eventually(lambda: waiting(sqlite_server)._timer is None)
    assert waiting(sqlite_server)._deadlines == {}


async def test_next_request_on_a_connection_has_its_own_time(
    sqlite_server: TestServer, time_is_up: Callable[[], None]
) -> None:
    """After an answer the connection may rest, but a second head that is begun must be finished."""
    wire = await dial(sqlite_server)
    await wire.write(request("/livez", Host="x"))
    assert (await wire.answer()).status == 200
    await are_waited_for(sqlite_server, 0)
    time_is_up()
    await eventually(lambda: waiting(sqlite_server)._timer is None)
    assert open_sockets(sqlite_server) == 1
    await wire.write(b"GET /livez HTTP/1.1\r\n")
    await are_waited_for(sqlite_server, 1)
    time_is_up()
    assert (await wire.answer()).status == 408
    assert await wire.rest() == b""


async def test_body_that_never_comes_is_given_up(sqlite_server: TestServer, time_is_up: Callable[[], None]) -> None:
    """The connection is closed; a request that is there may take its time."""
    wire = await dial(sqlite_server)
    await wire.write(request("/api/v1/auth/login", "POST", Host="x", **{"Content-Length": "100"}) + b"{")
    await are_waited_for(sqlite_server, 1)
    time_is_up()
    assert await wire.rest() == b""
    await eventually(lambda: open_sockets(sqlite_server) == 0)


async def test_too_many_who_are_not_done_push_out_the_oldest(
    sqlite_server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their number is bounded; whoever came first has had the most time."""
    monkeypatch.setattr(listener, "MAX_UNFINISHED", 3)
    wires: list[Wire] = []
    for number in range(5):
        wires.append(await dial(sqlite_server))
        await wires[-1].write(b"GET /livez HTTP/1.1\r\n")
        await are_waited_for(sqlite_server, min(3, number + 1))
    for wire in wires[:2]:
        assert (await wire.rest()).startswith(b"HTTP/1.1 408")
    for wire in wires[2:]:
        await wire.write(b"Host: x\r\n\r\n")
        assert (await wire.answer()).status == 200
        wire.hang_up()


async def test_refused_connection_takes_nothing_more(sqlite_server: TestServer) -> None:
    """What an event loop still hands over after the end goes nowhere."""
    wire = await dial(sqlite_server)
    await are_waited_for(sqlite_server, 1)
    await wire.write(b"GET /")
    await eventually(lambda: [*map(type, sqlite_server.uvicorn.server_state.connections)] == [HttpProtocol])
    (connection,) = sqlite_server.uvicorn.server_state.connections
    assert isinstance(connection, HttpProtocol)
    connection.refuse(431, b"too large")
    connection.data_received(request("/livez", Host="x"))
    assert (await wire.answer()).status == 431
    assert await wire.rest() == b""


# Handshakes


@pytest.mark.parametrize(
    ("headers", "target", "status"),
    [
        ({"Sec_WebSocket_Version": "12"}, "/api/v1/ws", 426),
        ({"Sec_WebSocket_Version": ""}, "/api/v1/ws", 426),
        ({"Sec_WebSocket_Key": ""}, "/api/v1/ws", 400),
        ({"Sec_WebSocket_Key": "short"}, "/api/v1/ws", 400),
        ({"Sec_WebSocket_Key": "A" * 44}, "/api/v1/ws", 400),
        ({"Sec_WebSocket_Key": "ключ"}, "/api/v1/ws", 400),
        ({}, "/api/v1/other", 404),
        ({}, "/", 404),
        ({}, "/api/v1/ws/", 404),
    ],
)
async def test_handshake_that_is_none(
    sqlite_server: TestServer, headers: dict[str, str], target: str, status: int
) -> None:
    """Refused with a status that says what is wrong, as JSON, and the connection closed."""
    answer = await shake_hands(sqlite_server, target=target, **headers)
    assert answer.status == status
    assert answer.headers["connection"] == "close"
    assert answer.json()["code"] == ("not_found" if status == 404 else "bad_request")
    assert answer.headers.get("sec-websocket-version") == ("13" if status == 426 else None)
    await eventually(lambda: open_sockets(sqlite_server) == 0)


async def test_handshake_by_another_method(sqlite_server: TestServer) -> None:
    """A WebSocket begins with GET."""
    wire = await dial(sqlite_server)
    await wire.write(request(method="POST"))
    assert (await wire.answer()).status == 405
    wire.hang_up()


async def test_another_upgrade_is_answered_as_a_plain_request(sqlite_server: TestServer) -> None:
    """Somebody who offers HTTP/2 gets HTTP/1.1."""
    wire = await dial(sqlite_server)
    await wire.write(request("/livez", Host="x", Connection="Upgrade", Upgrade="h2c"))
    assert (await wire.answer()).status == 200
    wire.hang_up()


# Frames


def header(first: int, second: int, more: bytes = b"") -> bytes:
    return bytes((first, second)) + more


VIOLATIONS = {
    "2^62 bytes declared": (header(0x81, 0xFF, (1 << 62).to_bytes(8)), 1009),
    "64 KiB and one byte declared": (header(0x81, 0xFF, (65_537).to_bytes(8)), 1009),
    "not masked": (header(0x81, 0x02, b"{}"), 1002),
    "a reserved bit": (header(0xC1, 0x80), 1002),
    "a reserved opcode": (header(0x83, 0x80), 1002),
    "a ping in pieces": (header(0x09, 0x80), 1002),
    "a long ping": (header(0x89, 0xFE), 1002),
    "a length with too many bytes": (header(0x81, 0xFE, b"\0\x05"), 1002),
    "a continuation of nothing": (header(0x80, 0x80), 1002),
    "a message in a message": (header(0x01, 0x80, b"\0\0\0\0") + header(0x81, 0x80), 1002),
    "half a close code": (header(0x88, 0x81, b"\0\0\0\0\x03"), 1002),
    "no close code": (header(0x88, 0x82, b"\0\0\0\0\x03\xed"), 1002),
    "a reason that is no text": (header(0x88, 0x83, b"\0\0\0\0\x03\xe8\xff"), 1007),
    "a message that is no text": (header(0x81, 0x82, b"\0\0\0\0\xc3\x28"), 1007),
}


@pytest.mark.parametrize(("stream", "code"), VIOLATIONS.values(), ids=VIOLATIONS.keys())
async def test_violation_ends_it_at_once(sqlite_server: TestServer, stream: bytes, code: int) -> None:
    """With the code that says so, by the header alone where that is enough; then the connection is closed."""
    wire = await open_raw(sqlite_server)
    await wire.write(stream)
    assert await wire.closed() == code
    assert sqlite_server.hub.manager.connections == {}
    await wire.send(Opcode.CLOSE, code.to_bytes(2) if code != 1002 else b"")
    assert await wire.rest() == b""
    await eventually(lambda: open_sockets(sqlite_server) == 0)


async def test_violation_after_a_violation_cuts_it(sqlite_server: TestServer) -> None:
    """Who does not answer our goodbye in the protocol is not told a second time."""
    wire = await open_raw(sqlite_server)
    await wire.write(header(0x83, 0x80))
    assert await wire.closed() == 1002
    await wire.write(header(0x83, 0x80))
    assert await wire.rest() == b""


async def test_empty_pieces_are_counted(sqlite_server: TestServer) -> None:
    """They weigh nothing, and thousands of them would cost."""
    wire = await open_raw(sqlite_server)
    await wire.send(Opcode.TEXT, b"x", is_last=False)
    await wire.send(Opcode.CONT, is_last=False, times=MAX_FRAGMENTS)
    assert await wire.closed() == 1009
    wire.hang_up()


Flood = Callable[[Wire], Coroutine[Any, Any, None]]


async def flood_with_pings(wire: Wire) -> None:
    await wire.send(Opcode.PING, b"x" * 10, times=MAX_FRAMES + 1)


async def flood_with_pongs(wire: Wire) -> None:
    await wire.send(Opcode.PONG, times=MAX_FRAMES + 1)


async def flood_with_messages(wire: Wire) -> None:
    await wire.send(Opcode.BINARY, times=MAX_FRAMES + 1)


@pytest.mark.parametrize("flood", [flood_with_pings, flood_with_pongs, flood_with_messages])
async def test_flood_of_frames_ends_it(stage: Stage, flood: Flood) -> None:
    """4202; others are served all the while."""
    wire = await open_raw(stage.server)
    async with open_socket(stage.server, stage.anna) as victim:
        flooding = asyncio.create_task(flood(wire))
        for _ in range(3):
            assert (await victim.request("ping"))["type"] == "pong"
        assert await wire.closed() in {4202, 4400}
        await flooding
        await stage.anna.task(stage.project)
        await victim.join(stage.project)
    wire.hang_up()


async def test_frames_are_counted_in_a_window(sqlite_server: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sends as many over a longer time is no flood."""
    monkeypatch.setattr(framing, "FRAMES_WINDOW_S", 0.0)
    monkeypatch.setattr(framing, "MAX_FRAMES", 2)
    wire = await open_raw(sqlite_server)
    for number in range(10):
        await wire.send(Opcode.PING, bytes((number,)))
        assert await wire.receive() == (Opcode.PONG, bytes((number,)))
    wire.hang_up()


async def test_pongs_do_not_pile_up(sqlite_server: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who sends pings and never reads makes the server hold no more than the high-water mark."""
    monkeypatch.setattr(framing, "MAX_FRAMES", 1_000_000)
    wire = await open_raw(sqlite_server, sock=await narrow_socket(sqlite_server))
    held: list[int] = []
    for _ in range(40):
        await wire.send(Opcode.PING, b"x" * 125, times=400)
        await settle()
        held += buffered(sqlite_server)
    assert 0 < max(held) <= HELD_BYTES
    wire.hang_up()


async def test_messages_are_not_read_faster_than_they_are_served(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one message is served a few more wait; the rest waits in the network, and none is lost."""
    stage = await serve(ws_burst=10_000, ws_messages_per_s=10_000)
    serving, gate = asyncio.Event(), asyncio.Event()
    serve_at_once, hub = stage.server.hub.handler.serve, stage.server.hub

    def slow(connection: Connection, text: Any) -> Rest:
        async def rest() -> None:
            serving.set()
            await gate.wait()
            assert serve_at_once(connection, text) is None

        return rest

    monkeypatch.setattr(hub.handler, "serve", slow)
    wire = await open_raw(stage.server)
    (socket,) = [one for one in stage.server.uvicorn.server_state.connections if isinstance(one, SocketProtocol)]
    for number in range(protocol.MAX_WAITING_MESSAGES * 3):
        await wire.say("ping", id=number)
        await settle()
    await serving.wait()
    assert socket._inbox is not None
    assert len(socket._inbox) <= protocol.MAX_WAITING_MESSAGES + 1
    gate.set()
    for number in range(protocol.MAX_WAITING_MESSAGES * 3):
        assert (await wire.hear("pong"))["id"] == number
    wire.hang_up()


async def test_goodbye_that_is_not_answered_is_not_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The close frame is there, then the connection is cut."""
    monkeypatch.setattr(protocol, "LINGER_S", 0.05)
    wire = await open_raw(stage.server, query=f"?token={stage.anna.token}")
    await stage.anna.call("POST", "/auth/logout", expect=204)
    assert await wire.closed() == 4410
    assert await wire.rest() == b""
    await eventually(lambda: buffered(stage.server) == [])


async def test_half_open_connection_is_noticed(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer whose machine is gone answers no ping: 4201, and cut."""
    monkeypatch.setattr(protocol, "LINGER_S", 0.05)
    stage = await serve(ws_heartbeat_s=0.05)
    wire = await open_raw(stage.server)
    assert await wire.closed() == 4201
    assert await wire.rest() == b""
    assert stage.server.hub.manager.connections == {}


# Everything at once


async def test_frames_never_interleave(serve: Serve) -> None:
    """A slow reader asks, is pinged, shown events and signs of life: whole frames, in order, whatever comes when."""
    stage = await serve(ws_heartbeat_s=0.5, ws_burst=10_000, ws_messages_per_s=10_000, ws_slow_s=60)
    narrow = await narrow_socket(stage.server)
    wire = await open_raw(stage.server, query=f"?token={stage.anna.token}", sock=narrow)
    await wire.say("join_project", id="join", project_id=stage.project["id"])
    async with open_socket(stage.server, stage.anna) as other:
        await other.join(stage.project)
        writing = asyncio.create_task(fill(stage, 40, size=10_000))
        seqs: list[int] = []
        answers: list[int] = []
        asked = 0
        while len(seqs) < 41 or len(answers) < asked:
            message = await wire.hear("task_created", "task_updated", "pong")
            if "seq" not in message:
                answers.append(message["id"])
                continue
            seqs.append(message["seq"])
            for _ in range(5):
                await wire.send(Opcode.PING, b"x" * 125)
                await wire.say("ping", id=asked)
                await other.send("typing", project_id=stage.project["id"], task_id=stage.project["id"])
                asked += 1
        await writing
    assert seqs == list(range(1, 42))
    assert answers == list(range(asked))
    wire.hang_up()


def alive(*kinds: type) -> list[object]:
    gc.collect()
    return [one for one in gc.get_objects() if isinstance(one, kinds)]


async def test_storm_leaves_nothing(serve: Serve) -> None:
    """Three hundred come, join and go in every way: no task, timer, connection, room or waiting request is left."""
    stage = await serve(ws_heartbeat_s=1)
    server, hub = stage.server, stage.server.hub
    tasks_before = asyncio.all_tasks()
    before = alive(Entrance, SocketProtocol, HttpProtocol, Connection)

    async def come_and_go(number: int) -> None:
        wire = await open_raw(server, query=f"?token={stage.anna.token}" if number % 2 else "")
        await wire.say("join_project", id=1, project_id=stage.project["id"])
        if number % 5 < 3:
            await wire.hear("project_joined", "error")
        match number % 4:
            case 0:
                wire.hang_up()
            case 1:
                await wire.send(Opcode.CLOSE, (1001).to_bytes(2))
                assert await wire.closed() == 1001
                assert await wire.rest() == b""
            case 2:
                await wire.write(header(0x83, 0x80))
                wire.writer.close()
            case _:
                wire.writer.write_eof()
                await wire.rest()
        wire.hang_up()

    for start in range(0, 300, 50):
        await asyncio.gather(*(come_and_go(number) for number in range(start, start + 50)))
        await stage.anna.task(stage.project)
    await stage.anna.http.aclose()
    await eventually(lambda: open_sockets(server) == 0)
    await eventually(lambda: hub.presence._own == {})
    await eventually(lambda: waiting(server)._timer is None)
    await eventually(lambda: not hub._signals)
    assert hub.manager.total_connections == 300
    assert (hub.manager.connections, hub.manager.rooms, hub.handler._conduct) == ({}, {}, {})
    assert waiting(server)._deadlines == {}
    await eventually(lambda: asyncio.all_tasks() <= tasks_before)
    known = set(map(id, before))
    await eventually(  # the heartbeat's wheel lets go as it turns
        lambda: not [one for one in alive(Entrance, SocketProtocol, HttpProtocol, Connection) if id(one) not in known]
    )
