"""The realtime side as a whole: it starts, drains and stops."""

import asyncio
import random
from typing import Any
from uuid import UUID

import pytest
import structlog

from app.broker.base import Signal, SignalType
from app.broker.memory import MemoryBroker
from app.websocket.protocol import CloseCode
from tests.support.realtime import Bench, eventually, make_user, settle

ANNA, BORIS = make_user("Anna"), make_user("Boris")


async def let_go_when_closing(bench: Bench) -> None:
    """Do as the transports do: a connection that closes is let go."""
    for peer in bench.peers:
        await eventually(lambda peer=peer: peer.transport.closed is not None)  # type: ignore[misc]
        bench.hub.handler.disconnect(peer.connection)


async def test_drain_asks_everybody_to_come_back_spread_over_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is told a moment of its own within the drain time, then closed with "restart"; it returns when all went."""
    asked: list[tuple[int, int]] = []

    def count(low: int, high: int) -> int:
        asked.append((low, high))
        return len(asked)

    monkeypatch.setattr(random, "randint", count)
    async with Bench(drain_s=60) as bench:
        peers = [await bench.connect(ANNA), await bench.connect(), await bench.connect(BORIS)]
        leaving = asyncio.create_task(let_go_when_closing(bench))
        async with asyncio.timeout(5):
            await bench.hub.drain()
            await leaving
        await settle()
        assert bench.hub.is_draining
        assert asked == [(0, 60_000)] * 3
        assert [peer.sent[-1] for peer in peers] == [
            {"type": "reconnect", "data": {"after_ms": number}} for number in (1, 2, 3)
        ]
        assert {peer.transport.closed for peer in peers} == {(CloseCode.RESTART, "the server restarts")}


async def test_drain_does_not_wait_for_ever() -> None:
    """A peer that takes nothing holds up the restart no longer than the drain time."""
    async with Bench(drain_s=0.02) as bench:
        peer = await bench.connect(ANNA)
        peer.transport.block()
        async with asyncio.timeout(5):
            await bench.hub.drain()
        assert len(bench.hub.manager.connections) == 1


async def test_signals_go_out_under_this_servers_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Presence and activity are told to other servers with where they come from."""
    monkeypatch.setattr(MemoryBroker, "reaches_others", True)
    async with Bench() as bench:
        heard: list[Signal] = []
        await bench.broker.start(lambda _: None, heard.append)
        project_id, task_id = bench.directory.project(ANNA), UUID(int=1)
        anna = await bench.connect(ANNA)
        await anna.join(project_id)
        await anna.say("typing", project_id=project_id, task_id=task_id)
        assert {signal.origin for signal in heard} == {"one"}
        activity = heard[-1]
        assert (activity.type, activity.id) == (SignalType.ACTIVITY, project_id)
        assert activity.data == {
            "type": "typing",
            "user_id": str(ANNA.id),
            "data": {"task_id": str(task_id), "field": "comment", "name": "Anna"},
        }


async def test_broker_that_is_down_costs_a_line_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signals that cannot be sent are let go; this server serves on."""

    async def refuse(_: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(MemoryBroker, "reaches_others", True)
    async with Bench() as bench:
        monkeypatch.setattr(bench.broker, "signal", refuse)
        with structlog.testing.capture_logs() as logs:
            anna = await bench.connect(ANNA)
        assert {entry["event"] for entry in logs} == {"signal_failed"}
        assert anna.sent[0]["type"] == "welcome"


async def test_server_on_its_own_tells_nobody() -> None:
    """Where nobody else can hear, nothing is said."""
    async with Bench() as bench:
        heard: list[Signal] = []
        await bench.broker.start(lambda _: None, heard.append)
        await bench.connect(ANNA)
        assert heard == []


async def test_stop_leaves_no_task() -> None:
    """After a stop nothing of the realtime side runs on."""
    before = asyncio.all_tasks()
    async with Bench(presence_grace_s=3600) as bench:
        project_id = bench.directory.project(ANNA)
        anna = await bench.connect(ANNA)
        await anna.join(project_id)
    await settle()
    assert asyncio.all_tasks() == before


async def test_stop_without_a_start_is_harmless() -> None:
    """A server that failed to start can still be put away."""
    bench = Bench()
    await bench.hub.stop()


async def test_rooms_get_the_configured_tail() -> None:
    """What is configured to be kept in memory is what costs no reading of the log."""
    async with Bench(room_tail_events=2) as bench:
        project_id = bench.directory.project(ANNA)
        anna = await bench.connect(ANNA)
        await anna.join(project_id)
        for _ in range(4):
            await bench.publish(project_id)
        bench.log.readings.clear()
        for seq, readings in ((2, 0), (1, 1)):
            await anna.join(project_id, {"epoch": "epoch1", "seq": seq})
            assert len(bench.log.readings) == readings
