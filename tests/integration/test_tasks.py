"""Tasks over REST: what a call changes, what it tells, and what it refuses."""

import random
from typing import Any

import pytest

from tests.support.people import Json, Person, register
from tests.support.routes import assert_problem
from tests.support.server import TestServer
from tests.support.sockets import open_socket


async def patch(person: Person, task: Json, *, if_match: int | None = None, expect: int = 200, **fields: Any) -> Json:
    """Change a task."""
    headers = {"If-Match": f'"{if_match}"'} if if_match is not None else {}
    answer = await person.call("PATCH", f"/tasks/{task['id']}", json=fields, headers=headers, expect=expect)
    body: Json = answer.json()
    return body


async def move(person: Person, task: Json, status: str = "todo", **place: str) -> Json:
    """Move a task."""
    answer = await person.call("POST", f"/tasks/{task['id']}/move", json={"status": status} | place, expect=200)
    body: Json = answer.json()
    return body


async def titles(person: Person, project: Json, status: str = "todo") -> list[str]:
    """Return the titles of a column's cards in their order on the board."""
    return [card["title"] for card in (await person.board(project))["tasks"] if card["status"] == status]


async def last_event(person: Person, project: Json) -> Json:
    """Return the newest event of a project."""
    event: Json = (await person.get(f"/projects/{project['id']}/events", params={"limit": 1000}))["items"][-1]
    return event


async def test_created_task_reaches_a_colleague(server: TestServer, anna: Person, boris: Person, project: Json) -> None:
    """A task that one person creates is the next event on the other's socket."""
    await anna.add(project, boris)
    async with open_socket(server, boris) as socket:
        await socket.join(project)
        task = await anna.task(project, "Купить билеты")
        (event,) = await socket.receive_events(1)
    assert event["type"] == "task_created"
    assert event["data"]["task_id"] == task["id"]
    assert event["data"]["title"] == "Купить билеты"


async def test_task_is_what_was_asked_for(server: TestServer, anna: Person, project: Json) -> None:
    """Every field that can be given is kept, and read back the same, with the version as ETag."""
    label = await anna.label(project)
    wanted: Json = {
        "title": "Купить билеты",
        "description": "**до** пятницы",
        "status": "done",
        "priority": "high",
        "label_ids": [label["id"], label["id"]],
        "assignee_ids": [anna.id],
        "due": "2026-11-25T18:00:00+03:00",
        "checklist": [{"text": " найти ", "done": True}, {"text": "заплатить"}],
    }
    answer = await anna.call("POST", "/tasks", json={"project_id": project["id"]} | wanted, expect=201)
    task = answer.json()
    assert answer.headers["etag"] == '"1"'
    assert {
        name: task[name]
        for name in ("number", "key", "version", "comment_count", "created_by", "deleted_at", "archived_at")
    } == {
        "number": 1,
        "key": f"{project['key']}-1",
        "version": 1,
        "comment_count": 0,
        "created_by": anna.id,
        "deleted_at": None,
        "archived_at": None,
    }
    assert task["label_ids"] == [label["id"]]
    assert task["due"] == "2026-11-25T15:00:00.000Z"
    assert [(line["text"], line["done"]) for line in task["checklist"]] == [("найти", True), ("заплатить", False)]
    read = await anna.call("GET", f"/tasks/{task['id']}", expect=200)
    assert (read.json(), read.headers["etag"]) == (task, '"1"')


async def test_task_without_a_status_goes_to_the_end_of_the_first_column(sqlite_server: TestServer) -> None:
    """Numbers count up and are never given twice, not even after a deletion."""
    async with await register(sqlite_server, "Anna") as anna:
        project = await anna.project()
        made = [await anna.task(project, title) for title in "abc"]
        await anna.call("DELETE", f"/tasks/{made[2]['id']}", expect=204)
        made.append(await anna.task(project, "d"))
        assert [task["number"] for task in made] == [1, 2, 3, 4]
        assert {task["status"] for task in made} == {"todo"}
        assert await titles(anna, project) == ["a", "b", "d"]


