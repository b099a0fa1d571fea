"""Losing access: within a second, and nothing of the room after it. On both databases."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from websockets.asyncio.client import connect

from app.broker.memory import MemoryBroker
from app.db.engine import create_engine
from app.db.unit_of_work import Database
from app.domain.clock import utc_now
from app.services import sessions, users
from tests.integration.websocket.conftest import Serve, fill, narrow_socket
from tests.support.people import PASSWORD, Json, Person, register
from tests.support.server import TestServer
from tests.support.sockets import Socket, open_socket

PROMISED_S = 1.0
SLACK_S = 1.0
"""For a machine with two cores and other tests on it."""


class Watch:
    """Boris and a stranger in a public room of Anna's, who will write on."""

    def __init__(self, server: TestServer, anna: Person, boris: Person, project: Json) -> None:
        self.server = server
        self.anna = anna
        self.boris = boris
        self.project = project


@pytest.fixture
async def watch(server: TestServer, anna: Person, boris: Person, project: Json) -> Watch:
    await anna.add(project, boris)
    return Watch(server, anna, boris, project)


async def nothing_after(watch: Watch, socket: Socket) -> list[Json]:
    """Write to the room, then ask for a sign of life; return everything that came before it but the server's own."""
    for number in range(3):
        await watch.anna.task(watch.project, f"secret {number}")
    await socket.send("ping", id="last")
    came: list[Json] = []
    while (message := await socket.receive()).get("id") != "last":
        came += [message] if message["type"] != "ping" else []
    return came


async def is_told(watch: Watch, socket: Socket, reason: str = "revoked") -> None:
    async with asyncio.timeout(PROMISED_S + SLACK_S):
        left = await socket.receive_type("project_left")
    assert (left["project_id"], left["data"]) == (watch.project["id"], {"reason": reason})


async def remove(watch: Watch) -> None:
    await watch.anna.call("DELETE", f"/projects/{watch.project['id']}/members/{watch.boris.id}", expect=204)


async def test_member_removed(watch: Watch) -> None:
    """The member is told, gets nothing more, and may not come back; the others go on."""
    async with open_socket(watch.server, watch.boris) as boris, open_socket(watch.server, watch.anna) as anna:
        for socket in (boris, anna):
            await socket.join(watch.project)
        await remove(watch)
        await is_told(watch, boris)
        assert await nothing_after(watch, boris) == []
        answer = await boris.request("join_project", project_id=watch.project["id"])
        assert answer["data"]["code"] == "not_found"
        assert [event["type"] for event in await anna.receive_events(4)] == [
            "project_member_removed",
            *["task_created"] * 3,
        ]


async def test_member_who_leaves(watch: Watch) -> None:
    """Leaving a project by oneself is the same, on all one's devices."""
    async with open_socket(watch.server, watch.boris) as one, open_socket(watch.server, watch.boris) as two:
        for socket in (one, two):
            await socket.join(watch.project)
        path = f"/projects/{watch.project['id']}/members/{watch.boris.id}"
        await watch.boris.call("DELETE", path, expect=204)
        for socket in (one, two):
            await is_told(watch, socket)
            assert await nothing_after(watch, socket) == []


async def test_project_deleted(watch: Watch) -> None:
    """Everybody is told, the owner too."""
    async with open_socket(watch.server, watch.boris) as boris, open_socket(watch.server, watch.anna) as anna:
        for socket in (boris, anna):
            await socket.join(watch.project)
        await watch.anna.call("DELETE", f"/projects/{watch.project['id']}", expect=204)
        for socket in (boris, anna):
            await is_told(watch, socket, "deleted")


async def test_project_taken_back(watch: Watch) -> None:
    """Whoever was put out can join again; their old place in the log is none any more."""
    async with open_socket(watch.server, watch.boris) as boris:
        joined = await boris.join(watch.project)
        await watch.anna.call("DELETE", f"/projects/{watch.project['id']}", expect=204)
        await is_told(watch, boris, "deleted")
        await watch.anna.call("POST", f"/projects/{watch.project['id']}/restore", expect=200)
        again = await boris.join(watch.project, since={name: joined[name] for name in ("epoch", "seq")})
        assert (again["recovered"], again["reason"]) == (False, "epoch_changed")
        task = await watch.anna.task(watch.project)
        (event,) = await boris.receive_events(1)
        assert (event["seq"], event["data"]["task_id"]) == (again["seq"] + 1, task["id"])


