"""Transactions of PostgreSQL that come to nothing: by waiting for each other, which few do, or with their connection.

A call that was given up for that is made again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Executable, delete, func, insert, make_url, select, text, update

from app.broker.memory import MemoryBroker
from app.db.engine import create_engine
from app.db.unit_of_work import Database, UnitOfWork
from app.domain.clock import utc_now
from app.errors import Unavailable
from app.models import LoggedNotice, Notification, PasswordReset, Project, PushDelivery, User
from app.security import digest
from app.services import retention
from app.services.deliveries import SHOW, delivery
from tests.support.people import PASSWORD, Json, Person
from tests.support.routes import assert_problem
from tests.support.server import TestServer

pytestmark = pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
BORIS = select(User.id).where(User.name == "Boris")
TOKEN = "x" * 43
KILLED = "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5)"
"""The sleep is where the end is noticed."""


async def change(server: TestServer, *statements: Executable) -> None:
    """Write something into the database."""
    async with server.database.write() as uow:
        for statement in statements:
            await uow.execute(statement)


async def fail_writes(server: TestServer, count: int, code: str, table: str = "tasks") -> None:
    """Let the first few attempts to write a row of a table end as those do that are given up."""
    before = f"TRIGGER fail BEFORE INSERT OR UPDATE ON {table}"
    await end_attempts(server, count, f"RAISE EXCEPTION 'no' USING ERRCODE = '{code}'", before)


async def end_attempts(server: TestServer, count: int, how: str, trigger: str) -> None:
    """Let something happen to the first few transactions that a trigger sees."""
    body = f"BEGIN IF nextval('attempts') <= {count} THEN {how}; END IF; RETURN NEW; END"
    await change(
        server,
        text("CREATE SEQUENCE attempts"),
        text(f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"),
        text(f"CREATE {trigger} FOR EACH ROW EXECUTE FUNCTION fail()"),
    )


@pytest.mark.parametrize(
    ("route", "table", "status"),
    [
        ("register", "sessions", 201),
        ("refresh", "refresh_tokens", 200),
        ("logout", "sessions", 204),
        ("password", "sessions", 204),
        ("reset", "users", 204),
    ],
)
async def test_signing_in_and_out_is_tried_once_more(
    server: TestServer, anna: Person, route: str, table: str, status: int
) -> None:
    """Routes of several transactions repeat the one that was given up, and nothing that was done before it."""
    bodies: dict[str, Json] = {
        "register": {"email": "new@example.org", "password": PASSWORD, "name": "New"},
        "login": {"email": anna.user["email"], "password": PASSWORD},
        "refresh": {"refresh_token": anna.refresh_token},
        "logout": {},
        "password": {"current_password": PASSWORD, "new_password": "staple for the horse"},
        "reset": {"token": TOKEN, "password": "staple for the horse"},
    }
    values = {"digest": digest(TOKEN), "user_id": UUID(anna.id), "expires_at": utc_now() + timedelta(hours=1)}
    await change(server, insert(PasswordReset).values(values))
    await anna.call("POST", "/auth/login", json=bodies["login"], expect=200)
    await fail_writes(server, 1, "40P01", table)
    await anna.call("POST", f"/auth/{route}", json=bodies[route], expect=status)


@pytest.mark.parametrize("code", ["40P01", "40001"])
async def test_call_that_was_given_up_is_made_again(server: TestServer, anna: Person, project: Json, code: str) -> None:
    """Whoever made it does not notice: one task, one event, one answer that can be had again."""
    await fail_writes(server, 1, code)
    body = {"project_id": project["id"], "title": "Write"}
    made, again = [
        await anna.call("POST", "/tasks", json=body, headers={"Idempotency-Key": "op"}, expect=201) for _ in range(2)
    ]
    assert again.content == made.content
    board = await anna.board(project)
    assert ([card["title"] for card in board["tasks"]], board["seq"]) == (["Write"], 1)


async def test_call_that_is_given_up_twice_is_told_when_to_come_back(
    server: TestServer, anna: Person, project: Json
) -> None:
    """A 503 without internals; nothing was done, and the next call works."""
    await fail_writes(server, 2, "40P01")
    body = {"project_id": project["id"], "title": "Write"}
    refused = await anna.call("POST", "/tasks", json=body)
    assert assert_problem(refused, 503)["code"] == "unavailable"
    assert refused.headers["retry-after"] == "1"
    assert (await anna.board(project))["seq"] == 0
    await anna.call("POST", "/tasks", json=body, expect=201)


async def test_error_of_another_kind_is_not_tried_again(server: TestServer, anna: Person, project: Json) -> None:
    """A bug stays a bug."""
    await fail_writes(server, 1, "P0001")
    assert_problem(await anna.call("POST", "/tasks", json={"project_id": project["id"], "title": "Write"}), 500)


@pytest.mark.parametrize("code", ["53100", "53200", "53300"])
async def test_database_without_room_is_no_bug(server: TestServer, anna: Person, project: Json, code: str) -> None:
    """A full disk, no memory, too many connections: a 503 that says when to come back."""
    await fail_writes(server, 1, code)
    body = {"project_id": project["id"], "title": "Write"}
    refused = await anna.call("POST", "/tasks", json=body)
    assert (assert_problem(refused, 503)["code"], refused.headers["retry-after"]) == ("unavailable", "1")
    await anna.call("POST", "/tasks", json=body, expect=201)


async def test_call_whose_connection_ends_is_made_again(server: TestServer, anna: Person, project: Json) -> None:
    """PostgreSQL restarts in the middle of it: one task, one event, and nobody notices."""
    await end_attempts(server, 1, KILLED, "TRIGGER fail BEFORE INSERT ON tasks")
    await anna.call("POST", "/tasks", json={"project_id": project["id"], "title": "Write"}, expect=201)
    board = await anna.board(project)
    assert ([card["title"] for card in board["tasks"]], board["seq"]) == (["Write"], 1)


async def test_commit_whose_connection_ends_is_not_made_again(server: TestServer, anna: Person, project: Json) -> None:
    """It may have been made: the caller is told to come back, with the key that makes it safe."""
    await end_attempts(server, 1, KILLED, "CONSTRAINT TRIGGER fail AFTER INSERT ON tasks DEFERRABLE INITIALLY DEFERRED")
    body, key = {"project_id": project["id"], "title": "Write"}, {"Idempotency-Key": "op"}
    refused = await anna.call("POST", "/tasks", json=body, headers=key)
    assert (assert_problem(refused, 503)["code"], refused.headers["retry-after"]) == ("unavailable", "1")
    assert (await anna.board(project))["seq"] == 0
    await anna.call("POST", "/tasks", json=body, headers=key, expect=201)


async def test_reading_is_done_when_its_connection_ends(server: TestServer) -> None:
    """What was read is true; that the transaction cannot be ended any more is nothing to tell of."""
    async with server.database.read() as uow:
        backend = (await uow.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        await server.database.engine.run_alone(
            lambda other: other.execute(text(f"SELECT pg_terminate_backend({backend}, 5000)")).scalar_one()
        )


async def test_too_many_connections_are_no_bug(server: TestServer) -> None:
    """PostgreSQL lets in no more: a reader is told so, not a bug."""
    await change(server, text("CREATE ROLE few LOGIN CONNECTION LIMIT 0"))
    url = make_url(server.settings.resolved_database_url).set(username="few")
    engine = create_engine(url.render_as_string(hide_password=False))
    try:
        with pytest.raises(Unavailable):
            async with Database(engine, MemoryBroker(), server_id="few").read() as uow:
                await uow.find(BORIS)
    finally:
        await engine.dispose()
        await change(server, text("DROP ROLE few"))


@asynccontextmanager
async def first_come(server: TestServer, held: Executable, late: Awaitable[Any]) -> AsyncIterator[UnitOfWork]:
    """Hold some rows, and have somebody wait for them; a deadlock is then that of the block, at once."""
    async with asyncio.TaskGroup() as group, server.database.write() as uow:
        await uow.execute(text("SET LOCAL deadlock_timeout = '1ms'"))
        await uow.execute(held)
        group.create_task(_awaited(late))
        while not await _count_waiting(server):
            pass
        yield uow


async def _awaited(late: Awaitable[Any]) -> None:
    await late


async def _count_waiting(server: TestServer) -> int:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with server.database.read() as uow:
        return int((await uow.execute(waiting)).scalar_one())


async def told(server: TestServer, anna: Person, boris: Person, project: Json) -> UUID:
    """Have Boris told of a task, and something to be pushed to him later; return the notification."""
    await anna.add(project, boris)
    await anna.task(project, "Pay", assignee_ids=[boris.id])
    async with server.database.read() as uow:
        newest = select(Notification.id).order_by(Notification.created_at.desc()).limit(1)
        found: UUID = (await uow.fetch(newest)).scalar_one()
    await change(server, insert(PushDelivery).values(push_of(boris, found)))
    return found


def push_of(person: Person, notification_id: UUID) -> dict[str, Any]:
    """Return a push for tomorrow."""
    now = utc_now()
    return delivery(UUID(person.id), notification_id, SHOW, due_at=now + timedelta(days=1), now=now)


async def test_leaving_waits_for_whoever_has_one_s_inbox(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """A mail is gathered, or a row marked: first the person, then what is in their inbox."""
    notification_id = await told(server, anna, boris, project)
    leave = anna.call("DELETE", f"/projects/{project['id']}/members/{boris.id}", expect=204)
    async with first_come(server, BORIS.with_for_update(key_share=True), leave) as uow:
        await uow.execute(update(Notification).where(Notification.id == notification_id).values(mail_at=None))


async def test_leaving_waits_for_whoever_addresses_pushes(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """They hold a push, and write one to a device, of a notification that must be there until then."""
    notification_id = await told(server, anna, boris, project)
    leave = anna.call("DELETE", f"/projects/{project['id']}/members/{boris.id}", expect=204)
    async with first_come(server, select(PushDelivery.id).with_for_update(), leave) as uow:
        await uow.execute(insert(PushDelivery).values(push_of(boris, notification_id)))
    async with server.database.read() as uow:
        assert (await uow.fetch(select(func.count()).select_from(PushDelivery))).scalar_one() == 0


async def test_one_link_waits_for_another(server: TestServer, anna: Person, boris: Person) -> None:
    """Both set a password of one person, and make the other useless."""
    values = {"digest": digest(TOKEN), "user_id": UUID(boris.id), "expires_at": utc_now() + timedelta(hours=1)}
    await change(server, insert(PasswordReset).values(values))
    use = anna.call("POST", "/auth/reset", json={"token": TOKEN, "password": "staple for the horse"}, expect=404)
    async with first_come(server, BORIS.with_for_update(key_share=True), use) as uow:
        await uow.execute(delete(PasswordReset).where(PasswordReset.user_id == UUID(boris.id)))


async def test_sweep_holds_no_inbox_while_it_waits_for_a_person(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """What is old in the inbox is gone before the stream is trimmed."""
    notification_id = await told(server, anna, boris, project)
    old = utc_now() - timedelta(days=91)
    await change(server, update(Notification).values(created_at=old), update(LoggedNotice).values(timestamp=old))
    sweep = retention.sweep(server.database, server.settings)
    async with first_come(server, BORIS.with_for_update(key_share=True), sweep) as uow:
        await uow.execute(update(Notification).where(Notification.id == notification_id).values(mail_at=None))


async def test_sweep_holds_no_project_while_it_waits_for_another(
    server: TestServer, anna: Person, project: Json
) -> None:
    """Each deleted project goes by itself."""
    first, second = sorted([project["id"], (await anna.project("Other"))["id"]])
    await change(server, update(Project).values(deleted_at=utc_now() - timedelta(days=91)))
    sweep = retention.sweep(server.database, server.settings)
    held = select(Project.id).where(Project.id == UUID(second)).with_for_update(key_share=True)
    async with first_come(server, held, sweep) as uow:
        await uow.execute(update(Project).where(Project.id == UUID(first)).values(deleted_at=None))
