"""One's own stream: what is told of one's inbox, live and after an absence, once, in order, and to nobody else."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from app.config import Settings
from app.errors import NotFound
from app.models import User
from app.services.history import LogHead
from tests.integration.websocket.conftest import Serve, Stage, quick_alone
from tests.support.people import Json, Person, register
from tests.support.ports import free_port
from tests.support.server import TestServer, run_server
from tests.support.sockets import Socket, open_socket


async def join_user(socket: Socket, since: Json | None = None) -> Json:
    """Join one's own stream; return the data of the answer."""
    answer = await socket.request("join_user", **({"since": since} if since else {}))
    assert answer["type"] == "user_joined", answer
    data: Json = answer["data"]
    return data


def position(data: Json) -> Json:
    """Return where an answer says that the stream stands."""
    return {"epoch": data["epoch"], "seq": data["seq"]}


async def notices(socket: Socket, count: int) -> list[tuple[int, str, int]]:
    """Take the next notices: number, what happened, how much is unread."""
    found = await socket.receive_events(count)
    assert {notice["type"] for notice in found} == {"notification"}
    return [(notice["seq"], notice["data"]["action"], notice["data"]["unread"]) for notice in found]


async def head_of(server: TestServer, person: Person) -> Json:
    """Return where somebody's stream stands."""
    async with open_socket(server, person) as socket:
        return position(await join_user(socket))


@pytest.fixture
async def shared(anna: Person, boris: Person, project: Json) -> Json:
    """A project of Anna's in which Boris is an editor."""
    await anna.add(project, boris)
    return project


async def test_notice_comes_live_to_every_device_and_to_nobody_else(
    server: TestServer, anna: Person, boris: Person, shared: Json
) -> None:
    """Two devices of the reader get the whole row as the inbox shows it; the author's own stream is silent."""
    async with (
        open_socket(server, boris) as phone,
        open_socket(server, boris) as desk,
        open_socket(server, anna) as author,
    ):
        joined = await join_user(phone)
        assert joined == {"epoch": "1", "seq": 1, "recovered": None, "reason": "fresh", "replay": 0, "unread": 1}
        await join_user(desk)
        await join_user(author)
        await anna.task(shared, "Write", assignee_ids=[boris.id])
        (seen,), (same,) = await phone.receive_events(1), await desk.receive_events(1)
        (row, _) = (await boris.get("/notifications"))["items"]
        assert seen == same
        assert (seen["type"], seen["user_id"], seen["seq"]) == ("notification", boris.id, 2)
        assert seen["data"] == {"action": "added", "notification": row, "project_id": None, "unread": 2}
        await author.send("ping")
        assert (await author.receive())["type"] == "pong"


async def test_reading_on_one_device_is_told_to_the_other(
    server: TestServer, anna: Person, boris: Person, shared: Json
) -> None:
    """One row, then all: the count goes down on the device that did nothing."""
    await anna.task(shared, "Write", assignee_ids=[boris.id])
    async with open_socket(server, boris) as desk:
        await join_user(desk)
        (row, _) = (await boris.get("/notifications"))["items"]
        await boris.call("PATCH", f"/notifications/{row['id']}", expect=200, json={"read": True})
        await boris.call("POST", "/notifications/read_all", expect=200, json={})
        assert await notices(desk, 2) == [(3, "updated", 1), (4, "read_all", 0)]


async def test_absent_reader_gets_what_was_missed(
    server: TestServer, anna: Person, boris: Person, shared: Json
) -> None:
    """A resumed stream replays the notices since then, each once, and goes on live."""
    was = await head_of(server, boris)
    for number in range(3):
        await anna.task(shared, f"task {number}", assignee_ids=[boris.id])
    async with open_socket(server, boris) as socket:
        joined = await join_user(socket, since=was)
        assert (joined["recovered"], joined["replay"], joined["unread"]) == (True, 3, 4)
        await anna.task(shared, "one more", assignee_ids=[boris.id])
        found = await socket.receive_events(4)
        assert [notice["seq"] for notice in found] == [2, 3, 4, 5]
        titles = [notice["data"]["notification"]["task_title"] for notice in found]
        assert titles == ["task 0", "task 1", "task 2", "one more"]


