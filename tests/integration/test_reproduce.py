"""Events reproduce the state: an old board and the events since are the new board, for every action there is.

After Zulip's `verify_action`: board before, action, emitted events through the reference reducer, board after.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import orjson
import pytest

from app.domain.events import Event, EventType
from app.services import history
from tests.support import reducer
from tests.support.people import Json, Person
from tests.support.reducer import reduce_all
from tests.support.server import TestServer

DURABLE = {
    type_.value
    for type_ in EventType
    if type_.startswith(("task_", "comment_", "project_", "column_", "label_"))
    and type_ not in {EventType.PROJECT_JOINED, EventType.PROJECT_LEFT}
}


class Scene:
    """A project in which something can happen: Anna owns it, Boris is her co-owner, Clara is not in it."""

    def __init__(self, anna: Person, boris: Person, project: Json) -> None:
        self.anna, self.boris, self.project = anna, boris, project
        self.path = f"/projects/{project['id']}"

    async def patch(self, part: str, **fields: Any) -> None:
        """Change the project or something in it."""
        await self.anna.call("PATCH", f"{self.path}{part}", json=fields, expect=200)

    async def patch_task(self, task: Json, **fields: Any) -> None:
        """Change a task."""
        await self.anna.call("PATCH", f"/tasks/{task['id']}", json=fields, expect=200)

    async def move(self, task: Json, **fields: Any) -> None:
        """Move a task."""
        await self.anna.call("POST", f"/tasks/{task['id']}/move", json=fields, expect=200)

    async def assign(self, task: Json, *people: Person) -> None:
        """Assign a task."""
        body = {"user_ids": [person.id for person in people]}
        await self.anna.call("POST", f"/tasks/{task['id']}/assign", json=body, expect=200)

    async def archive(self, task: Json, verb: str = "archive") -> None:
        """Archive a task, or bring it back."""
        await self.anna.call("POST", f"/tasks/{task['id']}/{verb}", expect=200)

    async def delete(self, path: str, person: Person | None = None) -> None:
        """Delete something."""
        await (person or self.anna).call("DELETE", path, expect=204)

    async def column_id(self, key: str) -> str:
        """Return the id of a column."""
        return next(
            str(column["id"]) for column in (await self.anna.board(self.project))["columns"] if column["key"] == key
        )


Prepare = Callable[[Scene], Awaitable[Any]]
Act = Callable[[Scene, Any], Awaitable[Any]]


async def nothing(_scene: Scene) -> None:
    """Need no preparation."""


async def a_task(scene: Scene) -> Json:
    """A task between two others, with everything on it."""
    await scene.anna.task(scene.project, "First")
    label = await scene.anna.label(scene.project)
    fields = {"label_ids": [label["id"]], "assignee_ids": [scene.boris.id], "due": "2026-11-25", "priority": "high"}
    task = await scene.anna.task(scene.project, "Middle", description="Long", checklist=[{"text": "a"}], **fields)
    await scene.anna.task(scene.project, "Last")
    return task


async def a_trashed_task(scene: Scene) -> Json:
    """A task in the trash whose place and column have gone meanwhile."""
    column = await scene.anna.column(scene.project, "Soon gone")
    task = await scene.anna.task(scene.project, "Back again", status=column["key"])
    await scene.delete(f"/tasks/{task['id']}")
    await scene.delete(f"{scene.path}/columns/{column['id']}")
    await scene.anna.task(scene.project, "Took the place")
    return task


async def an_archived_task(scene: Scene) -> Json:
    """A task that was between two others."""
    task = await a_task(scene)
    await scene.archive(task)
    return task


async def an_archived_task_without_a_column(scene: Scene) -> Json:
    """A task in the archive whose column has gone meanwhile."""
    column = await scene.anna.column(scene.project, "Soon gone")
    task = await scene.anna.task(scene.project, "Back again", status=column["key"])
    await scene.archive(task)
    await scene.delete(f"{scene.path}/columns/{column['id']}")
    await scene.anna.task(scene.project, "Took the place")
    return task


async def a_comment(scene: Scene) -> Json:
    """A comment of Boris's."""
    return await scene.boris.comment(await a_task(scene))


async def a_deleted_comment(scene: Scene) -> Json:
    """A comment of Boris's that he has deleted."""
    comment = await a_comment(scene)
    await scene.delete(f"/comments/{comment['id']}", scene.boris)
    return comment


