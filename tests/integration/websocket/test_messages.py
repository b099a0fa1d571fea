"""What a client may say over the wire, what is refused, and signs of life."""

import asyncio
import contextlib
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from app.websocket import heartbeat
from tests.integration.websocket.conftest import Serve, Stage
from tests.support.people import Json, Person, register
from tests.support.proxy import Proxy
from tests.support.realtime import eventually
from tests.support.server import TestServer, lay_admin_code, make_settings, run_server
from tests.support.sockets import Socket, open_socket

P = "0199f3a0-1c00-7000-8000-0000000000a1"
"""The id of nothing."""
NO_LIMIT = {"ws_burst": 10_000, "ws_messages_per_s": 10_000}


async def raw(socket: Socket, text: str | bytes) -> Json:
    """Send something as it is; return the answer."""
    await socket.connection.send(text)
    return await socket.receive_type("error", "pong")


@pytest.mark.parametrize(
    ("text", "code", "id_"),
    [
        ("no json", "bad_request", None),
        ("[]", "bad_request", None),
        (b"\xff\xfe\x00", "bad_request", None),
        ('{"id":1}', "unknown_type", 1),
        ('{"type":"task_created","id":"a"}', "unknown_type", "a"),
        ('{"type":["ping"],"id":2}', "unknown_type", 2),
        ('{"type":{},"id":3}', "unknown_type", 3),
        ('{"type":"ping","id":4,"x":1}', "bad_request", 4),
        ('{"type":"ping","id":' + "9" * 5000 + "}", "bad_request", None),
        ('{"type":"ping","id":NaN}', "bad_request", None),
        ('{"type":"ping","id":"\\ud800"}', "bad_request", None),
        ('{"type":' + "[" * 20_000, "bad_request", None),
        ('{"type":"ping","id":' + '{"a":' * 5000 + "1" + "}" * 5000 + "}", "bad_request", None),
        ('{"type":"join_project","id":5,"project_id":"\\u0000"}', "bad_request", 5),
        (f'{{"type":"join_project","id":6,"project_id":"{P}"}}', "not_found", 6),
        (f'{{"type":"leave_project","id":7,"project_id":"{P}"}}', "not_joined", 7),
        (f'{{"type":"typing","id":8,"project_id":"{P}","task_id":"{P}"}}', "not_joined", 8),
        ('{"type":"authenticate","id":9,"token":"x"}', "unauthorized", 9),
        ('{"type":"authenticate","id":10,"token":"\\ud800"}', "bad_request", None),
    ],
)
async def test_bad_message_gets_exactly_one_answer(
    sqlite_server: TestServer, text: str | bytes, code: str, id_: object
) -> None:
    """One error with the code and the id, without a word about our inside; the socket lives."""
    async with open_socket(sqlite_server) as socket:
        answer = await raw(socket, text)
        assert answer["type"] == "error"
        assert (answer["data"]["code"], answer.get("id")) == (code, id_)
        assert not {"Traceback", "sqlalchemy", "/work"} & set(answer["data"]["message"].split())
        assert (await raw(socket, '{"type":"ping","id":"next"}'))["id"] == "next"


async def test_every_id_is_answered_once(serve: Serve) -> None:
    """Many questions at once, good and bad: each id comes back exactly once."""
    stage = await serve(**NO_LIMIT)
    async with open_socket(stage.server, stage.anna) as socket:
        kinds: list[Json] = [
            {"type": "ping"},
            {"type": "join_project", "project_id": stage.project["id"]},
            {"type": "leave_project", "project_id": stage.project["id"]},
            {"type": "authenticate", "token": stage.anna.token},
        ]
        for number in range(200):
            await socket.connection.send(orjson.dumps(kinds[number % 4] | {"id": number}).decode())
        answered: list[int] = []
        while len(answered) < 200:
            message = await socket.receive()
            answered += [message["id"]] if "id" in message else []
        assert (await socket.request("ping"))["type"] == "pong"
    assert sorted(answered) == list(range(200))


async def test_ten_bad_messages_close(sqlite_server: TestServer) -> None:
    """Nine are answered and forgiven, ten within ten seconds are not the protocol."""
    async with open_socket(sqlite_server) as socket:
        for _ in range(10):
            await raw(socket, "{")
        assert await socket.closed() == 4400


async def test_largest_message(sqlite_server: TestServer) -> None:
    """64 KiB are taken, one byte more closes with 1009."""
    async with open_socket(sqlite_server) as socket:
        start = '{"type":"ping","id":"'
        whole = start + "x" * (65536 - len(start) - 2) + '"}'
        assert len(whole) == 65536
        assert (await raw(socket, whole))["data"]["code"] == "bad_request"
        await socket.connection.send(whole + " ")
        assert await socket.closed() == 1009


