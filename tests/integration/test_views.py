"""Saved views: each person's own."""

from app.services.views import MAX_VIEWS
from tests.support.people import Json, Person
from tests.support.routes import assert_problem
from tests.support.server import TestServer


async def test_view_is_kept_changed_and_forgotten(server: TestServer, anna: Person, project: Json) -> None:
    """It is there as it was saved, changes what is sent, and goes; nobody is told of it by an event."""
    path = f"/projects/{project['id']}/views"
    made = await anna.view(project, " Моё ", "assignee=me&due=week")
    other = await anna.view(project, "All", "")
    assert {name: made[name] for name in ("name", "query")} == {"name": "Моё", "query": "assignee=me&due=week"}
    assert (await anna.get(path)) == {"items": [made, other], "next_cursor": None}
    first = await anna.get(path, params={"limit": 1})
    assert (await anna.get(path, params={"cursor": first["next_cursor"]}))["items"] == [other]
    renamed = (await anna.call("PATCH", f"{path}/{made['id']}", json={"name": "Mine"}, expect=200)).json()
    assert renamed == made | {"name": "Mine"}
    assert (await anna.call("PATCH", f"{path}/{made['id']}", json={}, expect=200)).json() == renamed
    await anna.call("DELETE", f"{path}/{other['id']}", expect=204)
    assert (await anna.get(path))["items"] == [renamed]
    assert_problem(await anna.call("DELETE", f"{path}/{other['id']}"), 404)
    assert (await anna.board(project))["seq"] == 0


async def test_views_are_personal(server: TestServer, anna: Person, boris: Person, project: Json) -> None:
    """A colleague has their own and cannot touch others'; whoever only reads a public project keeps none."""
    path = f"/projects/{project['id']}/views"
    view = await anna.view(project)
    await anna.add(project, boris, "viewer")
    assert (await boris.get(path))["items"] == []
    await boris.view(project, "His")
    for method in ("PATCH", "DELETE"):
        assert_problem(await boris.call(method, f"{path}/{view['id']}", json={"name": "x"}), 404)
    assert (await anna.get(path))["items"] == [view]


async def test_view_is_made_once_however_often_it_is_sent(server: TestServer, anna: Person, project: Json) -> None:
    """The same call under the same key gives the same view."""
    path, body = f"/projects/{project['id']}/views", {"name": "Mine", "query": "assignee=me"}
    answers = [
        (await anna.call("POST", path, json=body, headers={"Idempotency-Key": "view"}, expect=201)).json()
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert (await anna.get(path))["items"] == [answers[0]]


async def test_views_have_limits(server: TestServer, anna: Person, project: Json) -> None:
    """A name and a query have a length, a menu has an end."""
    path = f"/projects/{project['id']}/views"
    for body in ({"name": "", "query": ""}, {"name": "x" * 61, "query": ""}, {"name": "x", "query": "x" * 2001}):
        assert_problem(await anna.call("POST", path, json=body), 422)
    for number in range(MAX_VIEWS):
        await anna.view(project, str(number))
    assert_problem(await anna.call("POST", path, json={"name": "x", "query": ""}), 409)
