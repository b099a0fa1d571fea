"""Projects, members, invitations, columns and labels: rules of those who may and of what stays."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.domain.clock import utc_now
from app.models import Invitation
from app.services.projects import make_key
from tests.support.people import Json, Person, register
from tests.support.routes import assert_problem
from tests.support.server import TestServer


async def invite(person: Person, project: Json, role: str = "editor", **fields: Any) -> Json:
    """Make an invitation."""
    path = f"/projects/{project['id']}/invitations"
    made: Json = (await person.call("POST", path, json={"role": role} | fields, expect=201)).json()
    return made


async def roles(person: Person, project: Json) -> dict[str, str]:
    """Return the members' roles by name."""
    return {member["name"]: member["role"] for member in (await person.board(project))["members"]}


async def keys(person: Person, project: Json) -> list[str]:
    """Return the keys of the columns in order."""
    return [column["key"] for column in (await person.board(project))["columns"]]


async def test_new_project_is_ready_to_work_in(server: TestServer, anna: Person) -> None:
    """Three columns, its maker as owner, and an empty log."""
    project = await anna.project("Новый сайт", description="d")
    assert (project["key"], project["role"], project["visibility"], project["version"]) == ("NS", "owner", "private", 1)
    board = await anna.board(project)
    assert (board["seq"], board["role"], board["tasks"], board["labels"]) == (0, "owner", [], [])
    assert await keys(anna, project) == ["todo", "in_progress", "done"]
    assert [column["is_done"] for column in board["columns"]] == [False, False, True]
    assert board["project"] == {name: value for name, value in project.items() if name != "role"}
    assert (await anna.get("/projects"))["items"] == [project] == [await anna.get(f"/projects/{project['id']}")]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Website", "WEBS"),
        ("Новый сайт", "NS"),
        ("Ёжик", "EZHI"),
        ("日本", "TASK"),
        ("a b c d e f g h i j k l", "ABCDEFGHIJ"),
    ],
)
def test_key_is_made_from_the_name(name: str, key: str) -> None:
    """Latin capitals from any name, also a Cyrillic one."""
    assert make_key(name) == key


async def test_project_changes_what_was_sent(server: TestServer, anna: Person, project: Json) -> None:
    """Name, description and visibility change together in one event; the key is fixed."""
    path = f"/projects/{project['id']}"
    after = (await anna.call("PATCH", path, json={"name": " Other ", "visibility": "public"}, expect=200)).json()
    assert (after["name"], after["visibility"], after["version"]) == ("Other", "public", 2)
    assert (await anna.call("PATCH", path, json={"name": "Other"}, expect=200)).json() == after
    (event,) = (await anna.get(f"{path}/events"))["items"]
    assert (event["type"], event["data"]["changes"]) == ("project_updated", ["name", "visibility"])
    assert not {"id", "role"} & event["data"].keys()
    assert_problem(await anna.call("PATCH", path, json={"key": "NEW"}), 422)


async def test_each_role_may_do_its_part(server: TestServer, anna: Person, boris: Person, project: Json) -> None:
    """A member with each role is let into, and kept out of, the same things as the table of permissions says."""
    await anna.add(project, boris, "viewer")
    task, label = await anna.task(project), await anna.label(project)
    comment = await anna.comment(task)
    path = f"/projects/{project['id']}"
    calls: list[tuple[str, str, Json | None, str]] = [
        ("GET", f"{path}/board", None, "viewer"),
        ("GET", f"{path}/members", None, "viewer"),
        ("POST", f"/tasks/{task['id']}/comments", {"body": "hello"}, "commenter"),
        ("PATCH", f"/tasks/{task['id']}", {"title": "New"}, "editor"),
        ("GET", f"{path}/trash", None, "editor"),
        ("PATCH", f"{path}/labels/{label['id']}", {"name": "New"}, "editor"),
        ("PATCH", f"/comments/{comment['id']}", {"body": "moderated"}, "admin"),
        ("POST", f"{path}/columns", {"name": "New"}, "admin"),
        ("PATCH", path, {"name": "New"}, "admin"),
        ("POST", f"{path}/invitations", {"role": "viewer"}, "admin"),
        ("POST", f"{path}/invitations", {"role": "owner"}, "owner"),
        ("DELETE", path, None, "owner"),
    ]
    ranks = ["viewer", "commenter", "editor", "admin", "owner"]
    for role in ranks:
        await anna.call("PATCH", f"{path}/members/{boris.id}", json={"role": role}, expect=200)
        for method, target, body, least in calls:
            if (method, target) != ("DELETE", path) or role != "owner":
                status = (await boris.call(method, target, json=body)).status_code
                allowed = ranks.index(role) >= ranks.index(least)
                assert (status < 300) if allowed else (status == 403), (role, method, target, status)
    await boris.call("DELETE", path, expect=204)