async def test_rate_is_limited_and_a_flood_closes(serve: Serve) -> None:
    """Beyond the burst each message is answered with the time to wait, and after a hundred of those it is over."""
    stage = await serve(ws_burst=5, ws_messages_per_s=0.01)
    async with open_socket(stage.server) as socket:
        for number in range(106):
            with contextlib.suppress(ConnectionClosed):
                await socket.send("ping", id=number)
        answers = [await socket.receive_type("pong", "error") for _ in range(105)]
        assert [answer["type"] for answer in answers] == ["pong"] * 5 + ["error"] * 100
        assert {answer["data"]["code"] for answer in answers[5:]} == {"rate_limited"}
        assert all(answer["data"]["retry_after_ms"] > 0 for answer in answers[5:])
        assert await socket.closed() == 4202


async def test_joins_have_a_rate_of_their_own(serve: Serve) -> None:
    """One too many is answered with the time to wait; the connection lives, and may say other things."""
    stage = await serve(ws_joins_per_s=0.01, ws_join_burst=2)
    async with open_socket(stage.server, stage.anna) as socket:
        for _ in range(2):
            await socket.join(stage.project)
        for _ in range(3):
            answer = await socket.request("join_project", project_id=stage.project["id"])
            assert (answer["data"]["code"], answer["data"]["retryable"]) == ("rate_limited", True)
            assert answer["data"]["retry_after_ms"] > 0
        assert (await socket.request("ping"))["type"] == "pong"


async def test_rooms_of_a_connection_are_limited(serve: Serve) -> None:
    """One room too many is refused with a word why."""
    stage = await serve(ws_max_rooms=2)
    async with open_socket(stage.server, stage.anna) as socket:
        for name in ("One", "Two"):
            await socket.join(await stage.anna.project(name))
        answer = await socket.request("join_project", project_id=stage.project["id"])
        assert answer["data"]["code"] == "limit_exceeded"


async def test_connections_are_limited(serve: Serve) -> None:
    """Of a user with 4203, of the server with 1013; whoever goes makes room."""
    stage = await serve(ws_max_connections=3, ws_max_connections_per_user=2)
    async with open_socket(stage.server, stage.anna), open_socket(stage.server, stage.anna) as second:
        third = await dial(stage.server, stage.anna)
        assert await third.closed() == 4203
        async with open_socket(stage.server):
            assert await (await dial(stage.server, stage.boris)).closed() == 1013
        await second.connection.close()
        await eventually(lambda: len(stage.server.hub.manager.connections) == 1)
        async with open_socket(stage.server, stage.anna) as again:
            assert (await again.request("ping"))["type"] == "pong"


async def dial(server: TestServer, person: Person) -> Socket:
    return Socket(await connect(f"{server.ws_url}?token={person.token}"))


async def test_server_pings_with_the_heads_of_its_rooms(serve: Serve) -> None:
    """A client that is behind a head knows that it missed something; its answer keeps it alive."""
    stage = await serve(ws_heartbeat_s=0.1)
    await stage.anna.task(stage.project)
    async with open_socket(stage.server, stage.anna) as socket:
        await socket.join(stage.project)
        ping = await socket.receive_type("ping")
        assert ping["data"] == {"heads": {stage.project["id"]: 1}}
        await socket.send("pong")
        assert (await socket.receive_type("ping"))["data"] == ping["data"]


