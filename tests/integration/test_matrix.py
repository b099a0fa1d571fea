"""Every route, called by whom it must not serve. The routes come from the application, so a new one is in by itself."""

import pytest

from app.config import Settings
from app.main import create_app
from tests.support.people import Json, Person
from tests.support.routes import World, assert_problem, build_world, operations
from tests.support.server import TestServer

PUBLIC = {
    "GET /api/v1/server": "the sign-in page must know who may register",
    "POST /api/v1/auth/register": "who registers has no credentials yet",
    "POST /api/v1/auth/login": "who signs in has no credentials yet",
    "POST /api/v1/auth/forgot": "who forgot their password has no credentials",
    "POST /api/v1/auth/reset": "the token of the mailed link is the credential",
    "GET /api/v1/invitations/{token}": "the token of the link is the credential",
    "POST /api/v1/mail/unsubscribe/{token}": "the token of the mail is the credential",
    "GET /api/v1/mail/unsubscribe/{token}": "leads to the page that asks",
    "GET /api/v1/ws/stats": "numbers for everyone (docs/protocol.md, statistics)",
    "GET /healthz": "asked by supervisors",
    "GET /readyz": "asked by load balancers",
    "GET /metrics": "asked by Prometheus",
}
READABLE_WHEN_PUBLIC = {
    "GET /api/v1/projects/{project_id}",
    "GET /api/v1/projects/{project_id}/board",
    "GET /api/v1/projects/{project_id}/tasks",
    "GET /api/v1/projects/{project_id}/archive",
    "GET /api/v1/projects/{project_id}/events",
    "GET /api/v1/projects/{project_id}/events/stream",
    "GET /api/v1/tasks/{task_id}",
    "GET /api/v1/tasks/{task_id}/comments",
    "GET /api/v1/tasks/{task_id}/activity",
}
"""Anybody may read a public project; a private one does not exist for them."""
ADMINISTRATION = "/api/v1/admin/"
"""Refused to whoever is no administrator before any id is looked at."""
CAPABILITIES = {
    "GET /api/v1/invitations/{token}": "whoever holds the link may see it",
    "GET /api/v1/mail/unsubscribe/{token}": "reads nothing",
    "POST /api/v1/invitations/{token}/accept": "whoever holds the link may join",
}


@pytest.fixture
async def victim(server: TestServer, anna: Person) -> World:
    """A private project of Anna's with one thing of every kind."""
    return await build_world(anna)


async def test_no_route_serves_without_credentials(server: TestServer, victim: World) -> None:
    """Without credentials every route answers 401 (404 where only a public project could be read) and does nothing."""
    before = await victim.state()
    found: dict[str, int] = {}
    async with server.client(base_url=server.url) as client:
        for operation in operations(server.application):
            if operation.name in PUBLIC:
                continue
            body = victim.body(operation) if operation.body else None
            answer = await client.request(operation.method, victim.fill(operation.path), json=body)
            assert_problem(answer)
            found[operation.name] = answer.status_code
    assert found == {name: 404 if name in READABLE_WHEN_PUBLIC else 401 for name in found}
    assert len(found) >= 40
    assert await victim.state() == before


@pytest.mark.parametrize("header", ["Bearer", "Basic YTpi", "Bearer a.b.c"])
async def test_no_route_serves_bad_credentials(sqlite_server: TestServer, header: str) -> None:
    """Credentials that are no good are refused everywhere, also where none are needed."""
    nothing = "0199f3a0-1c00-7000-8000-0000000000a1"
    async with sqlite_server.client(base_url=sqlite_server.url, headers={"Authorization": header}) as client:
        for operation in operations(sqlite_server.application):
            if operation.name in PUBLIC or operation.name == "POST /api/v1/auth/refresh":
                continue
            path = operation.path.format(**dict.fromkeys(operation.path_names, nothing))
            answer = await client.request(operation.method, path, json=BODIES.get(operation.name))
            assert assert_problem(answer, 401)["code"] == "unauthorized", operation.name
            assert answer.headers["www-authenticate"] == "Bearer" or "stream" in operation.path


BODIES = {"POST /api/v1/auth/password": {"current_password": "x", "new_password": "long enough"}}
"""Routes that check the body before the credentials get a good one."""


async def test_ids_of_a_foreign_project_are_unknown_everywhere(
    server: TestServer, victim: World, boris: Person
) -> None:
    """A stranger gets 404 for every id of a private project in every path, and changes nothing there."""
    before = await victim.state()
    found: dict[str, int] = {}
    for operation in operations(server.application):
        if not operation.path_names or operation.name in CAPABILITIES or operation.path.startswith(ADMINISTRATION):
            continue
        for task in ("task_id", "trashed_id"):
            path = victim.fill(operation.path, task_id=victim.ids[task])
            answer = await boris.call(operation.method, server.url + path, json=victim.body(operation))
            assert_problem(answer)
            found[f"{operation.name} {task}"] = answer.status_code
    assert {name: status for name, status in found.items() if status != 404} == {}
    assert len(found) >= 60
    assert await victim.state() == before