async def test_cards_keep_the_asked_order_under_many_moves(server: TestServer, anna: Person, project: Json) -> None:
    """After any number of moves the board shows what a list in memory, moved alike, would."""
    source, order = random.Random(3), list[Json]()
    for number in range(12):
        order.append(await anna.task(project, f"card {number}"))
    for _ in range(80):
        task = order.pop(source.randrange(len(order)))
        index = source.randint(0, len(order))
        if index < len(order) and source.random() < 0.5:
            await move(anna, task, before_id=order[index]["id"])
        elif index:
            await move(anna, task, after_id=order[index - 1]["id"])
        else:
            await move(anna, task, before_id=order[0]["id"])
        order.insert(index, task)
    assert await titles(anna, project) == [task["title"] for task in order]
    positions = [card["position"] for card in (await anna.board(project))["tasks"]]
    assert positions == sorted(set(positions))
    assert max(map(len, positions)) <= 16


async def test_move_to_where_it_lies_is_nothing(server: TestServer, anna: Person, project: Json) -> None:
    """A card dropped into its own gap uses no number of the log and keeps its version."""
    first, second = await anna.task(project, "a"), await anna.task(project, "b")
    seq = (await anna.board(project))["seq"]
    assert await move(anna, first, before_id=second["id"]) == first
    assert await move(anna, second, after_id=first["id"]) == second
    assert await move(anna, second) == second
    assert (await anna.board(project))["seq"] == seq


async def test_move_beside_itself_or_a_card_elsewhere_is_refused(
    server: TestServer, anna: Person, project: Json
) -> None:
    """The neighbour must be another card of that column, and there."""
    first, other = await anna.task(project, "a"), await anna.task(project, "b", status="done")
    gone = await anna.task(project, "c")
    await anna.call("DELETE", f"/tasks/{gone['id']}", expect=204)
    for neighbour in (first, other, gone):
        body = {"status": "todo", "before_id": neighbour["id"]}
        answer = await anna.call("POST", f"/tasks/{first['id']}/move", json=body)
        assert assert_problem(answer, 422)["errors"][0]["field"] == "before_id"


@pytest.mark.parametrize(
    ("fields", "type_", "changes"),
    [
        ({"title": "Other"}, "task_updated", ["title"]),
        ({"status": "done"}, "task_moved", ["position", "status"]),
        ({"assignee_ids": "anna"}, "task_assigned", ["assignee_ids"]),
        ({"status": "done", "title": "Other"}, "task_updated", ["position", "status", "title"]),
        ({"priority": "low", "due": "2026-11-25"}, "task_updated", ["due", "priority"]),
        ({"title": "Write", "description": "New"}, "task_updated", ["description"]),
    ],
)
async def test_one_change_is_one_event_that_names_what_changed(
    server: TestServer, anna: Person, project: Json, fields: Json, type_: str, changes: list[str]
) -> None:
    """A PATCH emits one event of the fitting type; what was sent but not different is not named."""
    task = await anna.task(project)
    fields = fields | ({"assignee_ids": [anna.id]} if "assignee_ids" in fields else {})
    after = await patch(anna, task, **fields)
    event = await last_event(anna, project)
    assert (event["seq"], event["type"], event["data"]["changes"]) == (2, type_, changes)
    assert (event["user_id"], event["op_id"], event["data"]["version"]) == (anna.id, None, 2)
    assert {**event["data"], "id": event["data"]["task_id"]}.items() >= after.items()


async def test_change_of_nothing_is_no_event(server: TestServer, anna: Person, project: Json) -> None:
    """A PATCH that says what is there already, or nothing, keeps version and log as they are."""
    task = await anna.task(project, description="d", due="2026-11-25")
    for fields in ({}, {"title": task["title"]}, {"due": "2026-11-25", "description": "d", "status": "todo"}):
        assert await patch(anna, task, **fields) == task
    await anna.call("POST", f"/tasks/{task['id']}/assign", json={"user_ids": []}, expect=200)
    assert (await anna.board(project))["seq"] == 1


async def test_disjoint_changes_merge(server: TestServer, anna: Person, boris: Person, project: Json) -> None:
    """Two people who change different fields from the same version both get through."""
    await anna.add(project, boris)
    task = await anna.task(project)
    await patch(anna, task, title="Anna's", if_match=1)
    merged = await patch(boris, task, description="Boris's", if_match=1)
    assert (merged["title"], merged["description"], merged["version"]) == ("Anna's", "Boris's", 3)


