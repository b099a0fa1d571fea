"""Invitations for an address are mailed there, once, and say only what is still so."""

from app.services.mailing import INVITATIONS_TO_ONE
from tests.support.mail import MailServer, Start, arrived, drained, invite, outbox
from tests.support.people import Json, Person, register
from tests.support.ports import free_port
from tests.support.routes import assert_problem
from tests.support.server import TestServer


async def test_invitation_is_mailed_and_its_link_lets_in(
    server: TestServer, post_office: MailServer, anna: Person, project: Json
) -> None:
    """Whoever has no account yet gets the link, in the inviter's language, and registers with it."""
    made = await invite(anna, project, "clara@example.org")
    (mail,) = await arrived(post_office)
    assert (mail.sender, mail.recipients) == ("board@example.org", ["clara@example.org"])
    assert mail.message["Subject"] == "Anna invites you to “Website”"
    assert mail.message["From"] == "Time to DO <board@example.org>"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert "on the task board board.example.org, to work on its tasks." in mail.text()
    assert "for your address alone and lasts 7 days" in mail.text()
    assert mail.link == made["url"] == f"https://board.example.org/invite/{made['token']}"
    assert f'href="{made["url"]}"' in mail.text("html")
    await drained(server)
    async with await register(server, "Clara", code=None, invitation=made["token"]) as clara:
        assert [found["name"] for found in (await clara.get("/projects"))["items"]] == ["Website"]


async def test_unknown_address_added_as_a_member_is_mailed(
    server: TestServer, post_office: MailServer, anna: Person, project: Json
) -> None:
    """Adding somebody who has no account makes an invitation, and it is mailed like any other."""
    body = {"email": "clara@example.org", "role": "viewer"}
    made = (await anna.call("POST", f"/projects/{project['id']}/members", json=body, expect=202)).json()
    (mail,) = await arrived(post_office)
    assert (mail.link, mail.recipients) == (made["url"], ["clara@example.org"])


async def test_invitation_is_in_the_language_of_whoever_has_the_address(
    server: TestServer, post_office: MailServer, anna: Person, boris: Person, project: Json
) -> None:
    """A reader's own language goes before the inviter's."""
    await boris.call("PATCH", "/users/me", json={"language": "ru"}, expect=200)
    await invite(anna, project, "boris@example.org")
    (mail,) = await arrived(post_office)
    assert mail.message["Subject"] == "Anna приглашает вас в проект «Website»"
    assert "действует 7 дней" in mail.text()
    assert '<html lang="ru">' in mail.text("html")


async def test_open_link_and_who_need_no_mail_get_none(
    server: TestServer, post_office: MailServer, anna: Person, boris: Person, project: Json
) -> None:
    """An invitation for anybody, for a member, or for somebody who is kept out, is not mailed."""
    await anna.call("POST", f"/projects/{project['id']}/invitations", json={"role": "viewer"}, expect=201)
    await anna.add(project, boris)
    await invite(anna, project, "boris@example.org")
    async with await register(server, "Clara") as clara:
        await anna.call("PATCH", f"/admin/users/{clara.id}", json={"is_active": False}, expect=200)
    await invite(anna, project, "clara@example.org")
    await invite(anna, project, "dora@example.org")
    (mail,) = await arrived(post_office)
    assert mail.recipients == ["dora@example.org"]
    await drained(server)
    assert len(post_office.mails) == 1


async def test_names_cannot_leave_their_place(
    server: TestServer, post_office: MailServer, anna: Person, project: Json
) -> None:
    """A project's name is text: it begins no header, is no HTML, and turns nothing round."""
    name = "A <b>bold</b> & “new” \u202eproject"
    await anna.call("PATCH", f"/projects/{project['id']}", json={"name": name}, expect=200)
    await invite(anna, project, "clara@example.org")
    (mail,) = await arrived(post_office)
    assert mail.message["Subject"] == "Anna invites you to “A <b>bold</b> & “new” project”"
    assert "A &lt;b&gt;bold&lt;/b&gt; &amp; “new” project" in mail.text("html")
    assert "<b>" not in mail.text("html")


