"""Accounts and sessions: who gets in, how long, and how it ends."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError

from app.config import Registration, Settings
from app.domain.clock import utc_now
from app.models import RefreshToken, Session
from app.security import Passwords
from app.services import passwords, users
from tests.support.people import PASSWORD, Json, Person, register
from tests.support.routes import assert_problem
from tests.support.server import ADMIN_CODE, TestServer, make_settings, run_server

ANNA = {"email": "anna@example.org", "password": PASSWORD}
COOKIE = "timetodo_refresh"


@pytest.fixture
async def visitor(server: TestServer) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody without credentials."""
    async with server.client() as client:
        yield client


async def login(client: httpx2.AsyncClient, **fields: Any) -> Json:
    """Sign Anna in."""
    answer = await client.post("/auth/login", json=ANNA | fields)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


async def refresh(client: httpx2.AsyncClient, token: str, expect: int = 200) -> Json:
    """Exchange a refresh token."""
    answer = await client.post("/auth/refresh", json={"refresh_token": token})
    assert answer.status_code == expect, answer.text
    body: Json = answer.json()
    return body


async def me(client: httpx2.AsyncClient, tokens: Json) -> int:
    """Return the status of reading one's own account."""
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return (await client.get("/users/me", headers=headers)).status_code


async def age_rotation(server: TestServer, seconds: int) -> None:
    """Let every exchange of a refresh token have been so long ago."""
    async with server.database.write() as uow:
        aged = utc_now() - timedelta(seconds=seconds)
        await uow.execute(update(RefreshToken).where(RefreshToken.rotated_at.is_not(None)).values(rotated_at=aged))


async def test_first_account_needs_the_code_and_is_the_administrator_s(
    server: TestServer, visitor: httpx2.AsyncClient
) -> None:
    """Nobody but the holder of the one-time code becomes the first user; afterwards the code is worth nothing."""
    body = ANNA | {"name": "Анна", "language": "ru", "time_zone": "Europe/Moscow"}
    assert (await visitor.get("/server")).json()["needs_admin"] is True
    for code in (None, "", "wrong", "ключ", ADMIN_CODE + "x"):
        assert_problem(await visitor.post("/auth/register", json=body | {"code": code}), 403)
    answer = await visitor.post("/auth/register", json=body | {"code": f" {ADMIN_CODE} "})
    assert answer.status_code == 201
    user = answer.json()["user"]
    assert (user["is_admin"], user["name"], user["language"], user["time_zone"]) == (
        True,
        "Анна",
        "ru",
        "Europe/Moscow",
    )
    assert (await visitor.get("/server")).json() == {
        "name": "Time to DO",
        "version": "0.1.0",
        "registration": "open",
        "needs_admin": False,
        "mail": False,
    }
    assert server.context.read_admin_code() is None
    second = await visitor.post("/auth/register", json=body | {"email": "b@example.org", "code": ADMIN_CODE})
    assert second.json()["user"]["is_admin"] is False


