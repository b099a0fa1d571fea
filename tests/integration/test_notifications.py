"""Who is told of what: once, with the reason, never of one's own doing, never without the right to see it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, event, func, insert, select, update

from app.config import Settings
from app.db.base import Transaction
from app.db.unit_of_work import UnitOfWork
from app.domain.clock import format_time, utc_now
from app.models import Comment, LoggedNotice, Notification, PushDelivery, User
from app.services import deliveries, inbox_rows, notifications, projects, retention, tasks
from tests.support.people import Json, Person, register
from tests.support.routes import assert_problem
from tests.support.server import TestServer, run_server


async def inbox(person: Person, **query: Any) -> list[Json]:
    """Return somebody's notifications, the latest first."""
    items: list[Json] = (await person.get("/notifications", params=query))["items"]
    return items


async def told(person: Person) -> list[tuple[str, str, int]]:
    """Return kind, reason and count of what somebody was told, the latest first."""
    return [(row["kind"], row["why"], row["count"]) for row in await inbox(person)]


async def unread(person: Person) -> int:
    """Return how much of somebody's inbox is unread."""
    return int((await person.get("/notifications"))["unread"])


@pytest.fixture
async def shared(anna: Person, boris: Person, project: Json) -> Json:
    """A project of Anna's in which Boris is an editor who has read that he is."""
    await anna.add(project, boris)
    await boris.call("POST", "/notifications/read_all", json={}, expect=200)
    await boris.call("POST", "/notifications/archive_all", expect=200)
    return project


async def age_all(server: TestServer, by: timedelta) -> None:
    """Let every notification be older."""
    async with server.database.write() as uow:
        await uow.execute(update(Notification).values(updated_at=utc_now() - by))


async def test_assigning_tells_the_assignee_and_nobody_else(anna: Person, boris: Person, shared: Json) -> None:
    """The row says who did it and what it is about; what one does oneself is told to nobody."""
    task = await anna.task(shared, "Write", assignee_ids=[boris.id, anna.id])
    (row,) = await inbox(boris)
    assert (row["kind"], row["why"], row["actor_id"], row["actor_name"]) == ("assigned", "assignee", anna.id, "Anna")
    assert row["actor_color"] == (await anna.get("/users/me"))["avatar_color"]
    assert (row["task_id"], row["task_key"], row["task_title"]) == (task["id"], task["key"], "Write")
    assert (row["project_name"], row["read_at"], row["count"]) == (shared["name"], None, 1)
    assert await inbox(anna) == []


async def test_change_that_changes_nothing_tells_nobody(anna: Person, boris: Person, shared: Json) -> None:
    """Assigning the same people, moving within the column, saving the same text."""
    task = await anna.task(shared, assignee_ids=[boris.id], description="@Boris")
    first = await inbox(boris)
    await anna.call("POST", f"/tasks/{task['id']}/assign", json={"user_ids": [boris.id]}, expect=200)
    await anna.call("PATCH", f"/tasks/{task['id']}", json={"description": "@Boris"}, expect=200)
    await anna.call("PATCH", f"/tasks/{task['id']}", json={"title": "Another"}, expect=200)
    after = await inbox(boris)
    assert [(row["id"], row["seq"]) for row in after] == [(row["id"], row["seq"]) for row in first]


async def test_mention_is_told_once_and_instead_of_the_comment(anna: Person, boris: Person, shared: Json) -> None:
    """An edit tells those it names newly; whoever was named already hears nothing again."""
    task = await boris.task(shared)
    comment = await anna.comment(task, "@Boris, look")
    assert await told(boris) == [("mentioned", "mentioned", 1)]
    assert (await inbox(boris))[0]["excerpt"] == "@Boris, look"
    await anna.call("PATCH", f"/comments/{comment['id']}", json={"body": "@Boris, look again"}, expect=200)
    assert await told(boris) == [("mentioned", "mentioned", 1)]
    other = await anna.comment(task, "nobody")
    assert await told(boris) == [("commented", "author", 1), ("mentioned", "mentioned", 1)]
    await anna.call("PATCH", f"/comments/{other['id']}", json={"body": "@Boris"}, expect=200)
    assert (await told(boris))[0] == ("mentioned", "mentioned", 1)
    assert len(await inbox(boris)) == 3


