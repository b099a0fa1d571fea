"""The numbers of all servers together: added up, forgotten with their servers, unknown while nobody is heard."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app.broker.base import Signal, SignalType
from app.broker.memory import MemoryBroker
from app.websocket import cluster as cluster_module
from app.websocket.cluster import SETTLE_TURNS, SILENT_TURNS, TELL_S, ClusterStats
from tests.support.realtime import Bench, FakeClock, eventually, make_user

OWN = {"active_connections": 2, "messages_sent": 10, "uptime_s": 7.5}
OTHER = {"active_connections": 3, "messages_sent": 5, "uptime_s": 100.0}


class Ear:
    """A server that hears what a test lets it hear."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.own: dict[str, Any] = dict(OWN)
        self.stats = ClusterStats("own", lambda: dict(self.own), lambda _: None, clock=self.clock)

    def hear(self, *origins: str, turns: int = 1) -> None:
        """Pass some turns in which these servers are heard."""
        for _ in range(turns):
            for origin in origins:
                self.stats.on_signal(origin, OWN if origin == "own" else OTHER)
            self.clock.now += TELL_S


def test_added_up_over_all_servers() -> None:
    """Every number but the time; this server's own are those of the moment."""
    ear = Ear()
    ear.hear("own", "two", "three", turns=SETTLE_TURNS)
    assert ear.stats.total() == {"servers": 3, "active_connections": 8, "messages_sent": 20}
    ear.own["active_connections"] = 100
    assert ear.stats.total() == {"servers": 3, "active_connections": 106, "messages_sent": 20}


def test_server_of_another_version_counts_with_what_it_tells() -> None:
    """A number that only one of two servers knows is no obstacle."""
    ear = Ear()
    ear.hear("own", turns=SETTLE_TURNS)
    ear.stats.on_signal("old", {"active_connections": 1, "forgotten": 1})
    assert ear.stats.total() == {"servers": 2, "active_connections": 3, "messages_sent": 10}


def test_silent_server_goes_with_its_numbers() -> None:
    """Not at once, but within half a minute."""
    ear = Ear()
    ear.hear("own", "two", turns=SETTLE_TURNS)
    ear.hear("own", turns=SILENT_TURNS - 1)
    assert (ear.stats.total() or {})["servers"] == 2
    ear.hear("own", turns=2)
    assert ear.stats.total() == {"servers": 1, "active_connections": 2, "messages_sent": 10}
    assert (SILENT_TURNS + 1) * TELL_S < 30


def test_unknown_while_the_broker_is_silent_and_until_all_have_spoken_again() -> None:
    """Never a sum that lacks servers only because they cannot be heard."""
    ear = Ear()
    assert ear.stats.total() is None
    ear.hear("two", turns=SETTLE_TURNS)
    assert ear.stats.total() is None
    ear.hear("own", "two")
    assert ear.stats.total() is None
    ear.hear("own", "two")
    assert ear.stats.total() is not None
    ear.hear(turns=SILENT_TURNS)
    assert ear.stats.total() is None
    ear.hear("own", turns=SETTLE_TURNS - 1)
    assert ear.stats.total() is None
    ear.hear("own", "two")
    assert (ear.stats.total() or {})["servers"] == 2


async def test_server_alone_is_the_cluster() -> None:
    """Where there are no others, the numbers are its own, at once, and nobody is told."""
    async with Bench() as bench:
        heard: list[Signal] = []
        await bench.broker.start(lambda _: None, heard.append)
        await bench.connect(make_user())
        own = bench.hub.manager.get_stats()
        del own["uptime_s"]
        assert bench.hub.cluster.total() == {"servers": 1} | own
        assert heard == []


async def test_told_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the start on, with the numbers of the moment; not after the stop."""
    monkeypatch.setattr(MemoryBroker, "reaches_others", True)
    monkeypatch.setattr(cluster_module, "TELL_S", 0.001)
    heard: list[Signal] = []

    def told(active: int) -> Callable[[], bool]:
        return lambda: any(
            signal.type is SignalType.STATS and signal.data["active_connections"] == active for signal in heard
        )

    async with Bench() as bench:
        await bench.broker.start(lambda _: None, heard.append)
        await eventually(told(0))
        await bench.connect(make_user())
        await eventually(told(1))
    assert "cluster-stats" not in {task.get_name() for task in asyncio.all_tasks()}
