"""Administration: who has an account, who administers, how the server is."""

import asyncio
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

import app
from app.db.migrate import make_config
from app.websocket.protocol import CloseCode
from tests.support.people import PASSWORD, Json, Person
from tests.support.routes import assert_problem
from tests.support.server import TestServer
from tests.support.sockets import open_socket


async def change(admin: Person, person: Person, *, expect: int = 200, **fields: bool) -> Json:
    """Change an account as an administrator, and return it, or the refusal."""
    answer: Json = (await admin.call("PATCH", f"/admin/users/{person.id}", json=fields, expect=expect)).json()
    return answer


async def test_accounts_are_listed_and_found(server: TestServer, anna: Person, boris: Person, project: Json) -> None:
    """Every account with its projects and when it was last seen; found by part of name or address, in any case."""
    await anna.add(project, boris)
    gone = await anna.project("Gone")
    await anna.call("DELETE", f"/projects/{gone['id']}", expect=204)
    await boris.call("PATCH", "/users/me", json={"name": "Борис Ким"}, expect=200)
    first = await anna.get("/admin/users", params={"limit": 1})
    second = await anna.get("/admin/users", params={"cursor": first["next_cursor"]})
    (one,), (two,) = first["items"], second["items"]
    assert second["next_cursor"] is None
    assert {name: one[name] for name in anna.user} == anna.user
    assert (one["is_active"], one["project_count"], two["project_count"]) == (True, 1, 1)
    assert one["last_seen_at"] is not None
    for words, expected in {"бориС": [two], "ANNA@": [one], "example": [one, two], "%": [], "": [one, two]}.items():
        assert (await anna.get("/admin/users", params={"q": words}))["items"] == expected, words


async def test_deactivated_account_is_out_everywhere_at_once(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """Its sockets close, its tokens and its password open nothing, and no old session comes back with the account."""
    async with open_socket(server, boris) as socket:
        assert (await change(anna, boris, is_active=False))["is_active"] is False
        async with asyncio.timeout(2):
            assert await socket.closed() == CloseCode.LOGGED_OUT
    body = {"refresh_token": boris.refresh_token}
    assert_problem(await boris.call("GET", "/users/me"), 401)
    assert_problem(await boris.call("POST", "/auth/refresh", json=body), 401)
    login = {"email": boris.user["email"], "password": PASSWORD}
    assert_problem(await boris.call("POST", "/auth/login", json=login), 401)
    assert (await change(anna, boris, is_active=True))["is_active"] is True
    assert_problem(await boris.call("GET", "/users/me"), 401)
    assert_problem(await boris.call("POST", "/auth/refresh", json=body), 401)
    await boris.call("POST", "/auth/login", json=login, expect=200)


async def test_right_to_administer_is_given_and_taken(server: TestServer, anna: Person, boris: Person) -> None:
    """A new administrator administers at once, and no longer than they are one."""
    assert (await change(anna, boris, is_admin=True))["is_admin"] is True
    assert len((await boris.get("/admin/users"))["items"]) == 2
    await change(boris, anna, is_admin=False)
    assert_problem(await anna.call("GET", "/admin/users"), 403)
    assert (await change(boris, anna, is_admin=False)) == (await change(boris, anna))


async def test_somebody_always_administers(server: TestServer, anna: Person, boris: Person) -> None:
    """The last active administrator keeps the right, and nobody locks themselves out."""
    assert (await change(anna, anna, is_admin=False, expect=409))["code"] == "last_admin"
    assert (await change(anna, anna, is_active=False, expect=409))["code"] == "own_account"
    await change(anna, boris, is_admin=True)
    assert (await change(anna, anna, is_active=False, expect=409))["code"] == "own_account"
    await change(anna, boris, is_active=False)
    assert (await change(anna, anna, is_admin=False, expect=409))["code"] == "last_admin"
    await change(anna, boris, is_active=True)
    assert (await change(anna, anna, is_admin=False))["is_admin"] is False


async def test_two_who_take_each_others_right_at_once_do_not_both_succeed(
    server: TestServer, anna: Person, boris: Person
) -> None:
    """Whatever the order, one administrator is left."""
    for _ in range(5):
        await change(anna, boris, is_admin=True)
        answers = await asyncio.gather(
            anna.call("PATCH", f"/admin/users/{boris.id}", json={"is_admin": False}),
            boris.call("PATCH", f"/admin/users/{anna.id}", json={"is_admin": False}),
        )
        assert min(answer.status_code for answer in answers) == 200
        users = [await person.get("/users/me") for person in (anna, boris)]
        assert [user["is_admin"] for user in users].count(True) == 1
        if users[1]["is_admin"]:
            await change(boris, anna, is_admin=True)
            await change(anna, boris, is_admin=False)


async def test_unknown_account_is_not_found(server: TestServer, anna: Person, project: Json) -> None:
    """An id of nothing, or of something else."""
    assert_problem(await anna.call("PATCH", f"/admin/users/{project['id']}", json={"is_active": False}), 404)


async def test_health_tells_how_the_server_is(server: TestServer, anna: Person) -> None:
    """Version, database with its size and migration, broker, free space, time since the start."""
    health = await anna.get("/admin/health")
    kind = "sqlite" if server.database.is_sqlite else "postgresql"
    assert health["version"] == app.__version__
    newest = ScriptDirectory.from_config(make_config()).get_current_head()
    assert (health["database"]["kind"], health["database"]["migration"]) == (kind, newest)
    assert health["database"]["size_bytes"] > 100_000
    assert health["database"]["latency_ms"] >= 0
    assert health["broker"] == {"kind": "memory", "connected": True}
    assert health["data_free_bytes"] > 0
    assert health["backup"] == {"last_at": None}
    assert health["uptime_s"] >= 0


async def test_health_says_what_it_cannot_know(
    server: TestServer, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that is down and a disk that is away are part of the answer, not its end."""

    async def fail(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr("app.broker.memory.MemoryBroker.ping", fail)
    monkeypatch.setattr("shutil.disk_usage", lambda _: Path("/nowhere").stat())
    health = await anna.get("/admin/health")
    assert health["broker"]["connected"] is False
    assert health["data_free_bytes"] is None