async def test_foreign_children_are_unknown_in_ones_own_project(
    server: TestServer, victim: World, boris: Person
) -> None:
    """An owner gets 404 for the columns, labels, members and invitations of another project under their own one."""
    own = await build_world(boris)
    before, own_before = await victim.state(), await own.state()
    found: dict[str, int] = {}
    for operation in operations(server.application):
        if operation.path.startswith(ADMINISTRATION):
            continue
        for name in set(operation.path_names) - {"project_id", "token"}:
            path = own.fill(operation.path, **{name: victim.ids[name]})
            answer = await boris.call(operation.method, server.url + path, json=victim.body(operation))
            found[f"{operation.name} {name}"] = answer.status_code
    assert {name: status for name, status in found.items() if status != 404} == {}
    assert await victim.state() == before
    assert await own.state() == own_before


async def test_foreign_ids_in_bodies_are_refused_by_name(server: TestServer, victim: World, boris: Person) -> None:
    """An id of another project in any place of any body is refused by the field's name and changes nothing anywhere."""
    own = await build_world(boris)
    before, own_before = await victim.state(), await own.state()
    column = await victim.owner.column(victim.project, "Only there")
    foreign = foreign_values(victim) | {"status": column["key"]}
    found: Json = {}
    for operation in operations(server.application):
        for name in filter(operation.is_id, operation.fields):
            value = [foreign[name]] if operation.is_list(name) else foreign[name]
            path = server.url + own.fill(operation.path)
            answer = await boris.call(operation.method, path, json=own.body(operation) | {name: value})
            fields = [error["field"] for error in assert_problem(answer).get("errors", [])]
            found[f"{operation.name} {name}"] = (answer.status_code, fields)
    expected = {key: (404, []) if key.endswith(" project_id") else (422, [key.rpartition(" ")[2]]) for key in found}
    assert found == expected
    assert {key.rpartition(" ")[2] for key in found} == set(foreign)
    await victim.owner.call("DELETE", f"/projects/{victim.project['id']}/columns/{column['id']}", expect=204)
    assert without_seq(await victim.state()) == without_seq(before)
    assert await own.state() == own_before


def foreign_values(victim: World) -> dict[str, str]:
    """An existing id of the victim's for each place where a body takes one."""
    return {
        "project_id": victim.ids["project_id"],
        "label_ids": victim.ids["label_id"],
        "assignee_ids": victim.ids["user_id"],
        "user_ids": victim.ids["user_id"],
        "before_id": victim.ids["task_id"],
        "after_id": victim.ids["column_id"],
    }


def without_seq(state: Json) -> Json:
    """Leave out the head of the log, which this test itself has moved."""
    return {path: {**part, "seq": 0} if path.endswith("/board") else part for path, part in state.items()}


async def test_public_project_can_be_read_and_nothing_else(server: TestServer, victim: World, boris: Person) -> None:
    """Without a role one reads a public project; every change is 401 without and 403 with credentials."""
    await victim.owner.call("PATCH", f"/projects/{victim.project['id']}", json={"visibility": "public"}, expect=200)
    before = await victim.state()
    found: Json = {}
    async with server.client(base_url=server.url) as client:
        for operation in operations(server.application):
            if not set(operation.path_names) & {"project_id", "task_id", "comment_id"} or "stream" in operation.path:
                continue
            path, body = victim.fill(operation.path), victim.body(operation)
            anonymous = await client.request(operation.method, path, json=body)
            stranger = await boris.call(operation.method, server.url + path, json=body)
            found[operation.name] = (anonymous.status_code, stranger.status_code)
    assert found == {name: (200, 200) if name in READABLE_WHEN_PUBLIC else (401, 403) for name in found}
    assert await victim.state() == before


async def test_administration_is_for_administrators(server: TestServer, victim: World, boris: Person) -> None:
    """Whoever is none is refused by every route of administration, whatever they name."""
    before = await victim.state()
    found: dict[str, int] = {}
    for operation in operations(server.application):
        if operation.path.startswith(ADMINISTRATION):
            for user_id in (victim.owner.id, boris.id, victim.ids["task_id"]):
                path = victim.fill(operation.path, user_id=user_id)
                answer = await boris.call(operation.method, server.url + path, json={"is_admin": True})
                assert_problem(answer)
                found[operation.name] = answer.status_code
    assert set(found.values()) == {403}
    assert len(found) >= 3
    assert await victim.state() == before
    assert (await boris.get("/users/me"))["is_admin"] is False


def test_lists_of_exceptions_name_routes_that_exist(sqlite_settings: Settings) -> None:
    """An exception for a route that has gone is removed."""
    names = {operation.name for operation in operations(create_app(sqlite_settings))}
    assert (PUBLIC.keys() | READABLE_WHEN_PUBLIC | CAPABILITIES.keys() | BODIES.keys()) <= names