async def test_description_names_people_too(anna: Person, boris: Person, shared: Json) -> None:
    """Named when the task is made, or by a later edit; an assignee who is named is told of one thing."""
    await anna.task(shared, description="for @Boris", assignee_ids=[boris.id])
    assert await told(boris) == [("mentioned", "mentioned", 1)]
    task = await anna.task(shared)
    await anna.call("PATCH", f"/tasks/{task['id']}", json={"description": "and @boris"}, expect=200)
    latest, _ = await inbox(boris, filter="mentions")
    assert latest["task_id"] == task["id"]


async def test_name_that_is_taken_out_and_put_in_again_tells_nothing(anna: Person, boris: Person, shared: Json) -> None:
    """Of a description or a comment somebody is told once, whatever it said in between; of each one by itself."""
    task = await anna.task(shared, description="@Boris")
    comment = await anna.comment(task, "@Boris")
    for path, field in ((f"/tasks/{task['id']}", "description"), (f"/comments/{comment['id']}", "body")):
        for text in ("nobody", "again @Boris"):
            await anna.call("PATCH", path, json={field: text}, expect=200)
    assert await told(boris) == [("mentioned", "mentioned", 1)] * 2


async def test_deleted_comment_is_in_no_inbox_until_it_is_taken_back(
    server: TestServer, anna: Person, boris: Person, shared: Json
) -> None:
    """Nor counted; forgotten for good, it stays away. A row that stands for other changes too keeps them alone."""
    task = await boris.task(shared)
    comment = await anna.comment(task, "@Boris, a secret")
    path = f"/comments/{comment['id']}"
    await anna.call("DELETE", path, expect=204)
    assert (await inbox(boris), await unread(boris)) == ([], 0)
    await anna.call("POST", f"{path}/restore", expect=200)
    assert ([row["excerpt"] for row in await inbox(boris)], await unread(boris)) == (["@Boris, a secret"], 1)
    burst = [await anna.comment(task, body) for body in ("One", "Another")]
    for gone in (comment, burst[1]):
        await anna.call("DELETE", f"/comments/{gone['id']}", expect=204)
    async with server.database.write() as uow:
        await uow.execute(
            update(Comment).where(Comment.deleted_at.is_not(None)).values(deleted_at=datetime(2020, 1, 1, tzinfo=UTC))
        )
    await retention.sweep(server.database, server.settings)
    assert [(row["kind"], row["excerpt"]) for row in await inbox(boris)] == [("commented", None)]


async def test_comment_that_follows_a_deleted_one_is_told_by_itself(anna: Person, boris: Person, shared: Json) -> None:
    """It does not join the row of one that nobody can read."""
    task = await boris.task(shared)
    await anna.call("DELETE", f"/comments/{(await anna.comment(task))['id']}", expect=204)
    await anna.comment(task, "Second")
    assert [(row["count"], row["excerpt"]) for row in await inbox(boris)] == [(1, "Second")]


async def test_comment_is_told_to_those_the_task_concerns(
    server: TestServer, anna: Person, boris: Person, shared: Json
) -> None:
    """Author, assignee, who commented before, who watches: each by the strongest reason; not the others."""
    people = {}
    for name in ("Assignee", "Commenter", "Watcher", "Outsider", "Muter"):
        people[name] = await register(server, name)
        await anna.add(shared, people[name])
    task = await boris.task(shared, assignee_ids=[people["Assignee"].id, people["Muter"].id])
    await people["Commenter"].comment(task)
    for name, state in (("Watcher", "watching"), ("Muter", "muted"), ("Commenter", "watching")):
        await people[name].call("PUT", f"/tasks/{task['id']}/watch", json={"state": state}, expect=200)
    assert await people["Muter"].get(f"/tasks/{task['id']}/watch") == {"state": "muted"}
    before = {name: len(await inbox(person)) for name, person in people.items()}
    await age_all(server, timedelta(hours=1))
    await anna.comment(task, "Look")
    found = {name: await told(person) for name, person in people.items() if len(await inbox(person)) > before[name]}
    assert {name: rows[0] for name, rows in found.items()} == {
        "Assignee": ("commented", "assignee", 1),
        "Commenter": ("commented", "watcher", 1),
        "Watcher": ("commented", "watcher", 1),
    }
    assert (await told(boris))[0] == ("commented", "author", 1)
    for person in people.values():
        await person.http.aclose()


