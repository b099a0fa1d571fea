"""A forgotten password: a mailed link sets a new one, once, and tells nobody who has an account."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import func, insert, select, update

from app.domain.clock import utc_now
from app.models import PasswordReset
from app.security import digest
from app.services import retention
from tests.support.mail import MailServer, Start, arrived, drained, hurry, outbox, waiting_once_tried
from tests.support.people import PASSWORD, Json, Person
from tests.support.routes import assert_problem
from tests.support.server import TestServer
from tests.support.sockets import open_socket

NEW = "staple for the horse"


@pytest.fixture
async def visitor(server: TestServer) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody who is not signed in."""
    async with server.client() as client:
        yield client


async def forget(visitor: httpx2.AsyncClient, email: str = "anna@example.org") -> None:
    """Say that a password was forgotten."""
    answer = await visitor.post("/auth/forgot", json={"email": email})
    assert (answer.status_code, answer.content) == (202, b"")


async def token_for(visitor: httpx2.AsyncClient, post_office: MailServer) -> str:
    """Ask for a link and return the token of the one that came."""
    count = len(post_office.mails)
    await forget(visitor)
    return (await arrived(post_office, count + 1))[-1].link.partition("#")[2]


async def reset(visitor: httpx2.AsyncClient, token: str, password: str = NEW) -> httpx2.Response:
    """Set a new password."""
    return await visitor.post("/auth/reset", json={"token": token, "password": password})


async def can_sign_in(visitor: httpx2.AsyncClient, password: str) -> bool:
    """Whether Anna's password is this."""
    answer = await visitor.post("/auth/login", json={"email": "anna@example.org", "password": password})
    return answer.status_code == 200


async def open_links(server: TestServer) -> int:
    """Return how many links are still good."""
    async with server.database.read() as uow:
        return int((await uow.fetch(select(func.count()).select_from(PasswordReset))).scalar_one())


async def test_mailed_link_sets_a_new_password_once(
    server: TestServer, post_office: MailServer, anna: Person, visitor: httpx2.AsyncClient
) -> None:
    """In the language of the account; the token follows the `#`, so that no server's log has it."""
    await anna.call("PATCH", "/users/me", json={"language": "ru"}, expect=200)
    await forget(visitor, "ANNA@example.org")
    (mail,) = await arrived(post_office)
    assert (mail.recipients, mail.message["Subject"]) == (["anna@example.org"], "Новый пароль для Time to DO")
    address, _, token = mail.link.partition("#")
    assert address == "https://board.example.org/reset"
    assert (await reset(visitor, token)).status_code == 204
    assert await can_sign_in(visitor, NEW)
    assert not await can_sign_in(visitor, PASSWORD)
    assert "ask for a new one" in assert_problem(await reset(visitor, token, "another for the horse"), 404)["detail"]
    assert await can_sign_in(visitor, NEW)


async def test_nobody_learns_who_has_an_account(
    server: TestServer, post_office: MailServer, anna: Person, boris: Person, visitor: httpx2.AsyncClient
) -> None:
    """One answer for all, and the same work for it: a row. Only who has an account, and may use it, gets a mail."""
    await anna.call("PATCH", f"/admin/users/{boris.id}", json={"is_active": False}, expect=200)
    for email in ("nobody@example.org", "boris@example.org"):
        await forget(visitor, email)
    await drained(server)
    assert (await open_links(server), post_office.greetings) == (0, [])
    await forget(visitor)
    assert [mail.recipients for mail in await arrived(post_office)] == [["anna@example.org"]]


async def test_new_password_ends_every_session_and_socket(
    server: TestServer, post_office: MailServer, anna: Person, visitor: httpx2.AsyncClient
) -> None:
    """Whoever was signed in with the old password is signed out, at once."""
    async with open_socket(server, anna) as socket:
        token = await token_for(visitor, post_office)
        assert (await reset(visitor, token)).status_code == 204
        assert await socket.closed() == 4410
    assert_problem(await anna.call("GET", "/users/me"), 401)
    assert_problem(await visitor.post("/auth/refresh", json={"refresh_token": anna.refresh_token}), 401)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/auth/login", {"email": "anna@example.org", "password": PASSWORD}),
        ("/auth/password", {"current_password": PASSWORD, "new_password": "chosen by a thief"}),
    ],
)
async def test_old_password_under_way_is_of_no_use(
    server: TestServer,
    post_office: MailServer,
    anna: Person,
    visitor: httpx2.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    body: Json,
) -> None:
    """Found right before the new one was set, it neither opens a session nor sets another one."""
    token = await token_for(visitor, post_office)
    verify, verified, go_on = server.context.passwords.verify, asyncio.Event(), asyncio.Event()

    async def verify_and_wait(stored: str | None, password: str) -> bool:
        right = await verify(stored, password)
        verified.set()
        await go_on.wait()
        return right

    monkeypatch.setattr(server.context.passwords, "verify", verify_and_wait)
    async with asyncio.TaskGroup() as group:
        late = group.create_task(anna.call("POST", path, json=body))
        await verified.wait()
        assert (await reset(visitor, token)).status_code == 204
        go_on.set()
    assert assert_problem(late.result(), 401)["code"] == "invalid_credentials"
    assert await can_sign_in(visitor, NEW)


async def test_new_password_makes_other_links_useless(
    server: TestServer, post_office: MailServer, anna: Person, visitor: httpx2.AsyncClient
) -> None:
    """Those that were mailed before, and one that waits to be mailed."""
    first, second = await token_for(visitor, post_office), await token_for(visitor, post_office)
    await post_office.stop()
    await forget(visitor)
    assert (await reset(visitor, second)).status_code == 204
    assert_problem(await reset(visitor, first), 404)
    assert (await open_links(server), await outbox(server)) == (0, [])


