"""Joining, replay, and what happens when replay is impossible: over the wire, from the real log."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from app.models import Project
from app.services import retention
from tests.integration.websocket.conftest import Serve, Stage
from tests.support.people import Json, Person
from tests.support.server import TestServer
from tests.support.sockets import open_socket


async def events(person: Person, project: Json) -> list[Json]:
    """Read the whole log over REST."""
    page: Json = await person.get(f"/projects/{project['id']}/events?limit=1000")
    items: list[Json] = page["items"]
    return items


async def test_fresh_join(server: TestServer, anna: Person, project: Json) -> None:
    """Without a position: where the log stands, one's role, who is there; then what happens from now on."""
    await anna.task(project, "before")
    async with open_socket(server, anna) as socket:
        data = await socket.join(project)
        board = await anna.board(project)
        assert data == {
            "epoch": board["epoch"],
            "seq": board["seq"],
            "recovered": None,
            "reason": "fresh",
            "replay": 0,
            "role": "owner",
            "online": [{"user_id": anna.id, "name": "Anna", "devices": 1, "viewing": None}],
            "anonymous": 0,
        }
        await anna.task(project, "after")
        (event,) = await socket.receive_events(1)
        assert (event["seq"], event["data"]["title"]) == (board["seq"] + 1, "after")


async def test_resumed_join_replays_exactly_what_was_missed(server: TestServer, anna: Person, project: Json) -> None:
    """The replay is the log itself, in order, and live events follow without a gap."""
    tasks = [await anna.task(project, f"task {number}") for number in range(3)]
    epoch = (await anna.board(project))["epoch"]
    await anna.call("PATCH", f"/tasks/{tasks[0]['id']}", expect=200, json={"title": "Новое имя"})
    await anna.comment(tasks[1])
    async with open_socket(server, anna) as socket:
        data = await socket.join(project, since={"epoch": epoch, "seq": 1})
        assert (data["recovered"], data["replay"]) == (True, 4)
        assert "reason" not in data
        await anna.call("DELETE", f"/tasks/{tasks[2]['id']}", expect=204)
        assert await socket.receive_events(5) == (await events(anna, project))[1:]


async def test_up_to_date_join_replays_nothing(server: TestServer, anna: Person, project: Json) -> None:
    """A client that missed nothing is told so."""
    await anna.task(project)
    board = await anna.board(project)
    async with open_socket(server, anna) as socket:
        data = await socket.join(project, since={"epoch": board["epoch"], "seq": board["seq"]})
        assert (data["recovered"], data["replay"]) == (True, 0)


@pytest.mark.parametrize(
    ("reason", "since"),
    [
        ("epoch_changed", {"epoch": "other", "seq": 9}),
        ("position_ahead", {"seq": 10}),
        ("expired", {"seq": 0}),
        ("too_far", {"seq": 2}),
    ],
)
async def test_replay_is_never_partial(serve: Serve, reason: str, since: Json) -> None:
    """When not everything can be given nothing is: the reason, then live events alone."""
    stage = await serve(replay_max_events=5, log_keep_events=7)
    for number in range(9):
        await stage.anna.task(stage.project, f"task {number}")
    await retention.sweep(stage.server.database, stage.server.settings)
    epoch = (await stage.anna.board(stage.project))["epoch"]
    async with open_socket(stage.server, stage.anna) as socket:
        data = await socket.join(stage.project, since={"epoch": epoch} | since)
        assert (data["recovered"], data["reason"], data["replay"], data["seq"]) == (False, reason, 0, 9)
        await stage.anna.task(stage.project, "live")
        (event,) = await socket.receive_events(1)
        assert event["seq"] == 10


async def test_longest_replay(serve: Serve) -> None:
    """Exactly as many events as a replay may have are replayed, through a tail smaller than that."""
    stage = await serve(replay_max_events=30, room_tail_events=4)
    for number in range(30):
        await stage.anna.task(stage.project, f"task {number}")
    epoch = (await stage.anna.board(stage.project))["epoch"]
    async with open_socket(stage.server, stage.anna) as one, open_socket(stage.server, stage.anna) as two:
        for socket in (one, two):
            await socket.join(stage.project, since={"epoch": epoch, "seq": 0})
        for socket in (one, two):
            assert [event["seq"] for event in await socket.receive_events(30)] == list(range(1, 31))


async def test_events_written_during_a_replay_follow_it(stage: Stage) -> None:
    """Several resume while others write: everybody gets every event once, in order."""
    for number in range(20):
        await stage.anna.task(stage.project, f"task {number}")
    epoch = (await stage.anna.board(stage.project))["epoch"]

    async def follow(since: int) -> list[int]:
        async with open_socket(stage.server, stage.anna) as socket:
            await socket.join(stage.project, since={"epoch": epoch, "seq": since})
            return [event["seq"] for event in await socket.receive_events(40 - since)]

    followers = [asyncio.create_task(follow(since)) for since in range(0, 20, 2)]
    await asyncio.gather(*(stage.anna.task(stage.project, f"more {number}") for number in range(20)))
    for since, follower in zip(range(0, 20, 2), followers, strict=True):
        assert await follower == list(range(since + 1, 41))