async def a_column(scene: Scene) -> Json:
    """A fourth column."""
    return await scene.anna.column(scene.project, "Review", wip_limit=3)


async def a_label_worn_by_a_task(scene: Scene) -> str:
    """The id of a label that a task wears."""
    return str((await a_task(scene))["label_ids"][0])


ACTIONS: dict[str, tuple[Prepare, Act, list[str]]] = {
    "create a task": (a_task, lambda s, _: s.anna.task(s.project, "New"), ["task_created"]),
    "create a task in a place": (
        a_task,
        lambda s, task: s.anna.task(s.project, "New", before_id=task["id"], checklist=[{"text": "x", "done": True}]),
        ["task_created"],
    ),
    "create a task elsewhere": (nothing, lambda s, _: s.anna.task(s.project, status="done"), ["task_created"]),
    "rename a task": (a_task, lambda s, task: s.patch_task(task, title="Other"), ["task_updated"]),
    "change the description": (a_task, lambda s, task: s.patch_task(task, description="Other"), ["task_updated"]),
    "change much": (
        a_task,
        lambda s, task: s.patch_task(
            task, title="T", priority="low", due=None, label_ids=[], assignee_ids=[], status="done", checklist=[]
        ),
        ["task_updated"],
    ),
    "change the status": (a_task, lambda s, task: s.patch_task(task, status="done"), ["task_moved"]),
    "change the assignees": (a_task, lambda s, task: s.patch_task(task, assignee_ids=[s.anna.id]), ["task_assigned"]),
    "change nothing": (a_task, lambda s, task: s.patch_task(task, title="Middle", status="todo"), []),
    "move to the end": (a_task, lambda s, task: s.move(task, status="todo"), ["task_moved"]),
    "move to a column": (a_task, lambda s, task: s.move(task, status="in_progress"), ["task_moved"]),
    "assign": (a_task, lambda s, task: s.assign(task, s.anna, s.boris), ["task_assigned"]),
    "un-assign": (a_task, lambda s, task: s.assign(task), ["task_assigned"]),
    "assign the same": (a_task, lambda s, task: s.assign(task, s.boris), []),
    "delete a task": (a_task, lambda s, task: s.delete(f"/tasks/{task['id']}"), ["task_deleted"]),
    "restore a task": (
        a_trashed_task,
        lambda s, task: s.anna.call("POST", f"/tasks/{task['id']}/restore", expect=200),
        ["task_restored"],
    ),
    "archive a task": (a_task, lambda s, task: s.archive(task), ["task_archived"]),
    "archive an archived task": (an_archived_task, lambda s, task: s.archive(task), []),
    "unarchive a task": (an_archived_task, lambda s, task: s.archive(task, "unarchive"), ["task_unarchived"]),
    "unarchive a task on the board": (a_task, lambda s, task: s.archive(task, "unarchive"), []),
    "unarchive a task without a column": (
        an_archived_task_without_a_column,
        lambda s, task: s.archive(task, "unarchive"),
        ["task_unarchived"],
    ),
    "change an archived task": (an_archived_task, lambda s, task: s.patch_task(task, title="Other"), ["task_updated"]),
    "move an archived task": (an_archived_task, lambda s, task: s.move(task, status="done"), ["task_moved"]),
    "comment on an archived task": (an_archived_task, lambda s, task: s.boris.comment(task), ["comment_added"]),
    "delete an archived task": (an_archived_task, lambda s, task: s.delete(f"/tasks/{task['id']}"), ["task_deleted"]),
    "comment": (a_task, lambda s, task: s.boris.comment(task, "@Anna look"), ["comment_added"]),
    "change a comment": (
        a_comment,
        lambda s, comment: s.boris.call("PATCH", f"/comments/{comment['id']}", json={"body": "Other"}, expect=200),
        ["comment_updated"],
    ),
    "change a comment to what it is": (
        a_comment,
        lambda s, comment: s.boris.call("PATCH", f"/comments/{comment['id']}", json={"body": "Looks good"}, expect=200),
        [],
    ),
    "delete a comment": (a_comment, lambda s, comment: s.delete(f"/comments/{comment['id']}"), ["comment_deleted"]),
    "take a comment back": (
        a_deleted_comment,
        lambda s, comment: s.boris.call("POST", f"/comments/{comment['id']}/restore", expect=200),
        ["comment_restored"],
    ),
    "change the project": (
        nothing,
        lambda s, _: s.anna.call(
            "PATCH", s.path, json={"name": "N", "description": "D", "visibility": "public"}, expect=200
        ),
        ["project_updated"],
    ),
    "change nothing of the project": (
        nothing,
        lambda s, _: s.patch("", name="Website"),
        [],
    ),
    "change a role": (
        nothing,
        lambda s, _: s.patch(f"/members/{s.boris.id}", role="viewer"),
        ["project_member_updated"],
    ),
    "keep a role": (
        nothing,
        lambda s, _: s.patch(f"/members/{s.boris.id}", role="owner"),
        [],
    ),
    "rename oneself": (
        a_task,
        lambda s, _: s.boris.call("PATCH", "/users/me", json={"name": "Bob", "avatar_color": "#123456"}, expect=200),
        ["project_member_updated"],
    ),
    "change one's language": (nothing, lambda s, _: s.boris.call("PATCH", "/users/me", json={"language": "ru"}), []),
    "remove a member with tasks": (
        a_task,
        lambda s, _: s.delete(f"{s.path}/members/{s.boris.id}"),
        ["project_member_removed"],
    ),
    "leave": (a_task, lambda s, _: s.delete(f"{s.path}/members/{s.boris.id}", s.boris), ["project_member_removed"]),
    "add a column": (nothing, lambda s, _: s.anna.column(s.project, "Review", is_done=True), ["column_created"]),
    "change a column": (
        a_column,
        lambda s, column: s.patch(f"/columns/{column['id']}", name="N", wip_limit=None, is_done=True),
        ["column_updated"],
    ),
    "delete a column": (a_column, lambda s, column: s.delete(f"{s.path}/columns/{column['id']}"), ["column_deleted"]),
    "add a label": (nothing, lambda s, _: s.anna.label(s.project), ["label_created"]),
    "change a label": (
        a_label_worn_by_a_task,
        lambda s, id_: s.anna.call(
            "PATCH", f"{s.path}/labels/{id_}", json={"name": "N", "color": "#000000"}, expect=200
        ),
        ["label_updated"],
    ),
    "delete a label": (a_label_worn_by_a_task, lambda s, id_: s.delete(f"{s.path}/labels/{id_}"), ["label_deleted"]),
}