async def test_silent_client_is_closed(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two beats without a word: 4201. One that answers stays."""
    monkeypatch.setattr(heartbeat, "MAX_SLOT_S", 0.01)
    stage = await serve(ws_heartbeat_s=0.1)
    async with open_socket(stage.server) as silent, open_socket(stage.server) as alive:

        async def answer() -> None:
            while True:
                await alive.receive_type("ping")
                await alive.send("pong")

        answering = asyncio.create_task(answer())
        assert await silent.closed() == 4201
        assert not answering.done()
        answering.cancel()


async def test_typing_and_viewing_are_shown_to_the_others(stage: Stage) -> None:
    """To everybody else in the room, not to their author, and never stored."""
    await stage.anna.add(stage.project, stage.boris, "viewer")
    task = await stage.anna.task(stage.project)
    async with open_socket(stage.server, stage.anna) as anna, open_socket(stage.server, stage.boris) as boris:
        for socket in (anna, boris):
            await socket.join(stage.project)
        for type_ in ("typing", "viewing"):
            await boris.send(type_, project_id=stage.project["id"], task_id=task["id"])
            shown = await anna.receive_type(type_)
            assert (shown["user_id"], shown["project_id"]) == (stage.boris.id, stage.project["id"])
            where = {"field": "comment"} if type_ == "typing" else {}
            assert shown["data"] == {"task_id": task["id"], **where, "name": "Boris"}
        pong = await boris.request("ping")
        assert pong["type"] == "pong"
        page = await stage.anna.get(f"/projects/{stage.project['id']}/events")
        assert {event["type"] for event in page["items"]} == {"project_member_added", "task_created"}


async def test_strangers_watch_a_public_project_unseen(stage: Stage) -> None:
    """They are a number to members, and are shown nothing of them: neither who is there nor who types."""
    project = await stage.anna.project("Open", visibility="public")
    task = await stage.anna.task(project)
    async with open_socket(stage.server, stage.anna) as anna, open_socket(stage.server) as nobody:
        await anna.join(project)
        assert (await nobody.join(project))["online"] == []
        data = await anna.join(project)
        assert data["anonymous"] == 1
        assert [entry["user_id"] for entry in data["online"]] == [stage.anna.id]
        for type_ in ("typing", "viewing"):
            await anna.send(type_, project_id=project["id"], task_id=task["id"])
        async with open_socket(stage.server, stage.anna) as second:
            await second.join(project)
            await stage.anna.task(project)
            shown = await nobody.receive()
            assert shown["type"] == "task_created"
        answer = await nobody.request("typing", project_id=project["id"], task_id=task["id"])
        assert answer["data"]["code"] == "forbidden"


async def test_stranger_who_becomes_a_member_is_told_who_is_there(stage: Stage) -> None:
    """By being added, and by signing in where one watched as nobody."""
    project = await stage.anna.project("Open", visibility="public")
    async with (
        open_socket(stage.server, stage.anna) as anna,
        open_socket(stage.server, stage.boris) as boris,
        open_socket(stage.server) as nobody,
    ):
        assert [len((await socket.join(project))["online"]) for socket in (anna, boris, nobody)] == [1, 0, 0]
        await stage.anna.add(project, stage.boris)
        await nobody.request("authenticate", token=stage.anna.token)
        for socket in (boris, nobody):
            told = (await socket.receive_type("presence"))["data"]["online"]
            assert {entry["user_id"] for entry in told} == {stage.anna.id, stage.boris.id}


async def test_coming_and_going_is_shown_with_a_grace(serve: Serve) -> None:
    """Online at the first connection, offline some time after the last; a reload in between is not seen."""
    stage = await serve(presence_grace_s=0.3)
    await stage.anna.add(stage.project, stage.boris)
    async with open_socket(stage.server, stage.anna) as anna:
        await anna.join(stage.project)
        async with open_socket(stage.server, stage.boris):
            online = await anna.receive_type("user_online")
            assert online["data"] == {"user_id": stage.boris.id, "name": "Boris", "devices": 1, "viewing": None}
        async with open_socket(stage.server, stage.boris):
            pass
        async with asyncio.timeout(2):
            offline = await anna.receive_type("user_online", "user_offline")
        assert offline["type"] == "user_offline"
        assert offline["data"] == {"user_id": stage.boris.id, "name": "Boris"}


async def test_logout_is_shown_at_once(serve: Serve) -> None:
    """Signing out waits for no grace."""
    stage = await serve(presence_grace_s=3600)
    await stage.anna.add(stage.project, stage.boris)
    async with open_socket(stage.server, stage.anna) as anna, open_socket(stage.server, stage.boris) as boris:
        await anna.join(stage.project)
        await stage.boris.call("POST", "/auth/logout", expect=204)
        async with asyncio.timeout(1):
            assert (await anna.receive_type("user_offline"))["user_id"] == stage.boris.id
        assert await boris.closed() == 4410


async def test_database_that_is_away_is_a_reason_to_ask_again(postgres_copy: str, tmp_path: Path) -> None:
    """Nobody is told that a project is not theirs while nobody can know; afterwards the same socket joins."""
    network = Proxy()
    await network.start()
    port = urlsplit(postgres_copy).port
    assert port is not None
    network.lead_to(port)
    lay_admin_code(tmp_path)
    settings = make_settings(tmp_path, database_url=postgres_copy.replace(f":{port}/", f":{network.port}/"))
    async with run_server(settings) as server, await register(server, "Anna") as anna:
        project = await anna.project()
        async with open_socket(server, anna) as socket:
            network.cut()
            for type_, fields in (
                ("join_project", {"project_id": project["id"]}),
                ("join_user", {}),
                ("authenticate", {"token": anna.token}),
            ):
                error = (await socket.request(type_, **fields))["data"]
                assert (error["code"], error["retryable"]) == ("unavailable", True), type_
            network.mend()
            await socket.join(project)
    await network.stop()