async def test_replay_shows_nothing_of_a_project_that_was_left(
    server: TestServer, anna: Person, boris: Person, shared: Json
) -> None:
    """What may not be seen any more is not sent any more, not even from the log."""
    was = await head_of(server, boris)
    await anna.task(shared, "secret plan", assignee_ids=[boris.id])
    await anna.call("DELETE", f"/projects/{shared['id']}/members/{boris.id}", expect=204)
    async with open_socket(server, boris) as socket:
        joined = await join_user(socket, since=was)
        found = await socket.receive_events(joined["replay"])
    assert "secret plan" not in str(found)
    assert found[-1]["data"]["notification"]["kind"] == "project_removed"


async def test_card_that_goes_and_comes_back_changes_the_count(
    server: TestServer, anna: Person, boris: Person, shared: Json
) -> None:
    """Into the trash and out of it; whoever has no row about it hears nothing, and a replay shows nothing of it."""
    was = await head_of(server, boris)
    task = await anna.task(shared, "secret plan", assignee_ids=[boris.id])
    async with open_socket(server, boris) as socket, open_socket(server, anna) as other:
        await join_user(other)
        assert (await join_user(socket))["unread"] == 2
        await anna.call("DELETE", f"/tasks/{task['id']}", expect=204)
        assert await notices(socket, 1) == [(3, "changed", 1)]
        async with open_socket(server, boris) as back:
            assert (await join_user(back, since=was))["replay"] == 2
            missed = await back.receive_events(2)
        assert [notice["data"]["notification"] for notice in missed] == [None, None]
        await anna.call("POST", f"/tasks/{task['id']}/restore", expect=200)
        assert await notices(socket, 1) == [(4, "changed", 2)]
        await other.send("ping")
        assert (await other.receive())["type"] == "pong"
    assert (await boris.get("/notifications"))["unread"] == 2


async def test_project_that_goes_and_comes_back_changes_the_count(
    server: TestServer, anna: Person, boris: Person, shared: Json
) -> None:
    """Deleted and taken back; a member who is removed is told to forget it, and then that they were removed."""
    await anna.task(shared, assignee_ids=[boris.id])
    async with open_socket(server, boris) as socket:
        assert (await join_user(socket))["unread"] == 2
        await anna.call("DELETE", f"/projects/{shared['id']}", expect=204)
        assert await notices(socket, 1) == [(3, "changed", 0)]
        await anna.call("POST", f"/projects/{shared['id']}/restore", expect=200)
        assert await notices(socket, 1) == [(4, "changed", 2)]
        await anna.call("DELETE", f"/projects/{shared['id']}/members/{boris.id}", expect=204)
        assert await notices(socket, 2) == [(5, "forgotten", 0), (6, "added", 1)]


@pytest.mark.parametrize(
    ("reason", "since"),
    [("epoch_changed", {"epoch": "other", "seq": 3}), ("position_ahead", {"seq": 99}), ("too_far", {"seq": 0})],
)
async def test_replay_that_cannot_be_is_refused(serve: Serve, reason: str, since: Json) -> None:
    """The reason is said as for a project, and reading goes on from the head."""
    stage = await serve(replay_max_events=3)
    await stage.anna.add(stage.project, stage.boris)
    for number in range(5):
        await stage.anna.task(stage.project, f"task {number}", assignee_ids=[stage.boris.id])
    async with open_socket(stage.server, stage.boris) as socket:
        joined = await join_user(socket, since={"epoch": "1"} | since)
        assert (joined["recovered"], joined["reason"], joined["replay"], joined["seq"]) == (False, reason, 0, 6)
        await stage.anna.task(stage.project, "live", assignee_ids=[stage.boris.id])
        assert (await notices(socket, 1))[0][0] == 7


async def test_nameless_connection_has_no_stream(stage: Stage) -> None:
    """It is told to sign in; after that it may."""
    async with open_socket(stage.server) as socket:
        answer = await socket.request("join_user")
        assert (answer["type"], answer["data"]["code"]) == ("error", "unauthorized")
        await socket.request("authenticate", token=stage.anna.token)
        assert (await join_user(socket))["seq"] == 0


async def test_nobody_reads_the_stream_of_another(stage: Stage) -> None:
    """A person's id is no project, not even one's own."""
    async with open_socket(stage.server, stage.boris) as socket:
        await join_user(socket)
        for person in (stage.anna, stage.boris):
            answer = await socket.request("join_project", project_id=person.id)
            assert answer["data"]["code"] == "not_found"
        for type_, more in (("leave_project", {}), ("viewing", {"task_id": None})):
            answer = await socket.request(type_, project_id=stage.boris.id, **more)
            assert answer["data"]["code"] == "not_joined"


