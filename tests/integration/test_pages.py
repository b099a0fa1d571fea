"""Every list, read page by page, holds each thing exactly once, in order."""

import itertools

import pytest

from tests.support.people import Json, Person
from tests.support.routes import SUBSCRIPTION, assert_problem, operations
from tests.support.server import TestServer

LISTS = {
    "/api/v1/auth/sessions",
    "/api/v1/notifications",
    "/api/v1/push/devices",
    "/api/v1/projects",
    "/api/v1/projects/trash",
    "/api/v1/projects/{project_id}/members",
    "/api/v1/projects/{project_id}/invitations",
    "/api/v1/projects/{project_id}/tasks",
    "/api/v1/projects/{project_id}/archive",
    "/api/v1/projects/{project_id}/trash",
    "/api/v1/projects/{project_id}/views",
    "/api/v1/search",
    "/api/v1/tasks/{task_id}/activity",
    "/api/v1/users/me/mentions",
    "/api/v1/users/me/tasks",
    "/api/v1/admin/users",
    "/api/v1/tasks/{task_id}/comments",
}
SHORT = ("members", "admin/users", "push/devices")
"""There are two people, and two devices."""


async def fill(anna: Person, boris: Person, project: Json) -> Json:
    """Make seven things for each list; return a task with seven comments."""
    await anna.add(project, boris)
    for number in range(2):
        device = SUBSCRIPTION | {"endpoint": f"{SUBSCRIPTION['endpoint']}/{number}"}
        await anna.call("POST", "/push/devices", json=device, expect=201)
    mine = [anna.user["id"]]
    tasks = [
        await anna.task(project, f"word {n}", status=("todo", "in_progress")[n % 2], assignee_ids=mine)
        for n in range(21)
    ]
    for task in tasks[7:14]:
        await anna.call("DELETE", f"/tasks/{task['id']}", expect=204)
    for task in tasks[14:]:
        await anna.call("POST", f"/tasks/{task['id']}/archive", expect=200)
    for number in range(7):
        await boris.comment(tasks[0], f"@Anna {number}")
        view = {"name": f"View {number}", "query": "assignee=me"}
        await anna.call("POST", f"/projects/{project['id']}/views", json=view, expect=201)
        await anna.call("POST", f"/projects/{project['id']}/invitations", json={"role": "viewer"}, expect=201)
        await anna.project(str(number))
        gone = await anna.project(f"Gone {number}")
        await anna.call("DELETE", f"/projects/{gone['id']}", expect=204)
        login = {"email": anna.user["email"], "password": "correct horse battery"}
        await anna.call("POST", "/auth/login", json=login, expect=200)
    return tasks[0]


@pytest.mark.parametrize("limit", [1, 3])
async def test_pages_together_are_the_list(
    server: TestServer, anna: Person, boris: Person, project: Json, limit: int
) -> None:
    """Walking a list by pages of any size gives each item once, as reading it at once does."""
    task = await fill(anna, boris, project)
    for path in sorted(LISTS):
        target = server.url + path.format(project_id=project["id"], task_id=task["id"])
        search = {"q": "word"} if path.endswith("/search") else {}
        whole = (await anna.get(target, params={"limit": 200} | search))["items"]
        walked, cursor = [], None
        for _ in itertools.count():
            page = await anna.get(target, params={"limit": limit} | search | ({"cursor": cursor} if cursor else {}))
            assert len(page["items"]) <= limit
            walked += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert walked == whole, path
        assert len(whole) >= (2 if path.endswith(SHORT) else 7), path


async def test_page_bounds_are_bounds(server: TestServer, anna: Person, project: Json) -> None:
    """Pages have 1 to 200 items; a cursor of another list, or of nobody's, is a bad request."""
    target = f"/projects/{project['id']}/tasks"
    for limit in ("0", "201", "-1", "x"):
        refusal = assert_problem(await anna.call("GET", target, params={"limit": limit}), 422)
        assert refusal["errors"][0]["field"] == "limit"
    await anna.task(project)
    await anna.project()
    other = (await anna.get("/projects", params={"limit": 1}))["next_cursor"]
    assert_problem(await anna.call("GET", target, params={"cursor": other}), 400)
    assert_problem(await anna.call("GET", target, params={"cursor": "nonsense"}), 400)


async def test_list_of_lists_is_complete(sqlite_server: TestServer) -> None:
    """A new list is walked above too."""
    found = operations(sqlite_server.application)
    assert {operation.path for operation in found if "cursor" in operation.query_names} == LISTS
