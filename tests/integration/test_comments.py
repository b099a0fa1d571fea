"""Comments and the history of a project."""

from sqlalchemy import update

from app.models import Project
from app.services import retention
from tests.support.people import Json, Person
from tests.support.routes import assert_problem
from tests.support.server import TestServer


async def count(person: Person, project: Json) -> int:
    """Return the number of comments that the only card shows."""
    (card,) = (await person.board(project))["tasks"]
    return int(card["comment_count"])


async def test_comment_names_its_author_and_whom_it_mentions(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """A mention is a member's name after an at sign; somebody who is no member is not mentioned."""
    task = await anna.task(project)
    before = await anna.comment(task, "@boris?")
    await anna.add(project, boris, "commenter")
    comment = await boris.comment(task, "@anna и @BORIS, смотрите; @Clara нет")
    assert before["mentions"] == []
    assert comment["mentions"] == sorted([anna.id, boris.id])
    assert (comment["author_id"], comment["author_name"], comment["edited"]) == (boris.id, "Boris", False)
    assert (await anna.get(f"/tasks/{task['id']}/comments"))["items"] == [before, comment]
    event = (await anna.get(f"/projects/{project['id']}/events"))["items"][-1]
    assert (event["type"], event["data"]["comment_id"]) == ("comment_added", comment["id"])
    assert event["data"]["comment_count"] == 2


async def test_comment_is_changed_by_its_author_or_an_admin(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """Others' comments are theirs; an admin of the project may moderate; a changed one says so."""
    await anna.add(project, boris)
    task = await anna.task(project)
    of_anna, of_boris = await anna.comment(task), await boris.comment(task)
    for method in ("PATCH", "DELETE"):
        assert_problem(await boris.call(method, f"/comments/{of_anna['id']}", json={"body": "x"}), 403)
    path = f"/comments/{of_boris['id']}"
    after = (await boris.call("PATCH", path, json={"body": "@Anna"}, expect=200)).json()
    assert (after["body"], after["mentions"], after["edited"], after["version"]) == ("@Anna", [anna.id], True, 2)
    seq = (await anna.board(project))["seq"]
    assert (await anna.call("PATCH", path, json={"body": "@Anna"}, expect=200)).json() == after
    assert (await anna.board(project))["seq"] == seq
    assert (await anna.call("PATCH", path, json={"body": "moderated"}, expect=200)).json()["author_name"] == "Boris"
    assert await count(anna, project) == 2
    await anna.call("DELETE", path, expect=204)
    assert await count(anna, project) == 1
    assert_problem(await boris.call("DELETE", path), 404)


async def test_history_is_read_in_pages_to_the_head(server: TestServer, anna: Person, project: Json) -> None:
    """Pages follow one another by `next_since`, without a gap, until it is null."""
    for number in range(7):
        await anna.task(project, str(number))
    path, since, seqs = f"/projects/{project['id']}/events", 0, list[int]()
    while True:
        page = await anna.get(path, params={"since": since, "limit": 3})
        seqs += [event["seq"] for event in page["items"]]
        assert (page["seq"], page["floor"]) == (7, 0)
        if page["next_since"] is None:
            break
        since = page["next_since"]
    assert seqs == list(range(1, 8))
    assert (await anna.get(path, params={"since": 7}))["items"] == []


async def test_history_that_is_not_all_there_is_gone(server: TestServer, anna: Person, project: Json) -> None:
    """Another epoch, a position ahead, or one that was trimmed: 410 with the reason and where the log stands."""
    for number in range(5):
        await anna.task(project, str(number))
    path, epoch = f"/projects/{project['id']}/events", (await anna.board(project))["epoch"]
    keep_two = server.settings.model_copy(update={"log_keep_events": 2})
    await retention.sweep(server.database, keep_two)
    codes = {}
    for query in (f"since=2&epoch={epoch}", "since=6", "since=0&epoch=other", "since=9007199254740991"):
        refusal = assert_problem(await anna.call("GET", f"{path}?{query}"), 410)
        assert (refusal["epoch"], refusal["seq"], refusal["floor"]) == (epoch, 5, 3)
        codes[query.partition("&")[0]] = refusal["code"]
    assert codes == {
        "since=2": "expired",
        "since=6": "position_ahead",
        "since=0": "epoch_changed",
        "since=9007199254740991": "position_ahead",
    }
    assert [event["seq"] for event in (await anna.get(f"{path}?since=3&epoch={epoch}"))["items"]] == [4, 5]


async def test_conflict_whose_base_is_forgotten_still_tells_both_sides(
    server: TestServer, anna: Person, project: Json
) -> None:
    """When the log no longer has the common version, `base` is null and nothing else is missing."""
    task = await anna.task(project)
    await anna.call("PATCH", f"/tasks/{task['id']}", json={"title": "Theirs"}, expect=200)
    async with server.database.write() as uow:
        await uow.execute(update(Project).values(event_floor=2))
    await retention.sweep(server.database, server.settings)
    headers = {"If-Match": '"1"'}
    answer = await anna.call("PATCH", f"/tasks/{task['id']}", json={"title": "Mine"}, headers=headers)
    refusal = assert_problem(answer, 409)
    assert (refusal["base"], refusal["mine"], refusal["theirs"]) == (None, {"title": "Mine"}, {"title": "Theirs"})


async def test_deleted_comment_can_be_taken_back(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """It comes back whole, to its place and into the count; once, and not while its task is in the trash."""
    await anna.add(project, boris, "commenter")
    task = await anna.task(project)
    made = [await boris.comment(task, body) for body in ("first", "@Anna second", "third")]
    path = f"/comments/{made[1]['id']}"
    await boris.call("DELETE", path, expect=204)
    assert (await anna.get(f"/tasks/{task['id']}/comments"))["items"] == [made[0], made[2]]
    assert_problem(await boris.call("PATCH", path, json={"body": "x"}), 404)
    assert (await boris.call("POST", f"{path}/restore", expect=200)).json() == made[1]
    assert (await anna.get(f"/tasks/{task['id']}/comments"))["items"] == made
    assert (await anna.get(f"/tasks/{task['id']}"))["comment_count"] == 3
    assert_problem(await boris.call("POST", f"{path}/restore"), 404)
    await boris.call("DELETE", path, expect=204)
    await anna.call("DELETE", f"/tasks/{task['id']}", expect=204)
    assert_problem(await boris.call("POST", f"{path}/restore"), 404)


async def test_what_an_admin_deleted_its_author_cannot_bring_back(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """A comment is taken back by whoever deleted it, or by an admin of the project."""
    await anna.add(project, boris, "commenter")
    comment = await boris.comment(await anna.task(project))
    path = f"/comments/{comment['id']}"
    await anna.call("DELETE", path, expect=204)
    assert_problem(await boris.call("POST", f"{path}/restore"), 403)
    await anna.call("POST", f"{path}/restore", expect=200)
    await boris.call("DELETE", path, expect=204)
    await anna.call("POST", f"{path}/restore", expect=200)