async def test_snapshot_and_join_leave_no_window(stage: Stage) -> None:
    """Join, read the board, apply what came after its seq: whatever is written meanwhile, nothing is missed."""
    writing = asyncio.gather(*(stage.anna.task(stage.project, f"task {number}") for number in range(30)))
    async with open_socket(stage.server, stage.anna) as socket:
        joined = await socket.join(stage.project)
        board = await stage.anna.board(stage.project)
        await writing
        assert board["seq"] >= joined["seq"]
        live = [event["seq"] for event in await socket.receive_events(30 - joined["seq"])]
    assert live == list(range(joined["seq"] + 1, 31))
    assert len(board["tasks"]) == board["seq"]


async def test_leave(stage: Stage) -> None:
    """After leaving nothing of the project comes; the socket goes on with others."""
    other = await stage.anna.project("Other")
    async with open_socket(stage.server, stage.anna) as socket:
        await socket.join(stage.project)
        await socket.join(other)
        answer = await socket.request("leave_project", project_id=stage.project["id"])
        assert (answer["type"], answer["data"]) == ("project_left", {"reason": "left"})
        await stage.anna.task(stage.project)
        await stage.anna.task(other)
        (event,) = await socket.receive_events(1)
        assert event["project_id"] == other["id"]


async def test_authors_own_socket_hears_of_the_change(stage: Stage) -> None:
    """With the key of the call that caused it: that settles an optimistic change, or a lost answer."""
    async with open_socket(stage.server, stage.anna) as socket:
        await socket.join(stage.project)
        body = {"project_id": stage.project["id"], "title": "x"}
        for _ in range(2):
            await stage.anna.call("POST", "/tasks", expect=201, json=body, headers={"Idempotency-Key": "key-1"})
        await stage.anna.task(stage.project, "y")
        first, second = await socket.receive_events(2)
        assert (first["op_id"], first["user_id"], first["seq"]) == ("key-1", stage.anna.id, 1)
        assert (second["op_id"], second["data"]["title"]) == (None, "y")


async def test_restored_database_is_another_log(stage: Stage) -> None:
    """Viewers of a log that was replaced resynchronise, and go on live in it."""
    await stage.anna.task(stage.project)
    async with open_socket(stage.server, stage.anna) as socket:
        await socket.join(stage.project)
        await replace_log(stage, "restored")
        resync = await socket.receive_type("resync")
        assert resync["data"] == {"epoch": "restored", "seq": 1}
        await stage.anna.task(stage.project)
        (event,) = await socket.receive_events(1)
        assert event["seq"] == 2


async def replace_log(stage: Stage, epoch: str) -> None:
    async with stage.server.database.write() as uow:
        await uow.execute(update(Project).values(epoch=epoch))


async def test_lost_publications_are_found_in_the_log(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a broker that delivers nothing everybody still gets everything, a moment later."""
    stage = await serve(relay_check_s=0.05)

    async def lose(*_: Any) -> None:
        pass

    monkeypatch.setattr(stage.server.context.broker, "publish", lose)
    async with open_socket(stage.server, stage.anna) as one, open_socket(stage.server, stage.anna) as two:
        for socket in (one, two):
            await socket.join(stage.project)
        for number in range(5):
            await stage.anna.task(stage.project, f"task {number}")
        for socket in (one, two):
            assert [event["seq"] for event in await socket.receive_events(5)] == [1, 2, 3, 4, 5]


async def test_many_rooms_on_one_socket(stage: Stage) -> None:
    """Each project is a log of its own; their order among each other is free, within each it is not."""
    projects = [await stage.anna.project(f"Project {number}") for number in range(5)]
    async with open_socket(stage.server, stage.anna) as socket:
        for project in projects:
            await socket.join(project)
        await asyncio.gather(*(stage.anna.task(project, f"{n}") for n in range(5) for project in projects))
        received = await socket.receive_events(25)
    for project in projects:
        assert [event["seq"] for event in received if event["project_id"] == project["id"]] == [1, 2, 3, 4, 5]


async def test_binary_frames_are_read_too(stage: Stage) -> None:
    """A client that sends its JSON as binary is understood; answers are text."""
    async with open_socket(stage.server, stage.anna) as socket:
        await socket.connection.send(b'{"type":"ping","id":1}')
        raw = await socket.connection.recv()
        assert isinstance(raw, str)
        assert '"pong"' in raw