async def test_address_can_be_taken_once(server: TestServer, anna: Person, visitor: httpx2.AsyncClient) -> None:
    """Whatever its case, an address belongs to one account, also when many ask for it at once."""
    taken = await visitor.post("/auth/register", json={**ANNA, "email": "ANNA@example.org", "name": "x"})
    assert assert_problem(taken, 409)["code"] == "email_taken"
    body = {"email": "new@example.org", "password": PASSWORD, "name": "New"}
    answers = await asyncio.gather(*(visitor.post("/auth/register", json=body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]


async def test_only_one_of_many_becomes_the_first(server: TestServer, visitor: httpx2.AsyncClient) -> None:
    """Two who hold the code at once do not both become administrators."""
    bodies = [{"email": f"{n}@example.org", "password": PASSWORD, "name": "N", "code": ADMIN_CODE} for n in range(5)]
    answers = await asyncio.gather(*(visitor.post("/auth/register", json=body) for body in bodies))
    admins = [answer.json()["user"]["is_admin"] for answer in answers if answer.status_code == 201]
    assert sum(admins) == 1


@pytest.mark.parametrize("mode", [Registration.INVITE, Registration.CLOSED])
async def test_registration_is_as_open_as_the_settings_say(sqlite_settings: Settings, mode: Registration) -> None:
    """By invitation: with one and not without; closed: not even with one."""
    settings = sqlite_settings.model_copy(update={"registration": mode})
    async with run_server(settings) as server, server.client() as visitor:
        async with await register(server, "Anna") as anna:
            project = await anna.project()
            path = f"/projects/{project['id']}/invitations"
            link = (await anna.call("POST", path, json={"role": "editor"}, expect=201)).json()["token"]
            named = {"role": "editor", "email": "clara@example.org"}
            letter = (await anna.call("POST", path, json=named, expect=201)).json()["token"]
        body = {"email": "boris@example.org", "password": PASSWORD, "name": "Boris"}
        refused = await visitor.post("/auth/register", json=body)
        assert assert_problem(refused, 403)["code"] == "registration_closed"
        statuses = [
            (await visitor.post("/auth/register", json=body | {"invitation": token})).status_code
            for token in ("nonsense", letter, link)
        ]
        assert statuses == ([404, 403, 201] if mode is Registration.INVITE else [403, 403, 403])
        if mode is Registration.INVITE:
            tokens = (await visitor.post("/auth/login", json={k: body[k] for k in ("email", "password")})).json()
            mine = await visitor.get("/projects", headers={"Authorization": f"Bearer {tokens['access_token']}"})
            assert [(item["id"], item["role"]) for item in mine.json()["items"]] == [(project["id"], "editor")]


async def test_wrong_password_and_unknown_address_look_alike(
    server: TestServer, anna: Person, visitor: httpx2.AsyncClient
) -> None:
    """The answer does not tell whether an account exists, or is deactivated."""
    answers = [
        await visitor.post("/auth/login", json={"email": email, "password": "wrong password"})
        for email in ("anna@example.org", "nobody@example.org", "no address")
    ]
    async with server.database.write() as uow:
        await users.set_active(uow, UUID(anna.id), active=False)
    answers.append(await visitor.post("/auth/login", json=ANNA))
    refusals = [assert_problem(answer, 401) | {"request_id": ""} for answer in answers]
    assert refusals == [refusals[0]] * 4
    assert refusals[0]["code"] == "invalid_credentials"
    assert_problem(await anna.call("GET", "/users/me"), 401)


async def test_address_may_be_typed_in_any_case(server: TestServer, anna: Person, visitor: httpx2.AsyncClient) -> None:
    """Spaces around it and capitals are no other address."""
    assert (await login(visitor, email="  Anna@Example.org "))["user"]["id"] == anna.id


async def test_tokens_say_what_they_are(server: TestServer, anna: Person, visitor: httpx2.AsyncClient) -> None:
    """An access token for 15 minutes, a refresh token, and the account."""
    tokens = await login(visitor)
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 900)
    assert tokens["user"] == anna.user == await anna.get("/users/me")
    assert COOKIE not in visitor.cookies


async def test_refresh_token_rotates(server: TestServer, anna: Person, visitor: httpx2.AsyncClient) -> None:
    """Each exchange gives the next token, and the access tokens of one session all work."""
    first = await login(visitor)
    second = await refresh(visitor, first["refresh_token"])
    third = await refresh(visitor, second["refresh_token"])
    assert len({tokens["refresh_token"] for tokens in (first, second, third)}) == 3
    assert [await me(visitor, tokens) for tokens in (first, second, third)] == [200, 200, 200]
    for nonsense in ("", "nonsense", first["access_token"][:200]):
        await refresh(visitor, nonsense, expect=401)
    assert_problem(await visitor.post("/auth/refresh"), 401)


async def test_two_tabs_may_exchange_one_token_at_once(
    server: TestServer, anna: Person, visitor: httpx2.AsyncClient
) -> None:
    """Within the grace period the same token is good again, and both successors are."""
    tokens = await login(visitor)
    both = await asyncio.gather(*(refresh(visitor, tokens["refresh_token"]) for _ in range(4)))
    for successor in both:
        await refresh(visitor, successor["refresh_token"])


async def test_stolen_refresh_token_ends_the_whole_family(
    server: TestServer, anna: Person, visitor: httpx2.AsyncClient
) -> None:
    """A token that was exchanged long ago is presented by a thief: nobody goes on with this session."""
    first = await login(visitor)
    second = await refresh(visitor, first["refresh_token"])
    await age_rotation(server, 60)
    await refresh(visitor, first["refresh_token"], expect=401)
    await refresh(visitor, second["refresh_token"], expect=401)
    assert [await me(visitor, first), await me(visitor, second)] == [401, 401]
    await anna.get("/users/me")


async def test_cookie_is_for_our_own_pages(server: TestServer, anna: Person, visitor: httpx2.AsyncClient) -> None:
    """With use_cookie no script can read the refresh token and no other site can send it."""
    answer = await visitor.post("/auth/login", json=ANNA | {"use_cookie": True})
    assert answer.json()["refresh_token"] is None
    name, _, attributes = answer.headers["set-cookie"].partition("; ")
    assert name.startswith(f"{COOKIE}=")
    assert set(attributes.split("; ")) == {"HttpOnly", "Max-Age=2592000", "Path=/api/v1/auth", "SameSite=strict"}
    origin = f"http://localhost:{server.settings.port}"
    for headers in ({}, {"Origin": origin}):
        refreshed = await visitor.post("/auth/refresh", headers=headers)
        assert (refreshed.status_code, refreshed.json()["refresh_token"]) == (200, None)
        assert refreshed.headers["set-cookie"].startswith(f"{COOKIE}=")
    assert_problem(await visitor.post("/auth/refresh", headers={"Origin": "https://evil.example"}), 403)
    out = await visitor.post("/auth/logout")
    assert (out.status_code, out.content) == (204, b"")
    assert COOKIE not in visitor.cookies


async def test_cookie_is_secure_behind_https(sqlite_settings: Settings) -> None:
    """Where people use https the cookie never travels without it."""
    settings = sqlite_settings.model_copy(update={"public_url": "https://board.example.org"})
    async with run_server(settings) as server, server.client() as visitor:
        async with await register(server, "Anna", use_cookie=True) as anna:
            assert anna.refresh_token is None
        answer = await visitor.post("/auth/login", json=ANNA | {"use_cookie": True})
        assert "; Secure" in answer.headers["set-cookie"]


async def test_nothing_works_after_logout(server: TestServer, anna: Person, visitor: httpx2.AsyncClient) -> None:
    """A logout ends access and refresh token at once, and nothing of another session."""
    other, tokens = await login(visitor), await login(visitor)
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await visitor.post("/auth/logout", headers=headers)).status_code == 204
    assert await me(visitor, tokens) == 401
    await refresh(visitor, tokens["refresh_token"], expect=401)
    assert_problem(await visitor.post("/auth/logout", headers=headers), 401)
    assert await me(visitor, other) == 200
    body = {"refresh_token": other["refresh_token"]}
    assert (await visitor.post("/auth/logout", json=body)).status_code == 204
    assert await me(visitor, other) == 401
    assert_problem(await visitor.post("/auth/logout", json=body), 401)
    assert_problem(await visitor.post("/auth/logout"), 401)


