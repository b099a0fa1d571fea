"""One's own log: what one is told of comes live and in order, is replayed after a loss, and is nobody else's."""

import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from app.errors import NotFound
from app.models import User
from app.services.history import LogHead
from tests.integration.websocket.conftest import Serve
from tests.support.people import Json, Person
from tests.support.server import TestServer
from tests.support.sockets import Socket, open_socket


async def join(socket: Socket, since: Json | None = None) -> Json:
    """Follow one's own log; return the answer's data."""
    options = {"since": since} if since else {}
    answer = await socket.request("join_user", **options)
    assert answer["type"] == "user_joined", answer
    assert "project_id" not in answer
    data: Json = answer["data"]
    return data


async def test_notification_comes_live_on_every_connection(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """With the row as REST shows it, the number of the log, and how much is unread; not to whoever caused it."""
    await anna.add(project, boris)
    async with (
        open_socket(server, boris) as first,
        open_socket(server, boris) as second,
        open_socket(server, anna) as other,
    ):
        for socket in (first, second):
            joined = await join(socket)
            assert joined.pop("epoch")
            assert joined == {"seq": 1, "recovered": None, "reason": "fresh", "replay": 0, "unread": 1}
        await join(other)
        await anna.task(project, assignee_ids=[boris.id])
        told = [await socket.receive_type("notification") for socket in (first, second)]
        assert told[0] == told[1]
        row = (await boris.get("/notifications"))["items"][0]
        assert told[0]["data"] == {"action": "added", "notification": row, "project_id": None, "unread": 2}
        assert (told[0]["seq"], told[0]["user_id"]) == (2, boris.id)
        await other.send("ping")
        assert (await other.receive())["type"] == "pong"


async def test_reading_on_one_device_is_heard_on_the_other(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """Each mark is a change of the log, also the one of everything."""
    await anna.add(project, boris)
    task = await anna.task(project, assignee_ids=[boris.id])
    async with open_socket(server, boris) as socket:
        assert (await join(socket))["unread"] == 2
        await boris.call("POST", f"/tasks/{task['id']}/read", expect=200)
        message = await socket.receive_type("notification")
        assert (message["data"]["action"], message["data"]["unread"]) == ("updated", 1)
        assert message["data"]["notification"]["read_at"] is not None
        await boris.call("POST", "/notifications/read_all", json={}, expect=200)
        message = await socket.receive_type("notification")
        assert message["data"] == {"action": "read_all", "notification": None, "project_id": None, "unread": 0}


async def test_missed_notices_are_replayed_in_order(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """From the position on, without a gap; each shows its row as it is now, or none where it may not be seen now."""
    await anna.add(project, boris)
    async with open_socket(server, boris) as socket:
        position = await join(socket)
    since = {"epoch": position["epoch"], "seq": position["seq"]}
    gone = await anna.task(project, "Gone", assignee_ids=[boris.id])
    await anna.task(project, "Kept", assignee_ids=[boris.id])
    await anna.call("DELETE", f"/tasks/{gone['id']}", expect=204)
    async with open_socket(server, boris) as socket:
        data = await join(socket, since)
        assert (data["recovered"], data["replay"], data["unread"]) == (True, 2, 2)
        messages = [await socket.receive_type("notification") for _ in range(2)]
    assert [message["seq"] for message in messages] == [2, 3]
    assert messages[0]["data"]["notification"] is None
    assert messages[1]["data"]["notification"]["task_title"] == "Kept"


async def test_position_of_another_life_is_not_resumed(server: TestServer, anna: Person) -> None:
    """As with a project: the reason, and what comes from now on."""
    async with open_socket(server, anna) as socket:
        data = await join(socket, {"epoch": "other", "seq": 0})
        assert (data["recovered"], data["reason"]) == (False, "epoch_changed")


async def test_nobody_has_no_notifications(sqlite_server: TestServer) -> None:
    """An anonymous connection is told to sign in, and lives."""
    async with open_socket(sqlite_server) as socket:
        answer = await socket.request("join_user")
        assert (answer["type"], answer["data"]["code"]) == ("error", "unauthorized")


async def test_own_room_is_no_project(server: TestServer, anna: Person, boris: Person) -> None:
    """It cannot be joined by its id, is not counted among the rooms, and is named `user` among the heads."""
    async with open_socket(server, anna) as socket, open_socket(server, boris) as other:
        await join(socket)
        answer = await other.request("join_project", project_id=anna.id)
        assert answer["data"]["code"] == "not_found"
        assert (await anna.get("/ws/stats"))["active_rooms"] == 0


async def test_heads_name_the_own_log(serve: Serve) -> None:
    """So a client that missed something notices."""
    stage = await serve(ws_heartbeat_s=0.3)
    async with open_socket(stage.server, stage.anna) as socket:
        await join(socket)
        assert (await socket.receive_type("ping"))["data"]["heads"] == {"user": 0}


async def test_too_much_missed_is_a_resync_without_a_project(serve: Serve) -> None:
    """The head of the log is told instead, and live notices follow."""
    stage = await serve(replay_max_events=2)
    await stage.anna.add(stage.project, stage.boris)
    for number in range(4):
        await stage.anna.task(stage.project, f"Task {number}", assignee_ids=[stage.boris.id])
    async with open_socket(stage.server, stage.boris) as socket:
        epoch = (await join(socket))["epoch"]
        data = await join(socket, {"epoch": epoch, "seq": 1})
        assert (data["recovered"], data["reason"]) == (False, "too_far")


async def test_lost_publication_is_repaired_from_the_log(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """What the broker did not carry comes within a check of the relay."""
    await anna.add(project, boris)
    async with open_socket(server, boris) as socket:
        await join(socket)
        publish = server.context.broker.publish
        server.context.broker.publish = lambda _: asyncio.sleep(0)  # type: ignore[method-assign, assignment]
        await anna.task(project, assignee_ids=[boris.id])
        server.context.broker.publish = publish  # type: ignore[method-assign]
        message = await socket.receive_type("notification")
        assert (message["seq"], message["data"]["notification"]["kind"]) == (2, "assigned")


async def test_restored_backup_starts_the_log_anew(server: TestServer, anna: Person) -> None:
    """The log's name changes under those who read it: they resynchronise."""
    async with open_socket(server, anna) as socket:
        await join(socket)
        async with server.database.write() as uow:
            await uow.execute(update(User).values(notice_epoch="another"))
        message = await socket.receive_type("resync")
        assert "project_id" not in message
        assert message["data"] == {"epoch": "another", "seq": 0}


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
