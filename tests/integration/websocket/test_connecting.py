"""Every way in, and every way to be refused."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from app.domain.clock import utc_now
from app.models import SocketTicket
from app.services import admission
from tests.integration.websocket.conftest import Serve
from tests.support.people import Json, Person, register
from tests.support.raw import dial, request, shake_hands
from tests.support.realtime import eventually
from tests.support.server import TestServer
from tests.support.sockets import Socket, open_socket

V1 = Subprotocol("timetodo.v1")


@pytest.fixture
async def person(sqlite_server: TestServer) -> AsyncIterator[Person]:
    """Somebody with an account."""
    async with await register(sqlite_server, "Anna") as person:
        yield person


async def welcome(connection: ClientConnection) -> Json:
    message = await Socket(connection).receive()
    assert message["type"] == "welcome"
    data: Json = message["data"]
    return data


async def closed(server: TestServer, *, query: str = "", protocols: list[str] | None = None, **options: Any) -> int:
    """Dial with credentials that are wrong; return the close code that follows the upgrade."""
    offered = [Subprotocol(name) for name in protocols or []] or None
    async with connect(server.ws_url + query, subprotocols=offered, **options) as connection:
        return await Socket(connection).closed()


async def ticket(person: Person) -> str:
    answer = await person.call("POST", "/ws/ticket", expect=200)
    assert answer.json()["expires_in"] == 30
    found: str = answer.json()["ticket"]
    return found


async def test_bearer_in_the_subprotocol(sqlite_server: TestServer, person: Person) -> None:
    """The way of browsers: the server answers with its protocol alone, so the token is repeated nowhere."""
    bearer = Subprotocol(f"bearer.{person.token}")
    for offered in ([V1, bearer], [bearer, V1]):
        async with connect(sqlite_server.ws_url, subprotocols=offered) as connection:
            assert connection.subprotocol == "timetodo.v1"
            assert (await welcome(connection))["user"] == {"id": person.id, "name": "Anna"}


async def test_without_a_subprotocol_none_is_answered(sqlite_server: TestServer) -> None:
    """A client that offers nothing gets nothing; the conversation is the same."""
    async with connect(sqlite_server.ws_url) as connection:
        assert connection.subprotocol is None
        assert (await welcome(connection))["protocol"] == "timetodo.v1"


async def test_token_in_the_address(sqlite_server: TestServer, person: Person) -> None:
    """The way of scripts."""
    async with connect(f"{sqlite_server.ws_url}?token={person.token}") as connection:
        assert (await welcome(connection))["user"]["id"] == person.id


async def test_ticket_opens_one_socket(sqlite_server: TestServer, person: Person) -> None:
    """A ticket is used up by the first who shows it."""
    query = f"?ticket={await ticket(person)}"
    async with connect(sqlite_server.ws_url + query) as connection:
        data = await welcome(connection)
        assert data["user"]["id"] == person.id
        expires_at = datetime.fromisoformat(data["token_expires_at"])
        assert timedelta(minutes=14) < expires_at - datetime.now(UTC) <= timedelta(minutes=15)
    assert await closed(sqlite_server, query=query) == 4401


async def test_ticket_shown_twice_at_once_opens_one_socket(sqlite_server: TestServer, person: Person) -> None:
    """Two who race with one ticket: one gets in."""
    query = f"?ticket={await ticket(person)}"

    async def dial() -> str:
        async with connect(sqlite_server.ws_url + query) as connection:
            try:
                return str((await Socket(connection).receive())["type"])
            except Exception:  # noqa: BLE001 - the close is what is counted
                return str(connection.close_code)

    assert sorted(await asyncio.gather(dial(), dial())) == ["4401", "welcome"]


async def test_ticket_expires(sqlite_server: TestServer, person: Person) -> None:
    """After its half minute it opens nothing."""
    query = f"?ticket={await ticket(person)}"
    async with sqlite_server.database.write() as uow:
        await uow.execute(update(SocketTicket).values(expires_at=utc_now()))
    assert await closed(sqlite_server, query=query) == 4401


async def test_ticket_of_an_ended_session(sqlite_server: TestServer, person: Person) -> None:
    """A ticket got before signing out is worth nothing after it."""
    query = f"?ticket={await ticket(person)}"
    await person.call("POST", "/auth/logout", expect=204)
    assert await closed(sqlite_server, query=query) == 4401


async def test_first_message(sqlite_server: TestServer, person: Person) -> None:
    """An anonymous socket becomes somebody's by its first message."""
    async with open_socket(sqlite_server) as socket:
        answer = await socket.request("authenticate", token=person.token)
        assert answer["type"] == "authenticated"
        assert answer["data"]["user"] == {"id": person.id, "name": "Anna"}
        project = await person.project()
        assert (await socket.join(project))["role"] == "owner"