async def test_password_that_was_remembered_makes_links_useless(
    server: TestServer, post_office: MailServer, anna: Person, visitor: httpx2.AsyncClient
) -> None:
    """Whichever way a password is set."""
    token = await token_for(visitor, post_office)
    body = {"current_password": PASSWORD, "new_password": "remembered after all"}
    await anna.call("POST", "/auth/password", json=body, expect=204)
    assert_problem(await reset(visitor, token), 404)
    assert await can_sign_in(visitor, "remembered after all")


async def test_deactivated_account_has_no_good_link(
    server: TestServer, post_office: MailServer, anna: Person, boris: Person, visitor: httpx2.AsyncClient
) -> None:
    """It does not come back with the account."""
    await forget(visitor, "boris@example.org")
    token = (await arrived(post_office))[0].link.partition("#")[2]
    for active in (False, True):
        await anna.call("PATCH", f"/admin/users/{boris.id}", json={"is_active": active}, expect=200)
        assert_problem(await reset(visitor, token), 404)
    async with server.database.write() as uow:  # a link that was written at the same moment
        values = {"digest": digest(token), "user_id": UUID(boris.id), "expires_at": utc_now() + timedelta(hours=1)}
        await uow.execute(insert(PasswordReset).values(values))
    await anna.call("PATCH", f"/admin/users/{boris.id}", json={"is_active": False}, expect=200)
    assert_problem(await reset(visitor, token), 404)


async def test_link_is_good_for_an_hour(
    server: TestServer, post_office: MailServer, anna: Person, visitor: httpx2.AsyncClient
) -> None:
    """Then it is refused, and in time forgotten."""
    token = await token_for(visitor, post_office)
    async with server.database.write() as uow:
        (expires_at,) = (await uow.fetch(select(PasswordReset.expires_at))).scalars()
        await uow.execute(update(PasswordReset).values(expires_at=utc_now()))
    assert timedelta(minutes=50) < expires_at - utc_now() <= timedelta(hours=1)
    assert_problem(await reset(visitor, token), 404)
    assert not await can_sign_in(visitor, NEW)
    await retention.sweep(server.database, server.settings)
    assert await open_links(server) == 0


async def test_mail_that_was_put_off_has_the_same_link(
    server: TestServer, post_office: MailServer, anna: Person, visitor: httpx2.AsyncClient
) -> None:
    """The token is made again from the row, which holds none."""
    post_office.answers = ["451 greylisted"]
    await forget(visitor)
    row = await waiting_once_tried(server)
    assert await open_links(server) == 1
    token = server.context.mailing.reset_token(row.id)
    assert token not in str(row)
    await hurry(server)
    (mail,) = await arrived(post_office)
    assert mail.link.endswith(f"/reset#{token}")
    assert await open_links(server) == 1
    assert (await reset(visitor, token)).status_code == 204


async def test_what_is_wrong_is_refused_and_uses_nothing_up(
    post_office: MailServer, anna: Person, visitor: httpx2.AsyncClient
) -> None:
    """A token that is none, whatever it looks like, and a password that could not be signed up with."""
    token = await token_for(visitor, post_office)
    for none in ("", "x", token + "x", token.swapcase(), "доска"):
        assert_problem(await reset(visitor, none), 404)
    for given, password, field in (("x" * 201, NEW, "token"), ("\0", NEW, "token"), (token, "short", "password")):
        problem = assert_problem(await reset(visitor, given, password), 422)
        assert [error["field"] for error in problem["errors"]] == [field]
    assert (await reset(visitor, token)).status_code == 204


async def test_one_link_used_twice_at_once_works_once(
    post_office: MailServer, anna: Person, visitor: httpx2.AsyncClient
) -> None:
    """Of several who press the button one succeeds."""
    token = await token_for(visitor, post_office)
    answers = await asyncio.gather(*(reset(visitor, token, f"{NEW} {number}") for number in range(4)))
    assert sorted(answer.status_code for answer in answers) == [204, 404, 404, 404]


async def test_mailbox_is_not_filled_with_links(
    post_office: MailServer, anna: Person, visitor: httpx2.AsyncClient
) -> None:
    """Three at once for one address, whether or not anybody has it; others are not held up."""
    for email in ("anna@example.org", "nobody@example.org"):
        for _ in range(3):
            await forget(visitor, email)
        refused = await visitor.post("/auth/forgot", json={"email": email})
        assert "too many requests for this address" in assert_problem(refused, 429)["detail"]
        assert int(refused.headers["retry-after"]) > 0
    await forget(visitor, "other@example.org")


async def test_one_client_asks_only_so_often(start: Start) -> None:
    """The limit of password checks holds here too; the page knows that there is mail."""
    server = await start(auth_attempts_per_minute=2)
    async with server.client() as visitor:
        assert (await visitor.get("/server")).json()["mail"] is True
        for name in ("a", "b"):
            await forget(visitor, f"{name}@example.org")
        assert_problem(await visitor.post("/auth/forgot", json={"email": "c@example.org"}), 429)
        assert_problem(await reset(visitor, "x" * 43), 429)


async def test_without_mail_one_is_told_whom_to_ask(start: Start, post_office: MailServer) -> None:
    """The page knows before, and whoever asks all the same is told."""
    server = await start(smtp_host=None, smtp_port=None, smtp_from=None)
    async with server.client() as visitor:
        assert (await visitor.get("/server")).json()["mail"] is False
        problem = assert_problem(await visitor.post("/auth/forgot", json={"email": "anna@example.org"}), 403)
    assert problem["code"] == "mail_off"
    assert "ask its administrator" in problem["detail"]
    assert await outbox(server) == []