async def test_own_stream_is_no_project_in_the_numbers(stage: Stage) -> None:
    """It is in the heads of the heartbeat; the statistics count rooms of projects."""
    async with open_socket(stage.server, stage.anna) as socket:
        await join_user(socket)
        stats = await stage.anna.get("/ws/stats")
        assert (stats["active_rooms"], stats["rooms"]) == (0, {})


async def test_heartbeat_names_the_head_of_the_stream(serve: Serve) -> None:
    """A client that missed the last notice notices."""
    stage = await serve(ws_heartbeat_s=0.2)
    async with open_socket(stage.server, stage.anna) as socket:
        await join_user(socket)
        ping = await socket.receive_type("ping")
        assert ping["data"]["heads"] == {"user": 0}


async def test_restored_database_makes_the_stream_begin_anew(serve: Serve) -> None:
    """Another epoch is seen by the check: a resync in place of what cannot be told."""
    stage = await serve(relay_check_s=0.05)
    await stage.anna.add(stage.project, stage.boris)
    async with open_socket(stage.server, stage.boris) as socket:
        await join_user(socket)
        async with stage.server.database.write() as uow:
            await uow.execute(update(User).values(notice_epoch="other"))
        message = await socket.receive_type("resync")
        assert message == {"type": "resync", "data": {"epoch": "other", "seq": 1}}
        await stage.anna.task(stage.project, "live", assignee_ids=[stage.boris.id])
        assert (await notices(socket, 1))[0][0] == 2


async def test_concurrent_tellings_come_in_order(serve: Serve) -> None:
    """Projects that tell one person at the same moment: every notice once, the log and the socket agree."""
    stage = await serve()
    projects = [stage.project, *[await stage.anna.project(f"Project {number}") for number in range(3)]]
    async with open_socket(stage.server, stage.boris) as socket:
        await join_user(socket)
        await asyncio.gather(*(tell_of(stage, project) for project in projects))
        found = await socket.receive_events(16)
    assert [notice["seq"] for notice in found] == list(range(1, 17))
    rows = {notice["data"]["notification"]["id"] for notice in found}
    assert len(rows) == 16


async def tell_of(stage: Stage, project: Json) -> None:
    """Tell Boris four things of one project."""
    await stage.anna.add(project, stage.boris)
    for number in range(3):
        await stage.anna.task(project, f"task {number}", assignee_ids=[stage.boris.id])


@quick_alone
@pytest.mark.parametrize("redis_is_deaf", [False, True])
async def test_other_server_tells_too(
    settings: Settings, redis_url: str, is_portable: bool, redis_is_deaf: bool
) -> None:
    """What one server commits comes to a reader at another, by the broker or, when that is deaf, from the log."""
    shared: dict[str, Any] = {"redis_url": redis_url, "relay_check_s": 0.1}
    one = Settings(**(settings.model_dump() | shared))
    prefix = "elsewhere" if redis_is_deaf else "timetodo"
    two = Settings(**(settings.model_dump() | shared | {"port": free_port(), "redis_prefix": prefix}))
    async with run_server(one, portable=is_portable) as first, run_server(two, portable=is_portable) as second:
        anna, boris = await register(first, "Anna"), await register(first, "Boris")
        project = await anna.project()
        async with open_socket(second, boris) as socket:
            await join_user(socket)
            await anna.add(project, boris)
            await anna.task(project, "Write", assignee_ids=[boris.id])
            found = await notices(socket, 2)
            assert [notice[:2] for notice in found] == [(1, "added"), (2, "added")]
            assert found[-1][2] == 2  # what is read from the log says how much is unread when it is read
        await anna.http.aclose()
        await boris.http.aclose()


async def test_account_that_has_gone_has_no_log(server: TestServer, anna: Person) -> None:
    """As anything that is not there."""
    del anna
    with pytest.raises(NotFound):
        await server.hub.directory.find_own(uuid4())


async def test_connection_that_ends_while_it_joins_reads_nothing(
    server: TestServer, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its room is found, but it has gone meanwhile."""
    find_own = server.hub.directory.find_own

    async def find_and_leave(user_id: UUID) -> tuple[LogHead, int]:
        found = await find_own(user_id)
        (connection,) = server.hub.manager.connections.values()
        connection.close(1000, "enough")
        return found

    monkeypatch.setattr(server.hub.directory, "find_own", find_and_leave)
    async with open_socket(server, anna) as socket:
        await socket.send("join_user")
        assert await socket.closed() == 1000
    assert not any(room.viewers for room in server.hub.manager.rooms.values())
