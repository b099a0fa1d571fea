"""Peers that do not read, and peers that vanish: memory is bounded, nobody else notices, and nothing is kept."""

import asyncio
import gc
from contextlib import AsyncExitStack
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from app.websocket.server import SocketProtocol
from tests.integration.websocket.conftest import Serve, Stage, fill, narrow_socket
from tests.support.people import Person
from tests.support.realtime import eventually
from tests.support.server import TestServer
from tests.support.sockets import Socket, open_socket

HIGH_WATER_BYTES = 128 * 1024
"""What the protocol lets the server hold for one connection."""


def buffered(server: TestServer) -> list[int]:
    """Return how much waits to be written to each open WebSocket."""
    connections: set[Any] = server.uvicorn.server_state.connections
    quick = [connection.backlog_bytes for connection in connections if isinstance(connection, SocketProtocol)]
    portable = [
        connection.transport.get_write_buffer_size()
        for connection in connections
        if isinstance(connection, WebSocketsSansIOProtocol)
    ]
    return quick + portable


async def joined(stage: Stage, person: Person, socket: Socket, since: int | None = None) -> None:
    epoch = (await person.board(stage.project))["epoch"]
    await socket.join(stage.project, since={"epoch": epoch, "seq": since} if since is not None else None)


async def test_slow_consumer_is_bounded_and_catches_up(serve: Serve) -> None:
    """While one client does not read, the other gets everything; the slow one gets the rest whole when it reads on."""
    stage = await serve()
    async with (
        open_socket(stage.server, stage.anna, sock=await narrow_socket(stage.server), max_queue=1) as slow,
        open_socket(stage.server, stage.anna) as quick,
    ):
        for socket in (slow, quick):
            await joined(stage, stage.anna, socket)
        await fill(stage, 60)
        assert [event["seq"] for event in await quick.receive_events(61)] == list(range(1, 62))
        assert 0 < max(buffered(stage.server)) <= HIGH_WATER_BYTES
        (connection,) = [c for c in stage.server.hub.manager.connections.values() if c.stuck_since is not None]
        assert not [frame for frame in connection._queue if b'"seq"' in frame]
        assert [event["seq"] for event in await slow.receive_events(61)] == list(range(1, 62))


async def test_slow_consumer_too_far_behind_resynchronises(serve: Serve) -> None:
    """Who slept too long gets a contiguous beginning, then one resync in place of the rest, then live events."""
    stage = await serve(replay_max_events=20)
    async with open_socket(stage.server, stage.anna, sock=await narrow_socket(stage.server), max_queue=1) as slow:
        await joined(stage, stage.anna, slow)
        task = await fill(stage, 60)
        messages = [await slow.receive()]
        while messages[-1]["type"] != "resync":
            messages.append(await slow.receive())
        seqs = [message["seq"] for message in messages if "seq" in message]
        assert seqs == list(range(1, len(seqs) + 1))
        assert len(seqs) < 61
        assert messages[-1]["data"]["seq"] == 61
        await stage.anna.comment(task)
        (event,) = await slow.receive_events(1)
        assert event["seq"] == 62


async def test_consumer_that_never_reads_is_cut(serve: Serve) -> None:
    """No progress for the limit: let go, with everything held for it but what the kernel has."""
    stage = await serve(ws_slow_s=0.2)
    manager = stage.server.hub.manager
    async with open_socket(stage.server, stage.anna, sock=await narrow_socket(stage.server), max_queue=1) as slow:
        await joined(stage, stage.anna, slow)
        await fill(stage, 30)
        await eventually(lambda: manager.connections == {})
        assert manager.rooms == {}
        slow.connection.transport.abort()


async def test_who_asks_without_reading_is_cut(serve: Serve) -> None:
    """Answers do not pile up for somebody who does not take them."""
    stage = await serve(ws_burst=100_000, ws_messages_per_s=100_000)
    manager = stage.server.hub.manager
    id_ = "x" * 100
    async with open_socket(stage.server, stage.anna, sock=await narrow_socket(stage.server), max_queue=1) as socket:
        message = f'{{"type":"ping","id":"{id_}"}}'
        for _ in range(30):
            for _ in range(100):
                await socket.connection.send(message)
            await asyncio.sleep(0)
            if not manager.connections:
                break
        await eventually(lambda: manager.connections == {})
        socket.connection.transport.abort()


async def test_slow_peers_delay_no_other(serve: Serve) -> None:
    """Many who do not read, one who does: that one gets each event at once."""
    stage = await serve()
    async with AsyncExitStack() as stack:
        for _ in range(10):
            narrow = await narrow_socket(stage.server)
            dialled = open_socket(stage.server, stage.anna, sock=narrow, max_queue=1)
            slow = await stack.enter_async_context(dialled)
            stack.callback(slow.connection.transport.abort)
            await joined(stage, stage.anna, slow)
        quick = await stack.enter_async_context(open_socket(stage.server, stage.anna))
        await joined(stage, stage.anna, quick)
        await fill(stage, 20)
        await quick.receive_events(21)
        async with asyncio.timeout(1):
            await stage.anna.task(stage.project)
            await quick.receive_events(1)
        assert 0 < max(buffered(stage.server)) <= HIGH_WATER_BYTES


async def test_peer_that_vanishes_without_a_close_is_let_go(stage: Stage) -> None:
    """A connection that breaks is noticed and cleaned up."""
    manager = stage.server.hub.manager
    async with open_socket(stage.server, stage.anna) as socket:
        await joined(stage, stage.anna, socket)
        socket.connection.transport.abort()
        await eventually(lambda: manager.connections == {})
    assert manager.rooms == {}


async def test_two_hundred_connections_leave_nothing(stage: Stage) -> None:
    """After comings and goings of every kind: no task, no connection, no room, no user, no bucket is left."""
    hub, server = stage.server.hub, stage.server.uvicorn
    tasks_before = len(asyncio.all_tasks())

    async def come_and_go(number: int) -> None:
        person = (stage.anna, None)[number % 2]
        async with open_socket(stage.server, person) as socket:
            if person is not None:
                await socket.join(stage.project)
            if number % 3 == 0:
                socket.connection.transport.abort()
            elif number % 3 == 1:
                await socket.connection.send("{")

    for start in range(0, 200, 20):
        await asyncio.gather(*(come_and_go(number) for number in range(start, start + 20)))
    await eventually(lambda: hub.manager.connections == {})
    await eventually(lambda: hub.presence._own == {})
    await eventually(lambda: not server.server_state.tasks)
    assert hub.manager.rooms == {}
    assert hub.manager.total_connections == 200
    assert hub.manager.get_stats()["authenticated_users"] == 0
    assert hub.handler._conduct == {}
    assert hub._relay._repairs == {}
    await eventually(lambda: not hub._signals)
    gc.collect()
    await eventually(lambda: len(asyncio.all_tasks()) <= tasks_before)