async def test_burst_on_one_task_is_one_row(server: TestServer, anna: Person, boris: Person, shared: Json) -> None:
    """Within a minute and unread; a mention stands for itself; after a minute a new row begins."""
    task = await boris.task(shared)
    for _ in range(3):
        await anna.comment(task)
    assert await told(boris) == [("commented", "author", 3)]
    await anna.call("PATCH", f"/tasks/{task['id']}", json={"status": "done"}, expect=200)
    assert await told(boris) == [("changes", "author", 4)]
    await anna.comment(task, "@Boris")
    assert await told(boris) == [("mentioned", "mentioned", 1), ("changes", "author", 4)]
    await age_all(server, timedelta(seconds=61))
    await anna.comment(task)
    assert (await told(boris))[0] == ("commented", "author", 1)
    await boris.call("POST", f"/tasks/{task['id']}/read", expect=200)
    await anna.comment(task)
    assert [row["count"] for row in await inbox(boris, filter="unread")] == [1]


async def test_status_change_says_into_which_column(anna: Person, boris: Person, shared: Json) -> None:
    """By a move or by an edit; unassigning is told as such."""
    task = await anna.task(shared, assignee_ids=[boris.id])
    await boris.call("POST", f"/tasks/{task['id']}/read", expect=200)
    await anna.call("POST", f"/tasks/{task['id']}/move", json={"status": "done"}, expect=200)
    row = (await inbox(boris))[0]
    assert (row["kind"], row["details"]) == ("status_changed", {"column": "Done", "status": "done"})
    await boris.call("POST", f"/tasks/{task['id']}/read", expect=200)
    await anna.call("POST", f"/tasks/{task['id']}/assign", json={"user_ids": []}, expect=200)
    assert (await told(boris))[0] == ("unassigned", "assignee", 1)


async def test_place_in_a_project_is_told(anna: Person, boris: Person, project: Json) -> None:
    """Added, another role, removed: after that nothing of the project is left in the inbox."""
    await anna.add(project, boris)
    task = await anna.task(project, assignee_ids=[boris.id])
    member = f"/projects/{project['id']}/members/{boris.id}"
    await anna.call("PATCH", member, json={"role": "viewer"}, expect=200)
    assert [row["kind"] for row in await inbox(boris)] == ["role_changed", "assigned", "project_added"]
    assert (await inbox(boris))[0]["details"] == {"role": "viewer"}
    await anna.call("DELETE", member, expect=204)
    assert await told(boris) == [("project_removed", "member", 1)]
    assert await unread(boris) == 1
    await anna.comment(task, "@Boris")
    assert len(await inbox(boris)) == 1


async def test_invitation_for_ones_address_is_told_and_accepted_in_place(
    anna: Person, boris: Person, project: Json
) -> None:
    """Nobody else can take it, and it serves once."""
    body = {"role": "viewer", "email": boris.user["email"]}
    await anna.call("POST", f"/projects/{project['id']}/invitations", json=body, expect=201)
    (row,) = await inbox(boris)
    assert (row["kind"], row["why"], row["project_name"]) == ("invited", "invited", project["name"])
    path = f"/users/me/invitations/{row['details']['invitation_id']}/accept"
    assert_problem(await anna.call("POST", path), 404)
    assert (await boris.call("POST", path, expect=200)).json()["role"] == "viewer"
    assert_problem(await boris.call("POST", path), 404)
    assert [found["kind"] for found in await inbox(boris)] == ["invited"]