async def test_last_owner_stays(server: TestServer, anna: Person, boris: Person, project: Json) -> None:
    """Neither leaving nor a lower role leaves a project without an owner; with a second one both are possible."""
    path = f"/projects/{project['id']}/members"
    await anna.add(project, boris, "admin")
    for method, body in (("DELETE", None), ("PATCH", {"role": "viewer"})):
        assert assert_problem(await anna.call(method, f"{path}/{anna.id}", json=body), 409)["code"] == "last_owner"
    for target, body in ((anna, {"role": "editor"}), (boris, {"role": "owner"})):
        assert_problem(await boris.call("PATCH", f"{path}/{target.id}", json=body), 403)
    assert_problem(await boris.call("DELETE", f"{path}/{anna.id}"), 403)
    await anna.call("PATCH", f"{path}/{boris.id}", json={"role": "owner"}, expect=200)
    await anna.call("DELETE", f"{path}/{anna.id}", expect=204)
    assert await roles(boris, project) == {"Boris": "owner"}
    assert_problem(await anna.call("GET", f"/projects/{project['id']}"), 404)
    assert (await anna.get("/projects"))["items"] == []


async def test_owner_who_is_kept_out_is_no_other_owner(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """The last owner who can sign in stays, and may take the place of one who cannot."""
    path = f"/projects/{project['id']}/members"
    await anna.add(project, boris, "owner")
    await anna.call("PATCH", f"/admin/users/{boris.id}", json={"is_active": False}, expect=200)
    for method, body in (("DELETE", None), ("PATCH", {"role": "viewer"})):
        assert assert_problem(await anna.call(method, f"{path}/{anna.id}", json=body), 409)["code"] == "last_owner"
    await anna.call("DELETE", f"{path}/{boris.id}", expect=204)


async def test_removed_member_leaves_no_assignment(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """Whoever goes takes their assignments in this project along, and in no other."""
    other = await boris.project()
    elsewhere = await boris.task(other, assignee_ids=[boris.id])
    await anna.add(project, boris)
    task = await anna.task(project, assignee_ids=[anna.id, boris.id])
    await anna.call("DELETE", f"/projects/{project['id']}/members/{boris.id}", expect=204)
    assert (await anna.get(f"/tasks/{task['id']}"))["assignee_ids"] == [anna.id]
    assert (await boris.get(f"/tasks/{elsewhere['id']}"))["assignee_ids"] == [boris.id]
    assert_problem(await anna.call("DELETE", f"/projects/{project['id']}/members/{boris.id}"), 404)


async def test_somebody_with_an_account_is_added_at_once_and_once(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """By e-mail address, in any case; a second time is a conflict."""
    path = f"/projects/{project['id']}/members"
    body = {"email": "BORIS@example.org", "role": "commenter"}
    member = (await anna.call("POST", path, json=body, expect=201)).json()
    assert (member["user_id"], member["role"], member["name"]) == (boris.id, "commenter", "Boris")
    assert (await anna.get(path))["items"] == (await anna.board(project))["members"]
    assert assert_problem(await anna.call("POST", path, json=body), 409)["code"] == "conflict"
    assert (await boris.get("/projects"))["items"][0]["role"] == "commenter"


async def test_stranger_to_the_server_gets_an_invitation(server: TestServer, anna: Person, project: Json) -> None:
    """An address without an account is answered 202 with a letter that only its account can use, once."""
    body = {"email": "clara@example.org", "role": "viewer"}
    answer = await anna.call("POST", f"/projects/{project['id']}/members", json=body, expect=202)
    invitation = answer.json()
    assert invitation["url"] == f"{server.settings.base_url}/invite/{invitation['token']}"
    async with server.client() as visitor:
        preview = (await visitor.get(f"/invitations/{invitation['token']}")).json()
    assert (preview["project_name"], preview["inviter_name"], preview["role"], preview["email"]) == (
        "Website",
        "Anna",
        "viewer",
        "clara@example.org",
    )
    accept = f"/invitations/{invitation['token']}/accept"
    async with await register(server, "Boris") as boris:
        assert_problem(await boris.call("POST", accept), 403)
    async with await register(server, "Clara") as clara:
        assert (await clara.call("POST", accept, expect=200)).json()["role"] == "viewer"
        assert_problem(await clara.call("POST", accept), 404)
    assert (await roles(anna, project))["Clara"] == "viewer"


async def test_open_link_serves_many_until_it_is_revoked(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """A link without an address lets everybody in; a member who follows it stays as they are."""
    link = await invite(anna, project, "commenter")
    listed = (await anna.get(f"/projects/{project['id']}/invitations"))["items"]
    assert listed == [link | {"token": None, "url": None}]
    accept = f"/invitations/{link['token']}/accept"
    assert (await anna.call("POST", accept, expect=200)).json()["role"] == "owner"
    assert (await boris.call("POST", accept, expect=200)).json()["role"] == "commenter"
    seq = (await anna.board(project))["seq"]
    await boris.call("POST", accept, expect=200)
    assert (await anna.board(project))["seq"] == seq
    revoke = f"/projects/{project['id']}/invitations/{link['id']}"
    await anna.call("DELETE", revoke, expect=204)
    assert_problem(await boris.call("POST", accept), 404)
    assert_problem(await anna.call("DELETE", revoke), 404)
    assert (await anna.get(f"/projects/{project['id']}/invitations"))["items"] == []


async def test_invitation_ends_with_its_time_its_maker_or_its_project(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """Expired, made by somebody who could not make it (any more), or to a project that has gone: the same 404."""
    await anna.add(project, boris, "owner")
    of_boris, owners, of_anna = [
        await invite(who, project, role) for who, role in [(boris, "editor"), (boris, "owner"), (anna, "viewer")]
    ]
    member = f"/projects/{project['id']}/members/{boris.id}"

    async def valid(invitation: Json) -> bool:
        return (await anna.call("GET", f"/invitations/{invitation['token']}")).status_code == 200

    assert [await valid(item) for item in (of_boris, owners, of_anna)] == [True, True, True]
    await anna.call("PATCH", member, json={"role": "admin"}, expect=200)
    assert [await valid(item) for item in (of_boris, owners, of_anna)] == [True, False, True]
    await anna.call("PATCH", f"/admin/users/{boris.id}", json={"is_active": False}, expect=200)
    assert [await valid(item) for item in (of_boris, owners, of_anna)] == [False, False, True]
    assert_problem(await anna.call("POST", f"/invitations/{of_boris['token']}/accept"), 404)
    await anna.call("PATCH", f"/admin/users/{boris.id}", json={"is_active": True}, expect=200)
    assert [await valid(item) for item in (of_boris, owners, of_anna)] == [True, False, True]
    await anna.call("DELETE", member, expect=204)
    assert [await valid(item) for item in (of_boris, owners, of_anna)] == [False, False, True]
    async with server.database.write() as uow:
        await uow.execute(update(Invitation).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert not await valid(of_anna)
    assert (await anna.get(f"/projects/{project['id']}/invitations"))["items"] == []
    fresh = await invite(anna, project)
    await anna.call("DELETE", f"/projects/{project['id']}", expect=204)
    assert not await valid(fresh)
    assert not await valid({"token": "nonsense"})


async def test_a_deleted_project_comes_back_whole(anna: Person, boris: Person, project: Json) -> None:
    """An owner takes it back with everything in it, and its members find it again."""
    await anna.add(project, boris, "admin")
    await anna.comment(await anna.task(project))
    before, path = await anna.board(project), f"/projects/{project['id']}"
    await anna.call("DELETE", path, expect=204)
    (deleted,) = (await anna.get("/projects/trash"))["items"]
    assert deleted["id"] == project["id"]
    assert deleted["deleted_at"] >= project["created_at"]
    restored = (await anna.call("POST", f"{path}/restore", expect=200)).json()
    assert restored == await anna.get(path)
    after = await boris.board(project)
    assert after["epoch"] != before["epoch"]
    assert after == before | {"epoch": after["epoch"], "seq": before["seq"] + 2, "role": "admin"}
    assert (await anna.get("/projects/trash"))["items"] == []
    assert [item["id"] for item in (await boris.get("/projects"))["items"]] == [project["id"]]


async def test_a_deleted_project_is_its_owners_to_take_back(anna: Person, boris: Person, project: Json) -> None:
    """Nobody else finds it in their list or can restore it; what is not deleted stays as it is."""
    path, before = f"/projects/{project['id']}/restore", await anna.board(project)
    await anna.call("POST", path, expect=200)
    assert await anna.board(project) == before
    await anna.add(project, boris, "admin")
    await anna.call("DELETE", f"/projects/{project['id']}", expect=204)
    assert (await boris.get("/projects/trash"))["items"] == []
    assert_problem(await boris.call("POST", path), 404)
    for number in range(2):
        other = await anna.project(f"Other {number}")
        await anna.call("DELETE", f"/projects/{other['id']}", expect=204)
    first = await anna.get("/projects/trash", params={"limit": 2})
    rest = await anna.get("/projects/trash", params={"cursor": first["next_cursor"]})
    names = [item["name"] for item in first["items"] + rest["items"]]
    assert names == [project["name"], "Other 0", "Other 1"]


async def test_columns_go_where_they_are_put(server: TestServer, anna: Person, project: Json) -> None:
    """A new column is the last, or before or after another; moving it to where it is, is nothing."""
    path = f"/projects/{project['id']}/columns"
    todo, doing, _ = (await anna.board(project))["columns"]
    first = await anna.column(project, "Idea", before_id=todo["id"])
    await anna.column(project, "Идея", after_id=todo["id"])
    await anna.column(project, "Done", wip_limit=2)
    await anna.column(project, "!!!")
    assert await keys(anna, project) == ["idea", "todo", "идея", "in_progress", "done", "done_2", "column"]
    seq = (await anna.board(project))["seq"]
    await anna.call("PATCH", f"{path}/{first['id']}", json={"before_id": todo["id"]}, expect=200)
    await anna.call("PATCH", f"{path}/{first['id']}", json={"name": "Idea", "wip_limit": None}, expect=200)
    assert (await anna.board(project))["seq"] == seq
    moved = (
        await anna.call("PATCH", f"{path}/{first['id']}", json={"after_id": doing["id"], "name": "I"}, expect=200)
    ).json()
    assert (moved["key"], moved["name"]) == ("idea", "I")
    assert (await keys(anna, project)).index("idea") == 3
    refused = await anna.call("PATCH", f"{path}/{first['id']}", json={"after_id": first["id"]})
    assert assert_problem(refused, 422)["errors"][0]["field"] == "after_id"


async def test_column_with_cards_and_the_last_one_stay(server: TestServer, anna: Person, project: Json) -> None:
    """A column goes only when nothing is in it, and never the last one; a card in the trash does not hold it."""
    columns = (await anna.board(project))["columns"]
    paths = [f"/projects/{project['id']}/columns/{column['id']}" for column in columns]
    task = await anna.task(project)
    assert assert_problem(await anna.call("DELETE", paths[0]), 409)["code"] == "column_not_empty"
    await anna.call("DELETE", f"/tasks/{task['id']}", expect=204)
    for path in paths[:2]:
        await anna.call("DELETE", path, expect=204)
    assert assert_problem(await anna.call("DELETE", paths[2]), 409)["code"] == "conflict"
    assert_problem(await anna.call("DELETE", paths[0]), 404)


async def test_there_are_only_so_many_columns_and_labels(
    server: TestServer, anna: Person, project: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A board has a bounded number of columns and labels."""
    monkeypatch.setattr("app.services.columns.MAX_COLUMNS", 4)
    monkeypatch.setattr("app.services.labels.MAX_LABELS", 1)
    await anna.column(project)
    await anna.label(project)
    for kind in ("columns", "labels"):
        answer = await anna.call("POST", f"/projects/{project['id']}/{kind}", json={"name": "One more"})
        assert assert_problem(answer, 409)["code"] == "conflict"


async def test_label_that_goes_leaves_its_tasks(server: TestServer, anna: Person, project: Json) -> None:
    """A label is changed everywhere at once, and taken off every task when it is deleted."""
    bug, idea = await anna.label(project), await anna.label(project, "Idea", color="#00ff00")
    task = await anna.task(project, label_ids=[bug["id"], idea["id"]])
    path = f"/projects/{project['id']}/labels/{bug['id']}"
    assert (await anna.call("PATCH", path, json={"color": "#ff0000"}, expect=200)).json() == bug | {"color": "#ff0000"}
    await anna.call("DELETE", path, expect=204)
    assert (await anna.get(f"/tasks/{task['id']}"))["label_ids"] == [idea["id"]]
    assert (await anna.board(project))["labels"] == [idea]
    assert_problem(await anna.call("DELETE", path), 404)
    seq = (await anna.board(project))["seq"]
    await anna.call("PATCH", f"/projects/{project['id']}/labels/{idea['id']}", json={"name": "Idea"}, expect=200)
    assert (await anna.board(project))["seq"] == seq


async def test_rename_is_told_to_every_project_one_is_in(server: TestServer, anna: Person, boris: Person) -> None:
    """A new name is one event in each project of the person, and none in others."""
    mine, shared, foreign = await anna.project(), await boris.project(), await boris.project()
    await boris.add(shared, anna)
    await anna.call("PATCH", "/users/me", json={"name": "Анна П."}, expect=200)
    for person, project, count in ((anna, mine, 1), (boris, shared, 2), (boris, foreign, 0)):
        events = (await person.get(f"/projects/{project['id']}/events"))["items"]
        assert len(events) == count
        if count:
            assert (events[-1]["data"]["name"], events[-1]["data"]["changes"]) == ("Анна П.", ["name"])