async def test_same_field_changed_since_is_a_conflict_that_loses_nothing(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """The second of two writers gets both texts and the one both began with, and nothing of the body is written."""
    await anna.add(project, boris)
    task = await anna.task(project, "Base")
    await patch(anna, task, title="Theirs", if_match=1)
    seq = (await anna.board(project))["seq"]
    refusal = await patch(boris, task, title="Mine", priority="low", if_match=1, expect=409)
    assert refusal["code"] == "version_conflict"
    assert refusal["fields"] == ["title"]
    assert (refusal["mine"], refusal["theirs"], refusal["base"]) == (
        {"title": "Mine"},
        {"title": "Theirs"},
        {"title": "Base"},
    )
    assert refusal["changed"] == {"title": {"user_id": anna.id, "at": (await last_event(anna, project))["timestamp"]}}
    assert refusal["current"] == await boris.get(f"/tasks/{task['id']}")
    assert refusal["current"]["priority"] == "none"
    assert (await anna.board(project))["seq"] == seq
    assert (await patch(boris, task, title="Mine", if_match=2))["title"] == "Mine"


async def test_same_value_is_no_conflict(sqlite_server: TestServer) -> None:
    """Two people who mean the same agree; a move is no conflict with a new title; the future is refused."""
    async with await register(sqlite_server, "Anna") as anna:
        project = await anna.project()
        task = await anna.task(project)
        await patch(anna, task, title="Same")
        assert (await patch(anna, task, title="Same", if_match=1))["version"] == 2
        await move(anna, task, "done")
        assert (await patch(anna, task, description="d", if_match=1))["version"] == 4
        assert (await patch(anna, task, status="todo", if_match=1, expect=409))["fields"] == ["status"]
        refusal = await patch(anna, task, title="x", if_match=9, expect=422)
        assert refusal["errors"][0]["field"] == "If-Match"
        answer = await anna.call("PATCH", f"/tasks/{task['id']}", json={"title": "y"}, headers={"If-Match": "*"})
        assert answer.status_code == 200
        answer = await anna.call("PATCH", f"/tasks/{task['id']}", json={"title": "z"}, headers={"If-Match": 'W/"5"'})
        assert answer.json()["version"] == 6


async def test_last_writer_wins_without_a_precondition(server: TestServer, anna: Person, project: Json) -> None:
    """Without If-Match nothing is a conflict."""
    task = await anna.task(project)
    await patch(anna, task, title="first")
    assert (await patch(anna, task, title="second"))["title"] == "second"


async def test_checklist_lines_keep_their_ids(server: TestServer, anna: Person, project: Json) -> None:
    """A line that carries its id keeps it; a new one, or a second with the same id, gets its own."""
    task = await anna.task(project, checklist=[{"text": "a"}, {"text": "b"}])
    first, second = task["checklist"]
    lines = [second, {**first, "done": True}, {"id": first["id"], "text": "copy"}, {"text": "new"}]
    after = (await patch(anna, task, checklist=lines))["checklist"]
    assert [line["id"] for line in after[:2]] == [second["id"], first["id"]]
    assert len({line["id"] for line in after}) == 4
    assert after[1]["done"] is True


async def test_trash_keeps_a_task_and_gives_it_back(server: TestServer, anna: Person, project: Json) -> None:
    """A deleted task is on no board and in no list, and comes back whole, to its place."""
    label = await anna.label(project)
    made = [await anna.task(project, title, label_ids=[label["id"]], assignee_ids=[anna.id]) for title in "abc"]
    task = made[1]
    comment = await anna.comment(task)
    await anna.call("DELETE", f"/tasks/{task['id']}", expect=204)
    assert await titles(anna, project) == ["a", "c"]
    for path in (f"/tasks/{task['id']}", f"/tasks/{task['id']}/comments"):
        assert_problem(await anna.call("GET", path), 404)
    for method, path, body in [
        ("PATCH", f"/tasks/{task['id']}", {"title": "x"}),
        ("DELETE", f"/tasks/{task['id']}", None),
        ("POST", f"/tasks/{task['id']}/move", {"status": "done"}),
        ("POST", f"/tasks/{task['id']}/comments", {"body": "x"}),
        ("PATCH", f"/comments/{comment['id']}", {"body": "x"}),
        ("DELETE", f"/comments/{comment['id']}", None),
    ]:
        assert_problem(await anna.call(method, path, json=body), 404)
    (trashed,) = (await anna.get(f"/projects/{project['id']}/trash"))["items"]
    assert trashed["deleted_at"] is not None
    restored = (await anna.call("POST", f"/tasks/{task['id']}/restore", expect=200)).json()
    assert {**restored, "version": 0, "updated_at": ""} == {**task, "version": 0, "updated_at": "", "comment_count": 1}
    assert await titles(anna, project) == ["a", "b", "c"]
    assert (await anna.get(f"/tasks/{task['id']}/comments"))["items"] == [comment]
    assert_problem(await anna.call("POST", f"/tasks/{task['id']}/restore"), 404)


async def test_task_of_a_column_that_has_gone_comes_back_into_the_first(
    server: TestServer, anna: Person, project: Json
) -> None:
    """Restoring never fails for the sake of a column, and two cards never share a place."""
    column = await anna.column(project, "Soon gone")
    task = await anna.task(project, "back", status=column["key"])
    await anna.task(project, "there", status="todo")
    await anna.call("DELETE", f"/tasks/{task['id']}", expect=204)
    await anna.call("DELETE", f"/projects/{project['id']}/columns/{column['id']}", expect=204)
    restored = (await anna.call("POST", f"/tasks/{task['id']}/restore", expect=200)).json()
    assert restored["status"] == "todo"
    positions = [card["position"] for card in (await anna.board(project))["tasks"]]
    assert len(set(positions)) == 2


async def test_filters_find_exactly_what_they_say(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """Each filter alone and all together; text in any case, Cyrillic too, with wildcards taken as they are."""
    await anna.add(project, boris)
    label = await anna.label(project)
    await anna.task(project, "Купить БИЛЕТЫ", priority="high", due="2026-11-25", label_ids=[label["id"]])
    await anna.task(project, "100% done_deal", description="Ёлка в углу", status="done", assignee_ids=[boris.id])
    await anna.task(project, "Plain", due="2026-11-25T15:00:00Z")
    expected: dict[str, list[int]] = {
        "": [2, 1, 3],
        "status=done": [2],
        "status=nowhere": [],
        "priority=high": [1],
        f"assignee={boris.id}": [2],
        f"label={label['id']}": [1],
        f"label={boris.id}": [],
        "q=билеты": [1],
        "q=КУПИТЬ": [1],
        "q=ёЛКА": [2],
        "q=100%25": [2],
        "q=done_": [2],
        "q=%25": [2],
        "q=plainx": [],
        f"q={project['key'].lower()}-3": [3],
        "q=3": [3],
        "due_after=2026-11-25": [1, 3],
        "due_before=2026-11-25": [],
        "due_before=2026-11-26": [1, 3],
        "due_after=2026-11-25T10:00:00Z": [3],
        f"label={label['id']}&q=билет&priority=high&status=todo&due_after=2026-11-01": [1],
        f"label={label['id']}&status=done": [],
    }
    found = {}
    for query in expected:
        page = await anna.get(f"/projects/{project['id']}/tasks?{query}")
        found[query] = [task["number"] for task in page["items"]]
    assert found == expected
    assert_problem(await anna.call("GET", f"/projects/{project['id']}/tasks?surprise=1"), 422)


async def test_assigning_says_who_from_now_on(server: TestServer, anna: Person, boris: Person, project: Json) -> None:
    """The set is replaced; somebody who is no member is refused by the field's name."""
    task = await anna.task(project, assignee_ids=[anna.id])
    answer = await anna.call("POST", f"/tasks/{task['id']}/assign", json={"user_ids": [boris.id]})
    assert assert_problem(answer, 422)["errors"][0]["field"] == "user_ids"
    await anna.add(project, boris, "viewer")
    answer = await anna.call("POST", f"/tasks/{task['id']}/assign", json={"user_ids": [boris.id]}, expect=200)
    assert answer.json()["assignee_ids"] == [boris.id]
    assert answer.headers["etag"] == '"2"'
    event = await last_event(anna, project)
    assert (event["type"], event["data"]["assignee_ids"]) == ("task_assigned", [boris.id])