async def test_new_password_ends_every_other_session(
    server: TestServer, anna: Person, visitor: httpx2.AsyncClient
) -> None:
    """Whoever changes the password stays; every other device, and the old password, is out."""
    other = await login(visitor)
    change = {"current_password": "wrong password", "new_password": "another good one"}
    refused = assert_problem(await anna.call("POST", "/auth/password", json=change), 401)
    assert refused["code"] == "invalid_credentials"
    assert await me(visitor, other) == 200
    await anna.call("POST", "/auth/password", json=change | {"current_password": PASSWORD}, expect=204)
    assert await me(visitor, other) == 401
    await refresh(visitor, other["refresh_token"], expect=401)
    await anna.get("/users/me")
    assert_problem(await visitor.post("/auth/login", json=ANNA), 401)
    assert (await login(visitor, password="another good one"))["user"]["id"] == anna.id


async def test_password_stays_where_the_sessions_it_opened_do(sqlite_server: TestServer) -> None:
    """When they cannot be ended the new password is not stored either, whoever sets it."""
    change = {"current_password": PASSWORD, "new_password": "another good one"}
    async with await register(sqlite_server, "Anna") as anna, sqlite_server.client() as visitor:
        async with sqlite_server.database.write() as uow:
            await uow.execute(
                text("CREATE TRIGGER no BEFORE UPDATE OF ended_at ON sessions BEGIN SELECT RAISE(ABORT, 'no'); END")
            )
        await login(visitor)
        assert_problem(await anna.call("POST", "/auth/password", json=change), 500)
        await login(visitor)
        with pytest.raises(IntegrityError):
            await passwords.assign(sqlite_server.database, Passwords(), UUID(anna.id), "another good one")
        await login(visitor)


async def test_sessions_are_one_s_own_to_see_and_end(
    server: TestServer, anna: Person, boris: Person, visitor: httpx2.AsyncClient
) -> None:
    """One sees one's own devices, knows this one, and can sign another one out."""
    visitor.headers["User-Agent"] = "Телефон".encode().decode("latin-1")
    other = await login(visitor)
    sessions = (await anna.get("/auth/sessions"))["items"]
    assert [session["current"] for session in sessions] == [True, False]
    assert sessions[1]["ip_address"] == "127.0.0.1"
    path = f"/auth/sessions/{sessions[1]['id']}"
    assert_problem(await boris.call("DELETE", path), 404)
    assert await me(visitor, other) == 200
    await anna.call("DELETE", path, expect=204)
    assert await me(visitor, other) == 401
    assert_problem(await anna.call("DELETE", path), 404)
    assert len((await anna.get("/auth/sessions"))["items"]) == 1