async def test_leaving_is_ones_own_doing(anna: Person, boris: Person, shared: Json) -> None:
    """Nobody is told that they left, or that they joined by a link."""
    await boris.call("DELETE", f"/projects/{shared['id']}/members/{boris.id}", expect=204)
    assert await inbox(boris) == []


async def test_what_may_not_be_seen_is_not_shown(anna: Person, boris: Person, shared: Json) -> None:
    """A task in the trash, a deleted project: the rows go, and come back with the task."""
    task = await anna.task(shared, assignee_ids=[boris.id])
    assert await unread(boris) == 1
    await anna.call("DELETE", f"/tasks/{task['id']}", expect=204)
    assert (await inbox(boris), await unread(boris)) == ([], 0)
    await anna.call("POST", f"/tasks/{task['id']}/restore", expect=200)
    assert await unread(boris) == 1
    await anna.call("DELETE", f"/projects/{shared['id']}", expect=204)
    assert (await inbox(boris), await unread(boris)) == ([], 0)


async def test_rows_are_marked_one_by_one(anna: Person, boris: Person, shared: Json) -> None:
    """Read, unread, archived, back: each is a change with a place in the stream; a repetition is none."""
    await anna.task(shared, assignee_ids=[boris.id])
    (row,) = await inbox(boris)
    path = f"/notifications/{row['id']}"

    async def change(**fields: Any) -> Json:
        found: Json = (await boris.call("PATCH", path, json=fields, expect=200)).json()
        return found

    read = await change(read=True)
    assert read["read_at"] is not None
    assert read["seq"] > row["seq"]
    assert await change(read=True) == read
    assert await unread(boris) == 0
    assert (await change(read=False))["read_at"] is None
    await change(archived=True)
    assert await inbox(boris) == []
    assert row["id"] in [found["id"] for found in await inbox(boris, filter="archived")]
    await change(archived=False)
    assert await unread(boris) == 1
    assert_problem(await anna.call("PATCH", path, json={"read": True}), 404)