async def test_nobody(sqlite_server: TestServer, person: Person) -> None:
    """Without credentials one reads public projects, and no others."""
    private, public = await person.project(), await person.project("Open", visibility="public")
    async with connect(sqlite_server.ws_url) as connection:
        data = await welcome(connection)
        assert data["user"] is data["token_expires_at"] is None
        socket = Socket(connection)
        assert (await socket.join(public))["role"] is None
        answer = await socket.request("join_project", project_id=private["id"])
        assert answer["data"]["code"] == "not_found"
        task = await person.task(public)
        (event,) = await socket.receive_events(1)
        assert event["data"]["task_id"] == task["id"]


def forge(person: Person, server: TestServer, *, secret: str | None = None, **changes: Any) -> str:
    """Return a token like the person's with other claims, signed with the server's key or another."""
    claims = json.loads(base64.urlsafe_b64decode(person.token.split(".")[1] + "==")) | changes
    parts = [json.dumps({"alg": "HS256", "typ": "JWT"}), json.dumps(claims)]
    signed = ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
    key = secret or server.context.tokens._secret
    signature = hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


async def test_expired_token_has_its_own_code(sqlite_server: TestServer, person: Person) -> None:
    """So that a client renews it instead of signing out."""
    token = forge(person, sqlite_server, exp=int(datetime.now(UTC).timestamp()) - 1)
    assert await closed(sqlite_server, protocols=["timetodo.v1", f"bearer.{token}"]) == 4419
    assert await closed(sqlite_server, query=f"?token={token}") == 4419


@pytest.mark.parametrize("kind", ["garbage", "empty", "foreign key", "another type", "no session", "NaN expiry"])
async def test_token_that_is_not_valid(sqlite_server: TestServer, person: Person, kind: str) -> None:
    """Refused after the upgrade, where a browser can see why."""
    token = {
        "garbage": "garbage",
        "empty": "",
        "foreign key": forge(person, sqlite_server, secret="another" * 10),
        "another type": forge(person, sqlite_server, type="refresh"),
        "no session": forge(person, sqlite_server, sid="0199f3a0-0000-7000-8000-000000000000"),
        "NaN expiry": forge(person, sqlite_server, exp=float("nan")),
    }[kind]
    assert await closed(sqlite_server, protocols=["timetodo.v1", f"bearer.{token}"]) == 4401
    assert await closed(sqlite_server, query=f"?token={token}") == 4401
    assert await closed(sqlite_server, query="?ticket=garbage") == 4401


async def test_first_credential_given_is_the_one_that_counts(sqlite_server: TestServer, person: Person) -> None:
    """A bad subprotocol token is not saved by a good one in the address."""
    query = f"?token={person.token}"
    assert await closed(sqlite_server, query=query, protocols=["timetodo.v1", "bearer.garbage"]) == 4401
    assert await closed(sqlite_server, query=f"{query}&ticket=garbage") == 4401


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1.evil.example"]
)
async def test_foreign_page_is_refused_before_the_upgrade(
    sqlite_server: TestServer, person: Person, origin: str
) -> None:
    """Even with a good token, and whatever Host it names."""
    protocols = [V1, Subprotocol(f"bearer.{person.token}")]
    with pytest.raises(InvalidStatus) as refused:
        async with connect(sqlite_server.ws_url, subprotocols=protocols, origin=Origin(origin)):
            pass
    assert refused.value.response.status_code == 403