async def test_project_made_private(watch: Watch) -> None:
    """Strangers, signed in or not, are put out; members stay."""
    await watch.anna.call("PATCH", f"/projects/{watch.project['id']}", expect=200, json={"visibility": "public"})
    await remove(watch)
    async with (
        open_socket(watch.server) as nobody,
        open_socket(watch.server, watch.boris) as stranger,
        open_socket(watch.server, watch.anna) as member,
    ):
        for socket in (nobody, stranger, member):
            await socket.join(watch.project)
        await watch.anna.call("PATCH", f"/projects/{watch.project['id']}", expect=200, json={"visibility": "private"})
        for socket in (nobody, stranger):
            await is_told(watch, socket)
            assert await nothing_after(watch, socket) == []
        assert len(await member.receive_events(7)) == 7


async def in_time(socket: Socket, code: int = 4410) -> None:
    async with asyncio.timeout(PROMISED_S + SLACK_S):
        assert await socket.closed() == code


async def log_in(watch: Watch) -> Person:
    """Sign Boris in on a second device."""
    body = {"email": watch.boris.user["email"], "password": PASSWORD}
    async with watch.server.client() as client:
        answer = await client.post("/auth/login", json=body)
    assert answer.status_code == 200
    return Person(watch.server, answer.json())


@pytest.fixture
async def second(watch: Watch) -> AsyncIterator[Person]:
    """Boris on a second device."""
    async with await log_in(watch) as person:
        yield person


async def log_out(watch: Watch, second: Person) -> None:
    await second.call("POST", "/auth/logout", expect=204)


async def end_session(watch: Watch, second: Person) -> None:
    (other,) = [entry for entry in (await watch.boris.get("/auth/sessions"))["items"] if not entry["current"]]
    await watch.boris.call("DELETE", f"/auth/sessions/{other['id']}", expect=204)


async def change_password(watch: Watch, second: Person) -> None:
    body = {"current_password": PASSWORD, "new_password": "another horse battery"}
    await watch.boris.call("POST", "/auth/password", expect=204, json=body)


@pytest.mark.parametrize("end", [log_out, end_session, change_password])
async def test_session_ended(watch: Watch, second: Person, end: Callable[[Watch, Person], Awaitable[None]]) -> None:
    """The sockets of that session close; the person's other session goes on, and so does its room."""
    async with open_socket(watch.server, second) as ended, open_socket(watch.server, watch.boris) as other:
        for socket in (ended, other):
            await socket.join(watch.project)
        await end(watch, second)
        await in_time(ended)
        await watch.anna.task(watch.project)
        assert len(await other.receive_events(1)) == 1


async def test_stolen_refresh_token(serve: Serve) -> None:
    """A refresh token used twice ends the session, sockets included."""
    stage = await serve(refresh_grace_s=0)
    async with open_socket(stage.server, stage.boris) as socket:
        body = {"refresh_token": stage.boris.refresh_token}
        await stage.boris.call("POST", "/auth/refresh", expect=200, json=body)
        await socket.request("ping")
        await stage.boris.call("POST", "/auth/refresh", expect=401, json=body)
        await in_time(socket)


@pytest.mark.parametrize("whose", ["this process", "another process"])
async def test_user_deactivated(watch: Watch, second: Person, whose: str) -> None:
    """All of a person's sockets close, also when it was the command line that did it, beside the server."""
    foreign = Database(create_engine(watch.server.settings.resolved_database_url), MemoryBroker(), server_id="cli")
    database = watch.server.database if whose == "this process" else foreign
    async with open_socket(watch.server, watch.boris) as one, open_socket(watch.server, second) as two:
        async with database.write() as uow:
            await users.set_active(uow, (await users.find_by_email(uow, watch.boris.user["email"])).id, active=False)
        for socket in (one, two):
            await in_time(socket)
    await foreign.dispose()