async def move_column_to_the_front(scene: Scene, column: Json) -> None:
    """Put a column before the first one."""
    body = {"before_id": await scene.column_id("todo")}
    await scene.anna.call("PATCH", f"{scene.path}/columns/{column['id']}", json=body, expect=200)


async def move_task_before_the_first(scene: Scene, task: Json) -> None:
    """Put a task before the first one of its column."""
    first = next(card for card in (await scene.anna.board(scene.project))["tasks"] if card["title"] == "First")
    await scene.move(task, status="todo", before_id=first["id"])


async def add_and_remove_a_member(scene: Scene, _: object) -> None:
    """Let Boris go and take him back as somebody else."""
    await scene.delete(f"{scene.path}/members/{scene.boris.id}")
    await scene.anna.add(scene.project, scene.boris, "commenter")


async def join_by_invitation(scene: Scene, _: object) -> None:
    """Let Boris leave and come back through a link."""
    await scene.delete(f"{scene.path}/members/{scene.boris.id}", scene.boris)
    made = await scene.anna.call("POST", f"{scene.path}/invitations", json={"role": "editor"}, expect=201)
    await scene.boris.call("POST", f"/invitations/{made.json()['token']}/accept", expect=200)


ACTIONS |= {
    "move a column": (a_column, move_column_to_the_front, ["column_updated"]),
    "move a task to the front": (a_task, move_task_before_the_first, ["task_moved"]),
    "come back as another": (a_task, add_and_remove_a_member, ["project_member_removed", "project_member_added"]),
    "join by invitation": (a_task, join_by_invitation, ["project_member_removed", "project_member_added"]),
}


async def events_since(server: TestServer, project: Json, seq: int) -> list[Event]:
    """Read the log from the database: the log of a deleted project can be read no other way."""
    async with server.database.read() as uow:
        return await history.read_events(uow, UUID(project["id"]), seq, 1000)