async def test_unread_is_counted_up_to_a_limit(
    anna: Person, boris: Person, shared: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a notice costs does not grow with an inbox that nobody reads; others have their own number."""
    monkeypatch.setattr(inbox_rows, "MOST_COUNTED", 2)
    for number in (1, 2, 2):
        await anna.task(shared, assignee_ids=[boris.id])
        assert await unread(boris) == number
    assert await unread(anna) == 0


async def test_snoozed_row_comes_back_unread(server: TestServer, anna: Person, boris: Person, shared: Json) -> None:
    """Hidden until its time, then on top again; a time in the past, or one that nobody will see, is refused."""
    await anna.task(shared, assignee_ids=[boris.id])
    (row,) = await inbox(boris)
    path = f"/notifications/{row['id']}"
    past, later = (format_time(utc_now() + timedelta(hours=hours)) for hours in (-1, 1))
    too_late = format_time(utc_now() + timedelta(days=61))
    for refused in (past, too_late, "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"):
        problem = assert_problem(await boris.call("PATCH", path, json={"snoozed_until": refused}), 422)
        assert [error["field"] for error in problem["errors"]] == ["snoozed_until"], refused
    await boris.call("PATCH", path, json={"snoozed_until": later, "read": True}, expect=200)
    assert (await inbox(boris), await unread(boris)) == ([], 0)
    async with server.database.write() as uow:
        assert await notifications.find_snoozed_due(uow) == []
        snoozed = update(Notification).where(Notification.snoozed_until.is_not(None))
        await uow.execute(snoozed.values(snoozed_until=utc_now() - timedelta(seconds=1)))
        assert await notifications.find_snoozed_due(uow) == [UUID(boris.id)]
        assert await notifications.wake_snoozed(uow, UUID(boris.id)) == 1
        assert await notifications.wake_snoozed(uow, UUID(boris.id)) == 0
    (back,) = await inbox(boris)
    assert (back["id"], back["read_at"], back["snoozed_until"]) == (row["id"], None, None)


async def test_snoozed_row_of_a_card_in_the_trash_wakes_nobody(
    server: TestServer, anna: Person, boris: Person, shared: Json
) -> None:
    """Its time passes all the same, and what else is due is not held up."""
    task = await anna.task(shared, assignee_ids=[boris.id])
    (row,) = await inbox(boris)
    later = format_time(utc_now() + timedelta(hours=1))
    await boris.call("PATCH", f"/notifications/{row['id']}", json={"snoozed_until": later}, expect=200)
    await anna.call("DELETE", f"/tasks/{task['id']}", expect=204)
    async with server.database.write() as uow:
        snoozed = update(Notification).where(Notification.snoozed_until.is_not(None))
        await uow.execute(snoozed.values(snoozed_until=utc_now() - timedelta(seconds=1)))
        assert await notifications.wake_snoozed(uow, UUID(boris.id)) == 0
        assert await notifications.find_snoozed_due(uow) == []
    await anna.call("POST", f"/tasks/{task['id']}/restore", expect=200)
    assert await unread(boris) == 1


async def test_everything_is_marked_at_once(anna: Person, boris: Person, shared: Json) -> None:
    """All, or all of one project; archiving takes what is read."""
    other = await anna.project("Other")
    await anna.add(other, boris)
    await anna.task(shared, assignee_ids=[boris.id])
    answer = await boris.call("POST", "/notifications/read_all", json={"project_id": shared["id"]}, expect=200)
    assert answer.json() == {"unread": 1}
    await boris.call("POST", "/notifications/archive_all", expect=200)
    assert [row["kind"] for row in await inbox(boris)] == ["project_added"]
    assert (await boris.call("POST", "/notifications/read_all", json={}, expect=200)).json() == {"unread": 0}


async def test_marking_a_large_inbox_is_no_larger_a_statement(
    server: TestServer, anna: Person, boris: Person, shared: Json
) -> None:
    """Databases refuse a statement with too many parameters. No more is taken away from devices than they show."""
    await anna.task(shared, assignee_ids=[boris.id])
    await fill_inbox(server, 100)
    sizes = []

    def note(_connection: Any, _cursor: Any, _statement: str, parameters: Any, *_: Any) -> None:
        sizes.append(len(parameters))

    event.listen(Engine, "before_cursor_execute", note)
    await boris.call("POST", "/notifications/read_all", json={}, expect=200)
    await boris.call("POST", "/notifications/archive_all", expect=200)
    event.remove(Engine, "before_cursor_execute", note)
    assert (await unread(boris), len(await inbox(boris))) == (0, 0)
    assert 0 < max(sizes) < 100
    async with server.database.write() as uow:
        await uow.sweep(update(Notification).values(pushed_at=utc_now()))
        await deliveries.close_pushes(uow, Notification.user_id == UUID(boris.id), utc_now())
        closed = select(func.count()).select_from(PushDelivery).where(PushDelivery.kind == deliveries.CLOSE)
        assert (await uow.fetch(closed)).scalar_one() == deliveries.MOST_SHOWN
        assert (await uow.fetch(select(func.count(Notification.pushed_at)))).scalar_one() == 0


async def fill_inbox(server: TestServer, count: int) -> None:
    """Repeat the last notification so many times."""
    async with server.database.write() as uow:
        row = (await uow.fetch(select(Notification).order_by(Notification.id.desc()).limit(1))).one()
        copies = [row._asdict() | {"id": uuid4()} for _ in range(count)]
        await uow.execute(insert(Notification), copies)


async def test_filters_and_pages(anna: Person, boris: Person, shared: Json) -> None:
    """Mentions, assignments and what is unread, in pages without gap or repetition."""
    for number in range(5):
        await anna.task(shared, f"Task {number}", assignee_ids=[boris.id])
    await anna.comment(await boris.task(shared), "@Boris")
    assert [row["kind"] for row in await inbox(boris, filter="mentions")] == ["mentioned"]
    assert len(await inbox(boris, filter="assigned")) == 5
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = await boris.get("/notifications", params=query)
        seen += [row["id"] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [row["id"] for row in await inbox(boris)]
    assert len(set(seen)) == 6


async def test_settings_decide(server: TestServer, anna: Person, boris: Person, shared: Json) -> None:
    """What is turned off is not told; a watched project is; what concerns projects of others is left out."""
    assert (await boris.get("/users/me/notification_settings"))["remind_before_min"] == [1440, 60]
    wanted = {
        "matrix": {"assigned": {"in_app": False, "push": True, "email": True}},
        "projects": {shared["id"]: {"watched": True}, anna.id: {"muted": True}},
        "quiet": {"from": "22:00", "to": "08:00"},
        "digest_after_h": None,
    }
    await boris.call("PUT", "/users/me/notification_settings", json=wanted, expect=200)
    kept = await boris.get("/users/me/notification_settings")
    assert kept["projects"].keys() == {shared["id"]}
    assert kept["quiet"] == {"from": "22:00:00", "to": "08:00:00"}
    task = await anna.task(shared, assignee_ids=[boris.id])
    assert await inbox(boris) == []
    await anna.call("POST", f"/tasks/{task['id']}/assign", json={"user_ids": []}, expect=200)
    await anna.comment(task)
    assert ("changes", "assignee", 2) in await told(boris)


async def test_what_is_left_out_of_a_change_stays(boris: Person, shared: Json) -> None:
    """Two devices that change different wishes undo nothing of each other."""
    path = "/users/me/notification_settings"
    await boris.call(
        "PUT", path, json={"projects": {shared["id"]: {"watched": True}}, "digest_after_h": None}, expect=200
    )
    answer = await boris.call("PATCH", path, json={"remind_before_min": [15]}, expect=200)
    kept = await boris.get(path)
    assert answer.json() == kept
    assert (kept["remind_before_min"], kept["digest_after_h"]) == ([15], None)
    assert kept["projects"][shared["id"]]["watched"]


async def test_a_change_is_of_single_cells_and_projects(boris: Person, shared: Json) -> None:
    """Two devices that change two ways of one kind, or two projects, undo nothing of each other; null takes away."""
    path = "/users/me/notification_settings"
    other = await boris.project()

    async def change(**fields: Json) -> Json:
        answer: Json = (await boris.call("PATCH", path, json=fields, expect=200)).json()
        assert answer == await boris.get(path)
        return answer

    await change(matrix={"commented": {"push": False}})
    await change(matrix={"commented": {"email": False}, "mentioned": {"push": False}})
    await change(projects={shared["id"]: {"muted": True}})
    await change(projects={other["id"]: {"watched": True}, shared["id"]: {"matrix": {"mentioned": {"email": False}}}})
    kept = await change(projects={other["id"]: {"matrix": {"unassigned": {"push": True}}}})
    assert kept["matrix"] == {
        "commented": {"in_app": True, "push": False, "email": False},
        "mentioned": {"in_app": True, "push": False, "email": True},
    }
    assert kept["projects"] == {
        shared["id"]: {
            "matrix": {"mentioned": {"in_app": True, "push": False, "email": False}},
            "muted": True,
            "watched": False,
        },
        other["id"]: {
            "matrix": {"unassigned": {"in_app": True, "push": True, "email": False}},
            "muted": False,
            "watched": True,
        },
    }
    left = await change(matrix={"commented": None}, projects={shared["id"]: None})
    assert (left["matrix"].keys(), left["projects"].keys()) == ({"mentioned"}, {other["id"]})
    too_many = {str(uuid4()): {"muted": True} for _ in range(1000)}
    assert_problem(await boris.call("PATCH", path, json={"projects": too_many}), 422)


async def test_pushes_wait_for_the_end_of_quiet_hours(
    server: TestServer, anna: Person, boris: Person, shared: Json
) -> None:
    """One row for each notification to be pushed; reading it before it is sent takes it back."""
    settings = {"quiet": {"from": "00:00", "to": "23:59:59.999999"}}
    await boris.call("PUT", "/users/me/notification_settings", json=settings, expect=200)
    task = await anna.task(shared, assignee_ids=[boris.id])

    async def waiting() -> list[tuple[str, bool]]:
        async with server.database.read() as uow:
            rows = (await uow.fetch(select(PushDelivery.kind, PushDelivery.due_at))).all()
        return [(row.kind, row.due_at > utc_now()) for row in rows]

    assert await waiting() == [("show", True)]
    await boris.call("POST", f"/tasks/{task['id']}/read", expect=200)
    assert await waiting() == []


async def test_telling_many_costs_as_many_statements_as_telling_one(
    server: TestServer, anna: Person, project: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a comment runs does not depend on how many hear of it."""
    begun = UnitOfWork._begun
    statements = 0

    async def counting(uow: UnitOfWork) -> Transaction:
        nonlocal statements
        statements += uow.actor_id is not None  # not what workers do meanwhile
        return await begun(uow)

    monkeypatch.setattr(UnitOfWork, "_begun", counting)
    counts = []
    for watchers in (1, 12):
        task = await anna.task(project)
        for number in range(watchers):
            person = await register(server, f"Watcher{watchers}-{number}")
            await anna.add(project, person)
            await person.call("PUT", f"/tasks/{task['id']}/watch", json={"state": "watching"}, expect=200)
            await person.http.aclose()
        before = statements
        await anna.comment(task)
        counts.append(statements - before)
    assert counts[0] == counts[1] > 0


async def test_what_concerns_nobody_else_costs_next_to_nothing(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To create a task runs not one statement more than without telling; to move it, one: whom it concerns."""
    begun = UnitOfWork._begun
    statements = 0

    async def counting(uow: UnitOfWork) -> Transaction:
        nonlocal statements
        statements += uow.actor_id is not None  # not what workers do meanwhile
        return await begun(uow)

    async def tell_nobody(*_: object) -> None:
        """As if there were no inbox."""

    async with run_server(sqlite_settings) as server, await register(server, "Anna") as anna:
        project = await anna.project()
        monkeypatch.setattr(UnitOfWork, "_begun", counting)
        counts = []
        for _ in range(2):
            before = statements
            task = await anna.task(project)
            created = statements - before
            await anna.call("POST", f"/tasks/{task['id']}/move", json={"status": "done"}, expect=200)
            counts.append((created, statements - before - created))
            monkeypatch.setattr(tasks, "tell_of_task", tell_nobody)
    (created, moved), without = counts
    assert (created, moved - 1) == without


async def test_old_notifications_are_forgotten(server: TestServer, anna: Person, boris: Person, shared: Json) -> None:
    """Rows and notices go after 90 days; the floor says up to where the stream was trimmed. What sleeps stays."""
    await anna.task(shared, assignee_ids=[boris.id])
    async with server.database.write() as uow:
        old = utc_now() - timedelta(days=91)
        sleeping = {"created_at": old, "updated_at": old, "snoozed_until": utc_now() + timedelta(hours=1)}
        await uow.execute(update(Notification).values(sleeping))
        await uow.execute(update(LoggedNotice).values(timestamp=old))
    await retention.sweep(server.database, server.settings)
    async with server.database.write() as uow:
        await uow.execute(update(Notification).values(snoozed_until=utc_now()))
        assert await notifications.wake_snoozed(uow, UUID(boris.id)) == 2
    await retention.sweep(server.database, server.settings)
    assert len(await inbox(boris)) == 1
    async with server.database.write() as uow:
        await uow.execute(update(Notification).values(updated_at=old))
        await uow.execute(update(LoggedNotice).values(timestamp=old))
    await retention.sweep(server.database, server.settings)
    async with server.database.read() as uow:
        row = (await uow.fetch(select(User).where(User.name == "Boris"))).one()
        left = (await uow.fetch(select(func.count()).select_from(LoggedNotice))).scalar_one()
    assert await inbox(boris) == []
    assert (row.notice_floor, left) == (row.notice_seq, 0)


async def test_restored_database_gives_streams_new_names(server: TestServer, boris: Person) -> None:
    """A position of before means nothing afterwards."""

    async def epochs() -> set[str]:
        async with server.database.read() as uow:
            return set((await uow.fetch(select(User.notice_epoch))).scalars())

    before = await epochs()
    async with server.database.write() as uow:
        await projects.renew_epochs(uow)
    assert not before & await epochs()