async def test_own_page_is_let_in(sqlite_server: TestServer) -> None:
    """The address people use, by each of its names."""
    for host in ("127.0.0.1", "localhost"):
        origin = Origin(f"http://{host}:{sqlite_server.settings.port}")
        async with connect(sqlite_server.ws_url, origin=origin) as connection:
            await welcome(connection)


async def test_welcome(sqlite_server: TestServer, person: Person) -> None:
    """Every field the protocol promises, and no other."""
    async with connect(f"{sqlite_server.ws_url}?token={person.token}") as connection:
        data = await welcome(connection)
    claims = sqlite_server.context.tokens.verify(person.token)
    assert datetime.fromisoformat(data.pop("token_expires_at")) == claims.expires_at
    assert abs(datetime.fromisoformat(data.pop("server_time")) - datetime.now(UTC)) < timedelta(seconds=5)
    assert len(data.pop("connection_id")) == 36
    assert data == {
        "user": {"id": person.id, "name": "Anna"},
        "protocol": "timetodo.v1",
        "heartbeat_s": 25,
        "limits": {"message_bytes": 65536, "rooms": 100, "messages_per_s": 20, "burst": 40},
    }


async def test_database_that_fails_while_identifying(
    sqlite_server: TestServer, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's fault has the server's code, so the client comes back with the same token."""

    async def fail(*_: object) -> None:
        message = "no database"
        raise OSError(message)

    monkeypatch.setattr(sqlite_server.hub.directory, "redeem", fail)
    monkeypatch.setattr(admission, "find_people", fail)
    assert await closed(sqlite_server, query=f"?token={person.token}") == 4500
    assert await closed(sqlite_server, query="?ticket=x") == 4500


@pytest.mark.parametrize("credential", ["token", "ticket"])
async def test_peer_that_goes_before_it_is_let_in(
    sqlite_server: TestServer, person: Person, credential: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that hangs up while we look who it is leaves nothing behind."""
    query = f"?token={person.token}" if credential == "token" else f"?ticket={await ticket(person)}"
    looking, answer = asyncio.Event(), asyncio.Event()
    place, name = (admission, "find_people") if credential == "token" else (sqlite_server.hub.directory, "redeem")
    look = getattr(place, name)

    async def slow(*asked: Any) -> Any:
        looking.set()
        await answer.wait()
        return await look(*asked)

    monkeypatch.setattr(place, name, slow)
    state, manager = sqlite_server.uvicorn.server_state, sqlite_server.hub.manager
    others = set(state.connections)
    wire = await dial(sqlite_server)
    await wire.write(request(f"/api/v1/ws{query}"))
    await looking.wait()
    wire.hang_up()
    answer.set()
    await eventually(lambda: state.connections <= others and not state.tasks)
    await eventually(lambda: not manager.connections)
    assert manager.get_stats()["authenticated_users"] == 0


async def test_one_address_may_have_so_many(serve: Serve) -> None:
    """One more is refused before the upgrade; whoever goes makes room."""
    stage = await serve(ws_max_connections_per_address=2)
    async with open_socket(stage.server), open_socket(stage.server) as second:
        answer = await shake_hands(stage.server)
        assert (answer.status, answer.json()["code"]) == (429, "limit_exceeded")
        await second.connection.close()
        await eventually(lambda: len(stage.server.hub.manager.connections) == 1)
        async with open_socket(stage.server):
            pass


async def test_one_address_may_come_so_often(serve: Serve) -> None:
    """Beyond the burst a client is told when to come back, in the header and in the body."""
    stage = await serve(ws_connects_per_s=0.1, ws_connect_burst=2)
    for _ in range(2):
        async with open_socket(stage.server):
            pass
    answer = await shake_hands(stage.server)
    assert (answer.status, answer.json()["code"]) == (429, "rate_limited")
    assert 0 < answer.json()["retry_after_ms"] <= 10_000
    assert 1 <= int(answer.headers["retry-after"]) <= 10
