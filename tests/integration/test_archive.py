"""The archive: off the board for good, still a task, and the way back."""

from tests.support.people import Json, Person
from tests.support.routes import assert_problem
from tests.support.server import TestServer


async def put(person: Person, task: Json, verb: str = "archive") -> Json:
    """Archive a task, or bring it back, and return it."""
    answer: Json = (await person.call("POST", f"/tasks/{task['id']}/{verb}", expect=200)).json()
    return answer


async def titles(person: Person, project: Json, part: str = "board") -> list[str]:
    """Return what stands on the board, or in a list of tasks."""
    found = await person.get(f"/projects/{project['id']}/{part}")
    return [task["title"] for task in (found["tasks"] if part == "board" else found["items"])]


async def test_archived_task_leaves_the_board_and_comes_back_to_its_place(
    server: TestServer, anna: Person, project: Json
) -> None:
    """It is off the board and the lists, can be read, and stands between its old neighbours afterwards, whole."""
    task = [await anna.task(project, title) for title in "abc"][1]
    archived = await put(anna, task)
    assert archived["archived_at"] is not None
    assert (archived["version"], archived["position"]) == (2, task["position"])
    for part in ("board", "tasks", "trash"):
        assert "b" not in await titles(anna, project, part), part
    assert await titles(anna, project, "archive") == ["b"]
    assert await anna.get(f"/tasks/{task['id']}") == archived
    await anna.task(project, "new at the end of the column")
    back = await put(anna, task, "unarchive")
    assert {**back, "version": 1, "updated_at": ""} == {**task, "updated_at": ""}
    assert (await titles(anna, project))[:3] == ["a", "b", "c"]
    assert await titles(anna, project, "archive") == []


async def test_archived_task_stays_a_task(server: TestServer, anna: Person, project: Json) -> None:
    """It can be changed, moved, assigned and commented on, and none of it brings it onto the board."""
    task = await anna.task(project, "Old")
    await put(anna, task)
    path = f"/tasks/{task['id']}"
    await anna.call("PATCH", path, json={"title": "Older"}, headers={"If-Match": '"2"'}, expect=200)
    await anna.call("POST", f"{path}/move", json={"status": "done"}, expect=200)
    await anna.call("POST", f"{path}/assign", json={"user_ids": [anna.id]}, expect=200)
    await anna.comment(task)
    now = await anna.get(path)
    assert (now["title"], now["status"], now["assignee_ids"]) == ("Older", "done", [anna.id])
    assert now["archived_at"] is not None
    assert await titles(anna, project) == []


async def test_archive_is_listed_newest_first_page_by_page(server: TestServer, anna: Person, project: Json) -> None:
    """Every archived task once, the last one put there first; `q` narrows it, in any case and alphabet."""
    made = [await anna.task(project, title) for title in ("Ёлка", "Старая ёлка", "Plain", "Last")]
    for task in reversed(made):
        await put(anna, task)
    found, cursor = [], None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = await anna.get(f"/projects/{project['id']}/archive", params=query)
        found += [task["title"] for task in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == ["Ёлка", "Старая ёлка", "Plain", "Last"]
    for words, expected in {"ЕЛКА": ["Ёлка", "Старая ёлка"], "елка стар": ["Старая ёлка"], "#3": ["Plain"]}.items():
        page = await anna.get(f"/projects/{project['id']}/archive", params={"q": words})
        assert [task["title"] for task in page["items"]] == expected, words


async def test_column_can_go_while_its_cards_are_archived(server: TestServer, anna: Person, project: Json) -> None:
    """Archived cards do not hold a column; they come back into the first one, each to a place of its own."""
    column = await anna.column(project, "Soon gone")
    task = await anna.task(project, "back", status=column["key"])
    await anna.task(project, "there", status="todo")
    await put(anna, task)
    await anna.call("DELETE", f"/projects/{project['id']}/columns/{column['id']}", expect=204)
    assert (await put(anna, task, "unarchive"))["status"] == "todo"
    positions = [card["position"] for card in (await anna.board(project))["tasks"]]
    assert len(set(positions)) == 2


async def test_trash_takes_out_of_the_archive(server: TestServer, anna: Person, project: Json) -> None:
    """A deleted archived task is in the trash alone, and what comes out of the trash comes onto the board."""
    task = await anna.task(project, "Old")
    await put(anna, task)
    await anna.call("DELETE", f"/tasks/{task['id']}", expect=204)
    assert await titles(anna, project, "archive") == []
    assert await titles(anna, project, "trash") == ["Old"]
    for verb in ("archive", "unarchive"):
        assert_problem(await anna.call("POST", f"/tasks/{task['id']}/{verb}"), 404)
    restored = await put(anna, task, "restore")
    assert (restored["archived_at"], restored["deleted_at"]) == (None, None)
    assert await titles(anna, project) == ["Old"]


async def test_archiving_is_for_editors(server: TestServer, anna: Person, boris: Person, project: Json) -> None:
    """Who may not change tasks sees the archive and leaves it as it is."""
    task = await anna.task(project)
    await anna.add(project, boris, "commenter")
    for verb in ("archive", "unarchive"):
        assert_problem(await boris.call("POST", f"/tasks/{task['id']}/{verb}"), 403)
    await put(anna, task)
    assert await titles(boris, project, "archive") == ["Write"]


async def test_lists_say_who_put_each_away(server: TestServer, anna: Person, boris: Person, project: Json) -> None:
    """Of several times the last one counts; what only others did to it does not."""
    await anna.add(project, boris)
    archived, deleted = [await anna.task(project, title) for title in ("Archived", "Deleted")]
    await put(anna, archived)
    await put(anna, archived, "unarchive")
    await put(boris, archived)
    await anna.comment(archived)
    await anna.call("DELETE", f"/tasks/{deleted['id']}", expect=204)
    for part, who in (("archive", boris), ("trash", anna)):
        (found,) = (await anna.get(f"/projects/{project['id']}/{part}"))["items"]
        assert (found["put_away_by"], found["put_away_by_name"]) == (who.id, "Boris" if who is boris else "Anna")