async def test_revoked_invitation_is_not_mailed_any_more(
    server: TestServer, post_office: MailServer, anna: Person, project: Json
) -> None:
    """What has changed while the mail server was away is not told."""
    await post_office.stop()
    made = await invite(anna, project, "clara@example.org")
    await anna.call("DELETE", f"/projects/{project['id']}/invitations/{made['id']}", expect=204)
    await invite(anna, project, "dora@example.org")
    await post_office.resume()
    await drained(server)
    assert [mail.recipients for mail in post_office.mails] == [["dora@example.org"]]


async def test_one_person_mails_only_so_many_invitations(start: Start, post_office: MailServer) -> None:
    """A board is no way to send mail to the world; links can still be made."""
    server = await start(mail_invitations_per_hour=2)
    async with await register(server, "Anna") as anna:
        project = await anna.project()
        for name in ("a", "b"):
            await invite(anna, project, f"{name}@example.org")
        path = f"/projects/{project['id']}/invitations"
        refused = await anna.call("POST", path, json={"role": "viewer", "email": "c@example.org"})
        assert "too many invitations by mail" in assert_problem(refused, 429)["detail"]
        await anna.call("POST", path, json={"role": "viewer"}, expect=201)
        assert len((await anna.get(path))["items"]) == 3
    assert len(await arrived(post_office, 2)) == 2


async def test_one_address_is_mailed_only_so_many_invitations(
    server: TestServer, post_office: MailServer, anna: Person, boris: Person, project: Json
) -> None:
    """Whoever invites it: nobody's mailbox is filled. Others are mailed as before."""
    for _ in range(INVITATIONS_TO_ONE):
        await invite(anna, project, "clara@example.org")
    body, others = {"role": "viewer", "email": "clara@example.org"}, await boris.project()
    refused = await boris.call("POST", f"/projects/{others['id']}/invitations", json=body)
    assert "too many invitations by mail to this address" in assert_problem(refused, 429)["detail"]
    assert (await boris.get(f"/projects/{others['id']}/invitations"))["items"] == []
    await invite(boris, others, "dora@example.org")
    assert len(await arrived(post_office, INVITATIONS_TO_ONE + 1)) == INVITATIONS_TO_ONE + 1


async def test_limit_is_one_for_all_servers_of_a_board(start: Start, post_office: MailServer) -> None:
    """Whichever of them somebody asks, and whenever it was started."""
    first = await start(mail_invitations_per_hour=2)
    second = await start(mail_invitations_per_hour=2, port=free_port())
    async with await register(first, "Anna") as anna:
        project = await anna.project()
        await invite(anna, project, "a@example.org")
        tokens = {"user": anna.user, "access_token": anna.token, "refresh_token": None}
        async with Person(second, tokens) as elsewhere:
            await invite(elsewhere, project, "b@example.org")
            body = {"role": "viewer", "email": "c@example.org"}
            for person in (anna, elsewhere):
                refused = await person.call("POST", f"/projects/{project['id']}/invitations", json=body)
                assert 3500 < int(refused.headers["retry-after"]) <= 3600
                assert_problem(refused, 429)


async def test_limit_does_not_tell_who_has_an_account(start: Start) -> None:
    """Somebody who wants no such mail counts like somebody nobody knows."""
    server = await start(mail_invitations_per_hour=1)
    async with await register(server, "Anna") as anna, await register(server, "Boris") as boris:
        wishes = await boris.get("/users/me/notification_settings")
        wishes["matrix"] = {"invited": {"in_app": True, "push": False, "email": False}}
        await boris.call("PUT", "/users/me/notification_settings", json=wishes, expect=200)
        project = await anna.project()
        await invite(anna, project, "boris@example.org")
        body = {"role": "viewer", "email": "nobody@example.org"}
        refused = await anna.call("POST", f"/projects/{project['id']}/invitations", json=body)
        assert "too many invitations by mail" in assert_problem(refused, 429)["detail"]


async def test_outbox_holds_no_token(server: TestServer, post_office: MailServer, anna: Person, project: Json) -> None:
    """Whoever reads the database, or a backup of it, cannot open what is on its way."""
    await post_office.stop()
    made = await invite(anna, project, "clara@example.org")
    (row,) = await outbox(server)
    assert made["token"] not in str(row)
    assert row.data == f'{{"invitation_id":"{made["id"]}"}}'
