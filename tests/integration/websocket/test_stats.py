"""The numbers of the sockets, as anybody and as administrators see them."""

from tests.integration.websocket.conftest import Stage
from tests.support.people import Json
from tests.support.realtime import eventually
from tests.support.sockets import open_socket


async def read(stage: Stage) -> Json:
    async with stage.server.client() as client:
        answer = await client.get("/ws/stats")
    assert answer.status_code == 200
    stats: Json = answer.json()
    return stats


async def test_numbers(stage: Stage) -> None:
    """They count what happened: connections, people, rooms, messages, events, replays."""
    public = await stage.anna.project("Open", visibility="public")
    await stage.anna.task(public, "before")
    epoch = (await stage.anna.board(public))["epoch"]
    async with (
        open_socket(stage.server, stage.anna) as one,
        open_socket(stage.server, stage.anna) as two,
        open_socket(stage.server) as nobody,
    ):
        await one.join(public)
        await two.join(stage.project)
        await nobody.join(public, since={"epoch": epoch, "seq": 0})
        await nobody.receive_events(1)
        await stage.anna.task(public, "live")
        for socket in (one, nobody):
            await socket.receive_events(1)
        stats = await read(stage)
        assert stats.pop("uptime_s") > 0
        assert stats.pop("cluster") == {"servers": 1} | stats
        assert stats.pop("messages_sent") >= 9
        assert stats == {
            "active_connections": 3,
            "authenticated_users": 1,
            "anonymous_connections": 1,
            "active_rooms": 2,
            "total_connections": 3,
            "messages_received": 3,
            "events_delivered": 3,
            "replays": 1,
        }
    await eventually(lambda: not stage.server.hub.manager.connections)
    after = await read(stage)
    assert (after["active_connections"], after["active_rooms"], after["total_connections"]) == (0, 0, 3)
    assert after["events_delivered"] == 3


async def test_details_are_for_administrators(stage: Stage) -> None:
    """Ids of rooms and users are shown to them alone."""
    async with open_socket(stage.server, stage.boris) as socket:
        project = await stage.boris.project("Private")
        await socket.join(project)
        details = await stage.anna.get("/ws/stats")
        assert details["rooms"] == {project["id"]: 1}
        assert details["users"] == {stage.boris.id: 1}
        for stats in (await read(stage), await stage.boris.get("/ws/stats")):
            assert "rooms" not in stats
            assert "users" not in stats
            assert project["id"] not in str(stats)


async def test_same_numbers_for_prometheus(stage: Stage) -> None:
    """`/metrics` tells the same."""
    async with open_socket(stage.server, stage.anna), stage.server.client() as client:
        answer = await client.get(f"{stage.server.url}/metrics")
    lines = [line for line in answer.text.splitlines() if "active_connections" in line and not line.startswith("#")]
    assert [line.rpartition(" ")[2] for line in lines] == ["1.0"]