async def verify(server: TestServer, scene: Scene, name: str) -> None:
    """Fail unless the events of one action turn the board before into the board after."""
    prepare, act, types = ACTIONS[name]
    prepared = await prepare(scene)
    before = await scene.anna.board(scene.project)
    await act(scene, prepared)
    page = await scene.anna.get(f"{scene.path}/events", params={"since": before["seq"]})
    assert [event["type"] for event in page["items"]] == types, name
    assert reduce_all(before, page["items"]) == await scene.anna.board(scene.project), name


async def test_every_action_s_events_reproduce_the_board(server: TestServer, anna: Person, boris: Person) -> None:
    """For each action: the old board and its events are the new board, and it emits exactly what it says."""
    for name in ACTIONS:
        scene = Scene(anna, boris, await anna.project())
        await anna.add(scene.project, boris, "owner")
        await verify(server, scene, name)
        await anna.call("DELETE", scene.path, expect=204)


async def test_deletion_of_a_project_is_its_last_event(server: TestServer, anna: Person, project: Json) -> None:
    """Whoever looks at a project when it is deleted learns it from its log; nobody can read it afterwards."""
    before = await anna.board(project)
    await anna.call("DELETE", f"/projects/{project['id']}", expect=204)
    (event,) = await events_since(server, project, before["seq"])
    assert event.type is EventType.PROJECT_DELETED
    deleted = reduce_all(before, [orjson.loads(event.encoded)])
    assert deleted["project"] == before["project"] | {"deleted": True}
    for part in ("", "/board", "/events", "/members", "/tasks"):
        await anna.call("GET", f"/projects/{project['id']}{part}", expect=404)


async def test_a_restored_project_goes_on_with_its_log(server: TestServer, anna: Person, project: Json) -> None:
    """The log says that it is back; whoever read on from before is sent to the board, under its new epoch."""
    before = await anna.board(project)
    await anna.call("DELETE", f"/projects/{project['id']}", expect=204)
    await anna.call("POST", f"/projects/{project['id']}/restore", expect=200)
    events = [orjson.loads(event.encoded) for event in await events_since(server, project, before["seq"])]
    assert [event["type"] for event in events] == ["project_deleted", "project_restored"]
    after = await anna.board(project)
    assert reduce_all(before, events) == before | {
        "seq": after["seq"],
        "project": before["project"] | {"deleted": False},
    }
    old = {"since": before["seq"], "epoch": before["epoch"]}
    gone = await anna.call("GET", f"/projects/{project['id']}/events", params=old, expect=410)
    assert gone.json()["epoch"] == after["epoch"] != before["epoch"]


async def test_whole_log_builds_the_board_from_nothing(server: TestServer, anna: Person, boris: Person) -> None:
    """From the first board of a project, all its events together give the last one, read in pages of three."""
    scene = Scene(anna, boris, await anna.project())
    board = await anna.board(scene.project)
    await anna.add(scene.project, boris, "owner")
    await a_trashed_task(scene)
    await a_comment(scene)
    since: int | None = board["seq"]
    while since is not None:
        page = await anna.get(f"{scene.path}/events", params={"since": since, "limit": 3, "epoch": board["epoch"]})
        board, since = reduce_all(board, page["items"]), page["next_since"]
    assert board == await anna.board(scene.project)


def test_every_durable_type_is_covered() -> None:
    """A new kind of event needs an action here, and a rule in the reducer."""
    covered = {type_ for _, _, types in ACTIONS.values() for type_ in types}
    covered |= {EventType.PROJECT_DELETED.value, EventType.PROJECT_RESTORED.value}
    assert covered == DURABLE


def test_every_durable_type_has_a_rule() -> None:
    """The reference reducer knows every durable type and no other."""
    assert reducer._RULES.keys() == DURABLE


@pytest.mark.parametrize("name", ["seq", "epoch"])
def test_reducer_without_the_event_would_be_seen(name: str) -> None:
    """A board that misses its events differs from the one after them: the comparison can fail."""
    before: Json = {"seq": 1, "epoch": "a", "labels": [], "tasks": []}
    event = {"seq": 2, "type": "label_created", "data": {"label_id": "l", "name": "n", "changes": []}}
    assert reduce_all(before, [event]) != before
    assert name in before