async def test_session_ended_while_signals_are_lost(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deaf broker delays the end of a session, it does not prevent it."""
    stage = await serve(relay_check_s=0.05)

    async def lose(_: object) -> None:
        pass

    async with open_socket(stage.server, stage.boris) as socket:
        monkeypatch.setattr(stage.server.context.broker, "signal", lose)
        await stage.boris.call("POST", "/auth/logout", expect=204)
        await in_time(socket)


async def test_role_without_a_right_to_be_seen_is_kept(watch: Watch) -> None:
    """A lowered role still reads; what it may do is asked at each message."""
    path = f"/projects/{watch.project['id']}/members/{watch.boris.id}"
    async with open_socket(watch.server, watch.boris) as socket:
        assert (await socket.join(watch.project))["role"] == "editor"
        await watch.anna.call("PATCH", path, expect=200, json={"role": "viewer"})
        (event,) = await socket.receive_events(1)
        assert event["type"] == "project_member_updated"
        assert (await socket.join(watch.project))["role"] == "viewer"


async def test_joins_racing_with_a_removal_never_leak(watch: Watch) -> None:
    """Joining again and again while being removed: whatever the order, nothing written afterwards is seen."""
    async with open_socket(watch.server, watch.boris) as socket:
        epoch = (await watch.anna.board(watch.project))["epoch"]

        async def join_on() -> list[Json]:
            came: list[Json] = []
            for number in range(30):
                since = {"epoch": epoch, "seq": 0}
                await socket.send("join_project", id=number, project_id=watch.project["id"], since=since)
                while (message := await socket.receive()).get("id") != number:
                    came += [message] if message["type"] != "ping" else []
                came.append(message)
            return came

        joining = asyncio.create_task(join_on())
        await asyncio.sleep(0.01)
        await remove(watch)
        came = await joining + await nothing_after(watch, socket)
    assert came[-1]["type"] in {"error", "project_left"}
    assert "secret" not in str(came)
    assert "project_member_removed" not in str(came)
    assert not watch.server.hub.manager.connections_of(
        watch.server.context.tokens.verify(watch.boris.token).user_id
    ) or all(not connection.cursors for connection in watch.server.hub.manager.connections.values())


async def test_removal_stops_a_replay(serve: Serve) -> None:
    """Removed in the middle of a long replay that the socket takes slowly: after `project_left` not one event more."""
    stage = await serve(replay_max_events=300)
    await stage.anna.add(stage.project, stage.boris)
    await fill(stage, 100)
    epoch = (await stage.anna.board(stage.project))["epoch"]
    async with open_socket(stage.server, stage.boris, sock=await narrow_socket(stage.server), max_queue=1) as socket:
        since = {"epoch": epoch, "seq": 0}
        await socket.send("join_project", project_id=stage.project["id"], since=since)
        await socket.receive_events(5)
        path = f"/projects/{stage.project['id']}/members/{stage.boris.id}"
        await stage.anna.call("DELETE", path, expect=204)
        seqs: list[int] = []
        while (message := await socket.receive())["type"] != "project_left":
            seqs += [message["seq"]] if "seq" in message else []
        assert seqs == list(range(6, 6 + len(seqs)))
        assert len(seqs) < 50
        await socket.send("ping", id="last")
        assert (await socket.receive_type("pong", "task_updated"))["type"] == "pong"


async def test_token_expires_on_a_live_socket(serve: Serve) -> None:
    """At its expiry, not before; a client that renewed in time stays."""
    stage = await serve(ws_heartbeat_s=5)  # the sockets say nothing meanwhile
    tokens = stage.server.context.tokens
    claims = tokens.verify(stage.boris.token)
    soon = utc_now() - timedelta(seconds=tokens.lifetime_s - 4)  # time enough to open two sockets
    long_lived = stage.boris.token
    stage.boris.token = tokens.issue(claims.user_id, claims.session_id, soon)
    expires_at = tokens.verify(stage.boris.token).expires_at
    async with open_socket(stage.server, stage.boris) as expiring, open_socket(stage.server, stage.boris) as renewing:
        answer = await renewing.request("authenticate", token=long_lived)
        assert answer["type"] == "authenticated"
        assert answer["data"]["user"]["id"] == stage.boris.id
        assert await expiring.closed() == 4419
        assert utc_now() >= expires_at
        assert (await renewing.request("ping"))["type"] == "pong"


async def test_another_users_token_is_refused_on_a_live_socket(watch: Watch) -> None:
    """A connection belongs to one person for life."""
    async with open_socket(watch.server, watch.boris) as socket:
        answer = await socket.request("authenticate", token=watch.anna.token)
        assert answer["data"]["code"] == "forbidden"
        await socket.join(watch.project)


async def test_added_member_is_online_before_joining(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """Somebody connected is shown as online to the project they were just added to, and may join at once."""
    async with open_socket(server, anna) as socket, open_socket(server, boris) as other:
        await socket.join(project)
        await anna.add(project, boris)
        assert (await socket.receive_type("user_online"))["user_id"] == boris.id
        assert (await other.join(project))["role"] == "editor"


async def test_ended_session_is_dead_for_new_sockets(watch: Watch) -> None:
    """A token whose session has ended opens nothing, though it has not expired."""
    session_id = watch.server.context.tokens.verify(watch.boris.token).session_id
    async with open_socket(watch.server, watch.boris) as before:
        async with watch.server.database.write() as uow:
            await sessions.end_sessions(uow, [session_id])
        await in_time(before)  # or the news of it could end the new one before its token was looked at
    async with connect(f"{watch.server.ws_url}?token={watch.boris.token}") as connection:
        assert await Socket(connection).closed() == 4401


async def test_registering_again_is_another_person(server: TestServer, anna: Person) -> None:
    """A new account sees nothing of the old ones' rooms."""
    project = await anna.project("Mine")
    async with await register(server, "Clara") as clara, open_socket(server, clara) as socket:
        answer = await socket.request("join_project", project_id=project["id"])
        assert answer["data"]["code"] == "not_found"