async def test_session_ends_when_it_was_not_used_for_long(
    server: TestServer, anna: Person, visitor: httpx2.AsyncClient
) -> None:
    """A session past its time lets nobody in, neither by access nor by refresh token."""
    async with server.database.write() as uow:
        await uow.execute(update(Session).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert_problem(await anna.call("GET", "/users/me"), 401)
    assert anna.refresh_token is not None
    await refresh(visitor, anna.refresh_token, expect=401)


async def test_expired_access_token_is_told_apart(server: TestServer, anna: Person) -> None:
    """A client learns that it only needs to refresh."""
    claims = server.context.tokens.verify(anna.token)
    old = server.context.tokens.issue(claims.user_id, claims.session_id, utc_now() - timedelta(hours=1))
    answer = await anna.call("GET", "/users/me", headers={"Authorization": f"Bearer {old}"})
    assert assert_problem(answer, 401)["code"] == "token_expired"


async def test_passwords_can_be_tried_only_so_often(sqlite_settings: Settings) -> None:
    """Beyond the limit of an address the answer is 429 with the seconds to wait, whatever the password."""
    settings = sqlite_settings.model_copy(update={"auth_attempts_per_minute": 3})
    async with run_server(settings) as server, server.client() as visitor:
        async with await register(server, "Anna"):
            pass
        answers = [await visitor.post("/auth/login", json=ANNA | {"password": "guess"}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [401, 401, 429]
        refusal = assert_problem(await visitor.post("/auth/login", json=ANNA), 429)
        assert refusal["code"] == "rate_limited"
        assert 1 <= int(answers[2].headers["retry-after"]) <= 20
        assert (await visitor.get("/server")).status_code == 200


async def test_neighbours_of_one_ipv6_network_are_one_address(sqlite_settings: Settings) -> None:
    """Somebody who has a /64 has no more attempts than somebody with one address."""
    settings = sqlite_settings.model_copy(update={"auth_attempts_per_minute": 1})
    async with run_server(settings) as server, server.client() as visitor:
        for address, status in (("2001:db8:1:1::1", 401), ("2001:db8:1:1:2::2", 429), ("2001:db8:1:2::1", 401)):
            answer = await visitor.post("/auth/login", json=ANNA, headers={"X-Forwarded-For": address})
            assert_problem(answer, status)


async def test_one_account_is_tried_only_so_often_from_everywhere(sqlite_settings: Settings) -> None:
    """Whose account it is does not notice where they are signed in; whether there is one, the refusal does not say."""
    settings = sqlite_settings.model_copy(update={"auth_attempts_per_minute": 2})
    async with run_server(settings) as server, server.client() as visitor:

        async def log_in(address: str, **fields: str) -> httpx2.Response:
            headers = {"X-Forwarded-For": address}
            return await visitor.post("/auth/login", json=ANNA | fields, headers=headers)

        async with await register(server, "Anna"):  # from 127.0.0.1
            for net, email in (("192.0.2", ANNA["email"]), ("198.51.100", "nobody@example.org")):
                tried = [await log_in(f"{net}.{i}", email=email, password="guess") for i in range(11)]
                assert [answer.status_code for answer in tried] == [401] * 10 + [429]
                assert assert_problem(tried[-1], 429)["code"] == "rate_limited"
                assert int(tried[-1].headers["retry-after"]) > 60
                assert_problem(await log_in(f"{net}.99", email=email.upper()), 429)
            assert (await log_in("127.0.0.1")).status_code == 200


async def test_profile_changes_what_was_sent(server: TestServer, anna: Person) -> None:
    """One's own account, field by field; the address and the rights cannot be changed here."""
    changed = (
        await anna.call("PATCH", "/users/me", json={"name": " Анна П. ", "time_zone": "Asia/Omsk"}, expect=200)
    ).json()
    assert changed == anna.user | {"name": "Анна П.", "time_zone": "Asia/Omsk"}
    assert (await anna.call("PATCH", "/users/me", json={}, expect=200)).json() == changed
    for field, value in {"is_admin": True, "email": "x@example.org", "id": anna.id, "name": None}.items():
        refusal = assert_problem(await anna.call("PATCH", "/users/me", json={field: value}), 422)
        assert refusal["errors"][0]["field"] == field
    assert await anna.get("/users/me") == changed


def test_settings_of_tests_keep_the_product_s_defaults(tmp_path: Path) -> None:
    """What these tests say of cookies and tokens is said of the defaults."""
    assert make_settings(tmp_path).access_token_s == Settings().access_token_s == 900
