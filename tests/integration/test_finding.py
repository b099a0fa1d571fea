"""What is found across projects: one's own tasks, mentions, hits of a search, the activity of a task."""

from typing import Any

import pytest

from tests.support.people import Json, Person
from tests.support.routes import assert_problem
from tests.support.server import TestServer


async def pages(person: Person, path: str, limit: int = 2, **query: Any) -> list[Json]:
    """Return every item of a list, read in small pages."""
    found: list[Json] = []
    query["limit"] = limit
    while True:
        page = await person.get(path, params=query)
        assert len(page["items"]) <= limit
        found += page["items"]
        if (cursor := page["next_cursor"]) is None:
            return found
        query["cursor"] = cursor


async def comment_in(person: Person, project: Json, title: str, body: str) -> Json:
    """Make a task and a comment on it."""
    return await person.comment(await person.task(project, title), body)


async def test_my_tasks_come_from_all_my_projects_by_due_date(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """Open ones assigned to me, the most urgent first, those without a date last, each with where it is."""
    other = await anna.project("Other")
    await anna.add(project, boris)
    for title, where, due in [
        ("later", project, "2026-12-01"),
        ("undated, older", project, None),
        ("at a time", other, "2026-11-25T15:00:00Z"),
        ("on the day", project, "2026-11-25"),
        ("undated, newer", other, None),
        ("also later", other, "2026-12-01"),
    ]:
        await anna.task(where, title, due=due, assignee_ids=[anna.id])
    await anna.task(project, "somebody else's", assignee_ids=[boris.id])
    found = await pages(anna, "/users/me/tasks")
    assert [task["title"] for task in found] == [
        *("on the day", "at a time", "also later", "later"),
        *("undated, newer", "undated, older"),
    ]
    assert found[1]["project"] == {name: other[name] for name in ("id", "key", "name")}
    assert found[1]["column"] == {"key": "todo", "name": "To do", "is_done": False}
    assert found[1]["key"] == f"{other['key']}-1"
    assert "description" not in found[1]


async def test_my_tasks_leave_out_what_is_done_with(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """Done, archived, in the trash, in a deleted project, or in one that I left: none of them waits for me."""
    mine = {"assignee_ids": [boris.id]}
    await anna.add(project, boris)
    await anna.task(project, "done", status="done", **mine)
    await anna.call("POST", f"/tasks/{(await anna.task(project, 'archived', **mine))['id']}/archive", expect=200)
    await anna.call("DELETE", f"/tasks/{(await anna.task(project, 'trashed', **mine))['id']}", expect=204)
    await anna.task(project, "open", **mine)
    deleted, left = await anna.project("Deleted"), await anna.project("Left")
    for where in (deleted, left):
        await anna.add(where, boris)
        await anna.task(where, "there", **mine)
    await anna.call("DELETE", f"/projects/{deleted['id']}", expect=204)
    await anna.call("DELETE", f"/projects/{left['id']}/members/{boris.id}", expect=204)
    assert [task["title"] for task in await pages(boris, "/users/me/tasks")] == ["open"]


async def test_mentions_are_the_comments_that_name_me(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """Newest first, from all my projects, without deleted ones; an edit can add and take away a mention."""
    other = await anna.project("Other")
    await anna.add(project, boris)
    first = await comment_in(boris, project, "One", "@Anna look")
    await comment_in(boris, project, "Two", "nobody")
    edited = await comment_in(boris, project, "Three", "not yet")
    second = await comment_in(anna, other, "Four", "a note for @anna")
    deleted = await comment_in(boris, project, "Five", "@Anna gone")
    await boris.call("DELETE", f"/comments/{deleted['id']}", expect=204)
    await boris.call("PATCH", f"/comments/{edited['id']}", json={"body": "now, @Anna and @Anna"}, expect=200)
    found = await pages(anna, "/users/me/mentions")
    assert [mention["id"] for mention in found] == [second["id"], edited["id"], first["id"]]
    assert found[0]["project"] == {name: other[name] for name in ("id", "key", "name")}
    assert found[0]["task"] == {
        "id": second["task_id"],
        "key": f"{other['key']}-1",
        "number": 1,
        "title": "Four",
    }
    assert {name: found[2][name] for name in first} == first
    await boris.call("PATCH", f"/comments/{edited['id']}", json={"body": "never mind"}, expect=200)
    await anna.call("DELETE", f"/tasks/{second['task_id']}", expect=204)
    assert [mention["id"] for mention in await pages(anna, "/users/me/mentions")] == [first["id"]]
    await boris.call("POST", f"/comments/{deleted['id']}/restore", expect=200)
    assert len(await pages(anna, "/users/me/mentions")) == 2


async def test_mentions_in_a_project_i_left_are_no_longer_mine_to_read(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """Whoever lost access to a project reads nothing of it, mentions included."""
    await anna.add(project, boris)
    await comment_in(anna, project, "One", "@Boris secret")
    assert len(await pages(boris, "/users/me/mentions")) == 1
    await anna.call("DELETE", f"/projects/{project['id']}/members/{boris.id}", expect=204)
    assert await pages(boris, "/users/me/mentions") == []


async def hits(person: Person, words: str, **query: Any) -> list[str]:
    """Search, and return what was found: the title of a task, or what a comment says."""
    found = await pages(person, "/search", q=words, **query)
    return [hit["task"]["title"] if hit["kind"] == "task" else f"«{hit['comment']['body']}»" for hit in found]


async def test_search_finds_words_in_any_case_alphabet_and_order(
    server: TestServer, anna: Person, project: Json
) -> None:
    """Every word must be there, as a part of a word is enough; wildcards are letters like others."""
    await anna.task(project, "Купить ЁЛКУ", description="К  Новому\nгоду")
    await anna.task(project, "Straße 100% done_deal", description="Über uns")
    await anna.task(project, "Plain")
    expected = {
        "елку": ["Купить ЁЛКУ"],
        "ЁЛК КУПИ": ["Купить ЁЛКУ"],
        "новому году": ["Купить ЁЛКУ"],
        "елку завтра": [],
        "STRASSE": ["Straße 100% done_deal"],
        "über": ["Straße 100% done_deal"],
        "100%": ["Straße 100% done_deal"],
        "e_d": ["Straße 100% done_deal"],
        "e%d": [],
        "p": ["Plain"],
    }
    assert {words: await hits(anna, words) for words in expected} == expected


async def test_search_puts_the_named_card_and_titles_first(server: TestServer, anna: Person, project: Json) -> None:
    """The card of that key, titles, descriptions, comments; the newest first in each; every page once."""
    await anna.task(project, "ten 2 at a time")
    named = await anna.task(project, "named", description="nothing")
    for title, description in [("a", "2 of them"), ("2 titles", ""), ("b", "and 2 more"), ("or 2", "")]:
        await anna.task(project, title, description=description)
    for body in ("2", "not this", "twice 22"):
        await anna.comment(named, body)
    expected = ["named", "or 2", "2 titles", "ten 2 at a time", "b", "a", "«twice 22»", "«2»"]
    assert await hits(anna, "2") == expected
    for limit in (1, 3, 200):
        assert await hits(anna, "2", limit=limit) == expected
    for name in ("#2", f"{project['key']}-2", project["key"].lower() + "-2"):
        assert await hits(anna, name) == ["named"], name
    assert await hits(anna, "OTHER-2") == []


async def test_search_follows_changes_and_finds_the_archived_but_not_the_deleted(
    server: TestServer, anna: Person, project: Json
) -> None:
    """A text is found as it is now; the archive is searched, the trash is not."""
    task = await anna.task(project, "before", description="stays")
    comment = await anna.comment(task, "said before")
    await anna.call("PATCH", f"/tasks/{task['id']}", json={"title": "after"}, expect=200)
    await anna.call("PATCH", f"/comments/{comment['id']}", json={"body": "said after"}, expect=200)
    assert await hits(anna, "before") == []
    assert await hits(anna, "after") == ["after", "«said after»"]
    assert await hits(anna, "stays") == ["after"]
    await anna.call("POST", f"/tasks/{task['id']}/archive", expect=200)
    (hit, _) = await pages(anna, "/search", q="after")
    assert hit["task"]["archived_at"] is not None
    await anna.call("DELETE", f"/comments/{comment['id']}", expect=204)
    assert await hits(anna, "after") == ["after"]
    await anna.call("DELETE", f"/tasks/{task['id']}", expect=204)
    assert await hits(anna, "after") == []


async def test_search_says_where_and_shows_the_place(server: TestServer, anna: Person, project: Json) -> None:
    """A hit has its project, its card and a line of text around the word."""
    long = "начало " * 40 + "тут Иголка лежит" + " конец" * 40
    task = await anna.task(project, "Стог", description=long)
    comment = await anna.comment(task, "иголка")
    by_description, by_comment = await pages(anna, "/search", q="ИГОЛКА")
    assert by_description["project"] == {name: project[name] for name in ("id", "key", "name")}
    assert "тут Иголка лежит" in by_description["excerpt"]
    assert by_description["excerpt"].startswith("…")
    assert by_description["excerpt"].endswith("…")
    assert len(by_description["excerpt"]) <= 162
    del task["description"]
    assert by_description["task"] == task | {"comment_count": 1}
    assert (by_comment["excerpt"], by_comment["comment"]) == ("иголка", comment)
    (by_title,) = await pages(anna, "/search", q="стог")
    assert by_title["excerpt"].startswith("начало начало")


async def test_search_stays_within_ones_projects(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """Members find, others do not; one project can be named, a public one by anybody, a private one by nobody else."""
    other = await anna.project("Other")
    await anna.task(project, "needle here")
    await anna.comment(await anna.task(other, "needle there"), "needle said")
    assert await hits(anna, "needle") == ["needle there", "needle here", "«needle said»"]
    assert await hits(anna, "needle", project_id=other["id"]) == ["needle there", "«needle said»"]
    assert await hits(boris, "needle") == []
    assert_problem(await boris.call("GET", f"/search?q=needle&project_id={project['id']}"), 404)
    await anna.call("PATCH", f"/projects/{project['id']}", json={"visibility": "public"}, expect=200)
    assert await hits(boris, "needle") == []
    assert await hits(boris, "needle", project_id=project["id"]) == ["needle here"]
    await anna.call("DELETE", f"/projects/{other['id']}", expect=204)
    assert await hits(anna, "needle") == ["needle here"]


@pytest.mark.parametrize("query", ["", "q=", "q=%20", f"q={'x' * 201}", "q=a&cursor=nonsense", "q=a&project_id=1"])
async def test_search_refuses_what_it_cannot_look_for(server: TestServer, anna: Person, query: str) -> None:
    """No words, too many letters, a cursor of another list, a project that is no id."""
    assert assert_problem(await anna.call("GET", f"/search?{query}"))["status"] in (400, 422)


async def test_activity_is_the_log_of_one_task(server: TestServer, anna: Person, project: Json) -> None:
    """Everything that happened to it and its comments, newest first, as the log has it, and nothing else."""
    task = await anna.task(project)
    other = await anna.task(project, "Other")
    await anna.call("PATCH", f"/tasks/{task['id']}", json={"title": "New"}, expect=200)
    comment = await anna.comment(task)
    await anna.comment(other)
    await anna.label(project)
    await anna.call("DELETE", f"/comments/{comment['id']}", expect=204)
    found = await pages(anna, f"/tasks/{task['id']}/activity")
    assert [event["type"] for event in found] == ["comment_deleted", "comment_added", "task_updated", "task_created"]
    log = (await anna.get(f"/projects/{project['id']}/events"))["items"]
    assert found == [event for event in reversed(log) if event["data"].get("task_id") == task["id"]]
    await anna.call("DELETE", f"/tasks/{task['id']}", expect=204)
    assert_problem(await anna.call("GET", f"/tasks/{task['id']}/activity"), 404)
