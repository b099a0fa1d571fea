"""One change, one transaction, one event: under repetition, concurrency, and every failure after it."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select, text

from app.broker.base import Signal
from app.db import group_commit
from app.db.sqlite import SqliteEngine
from app.domain.events import Event
from app.models import IdempotencyKey, Member, Project
from tests.support.people import Json, Person, register
from tests.support.routes import assert_problem
from tests.support.server import TestServer
from tests.support.site import Site


async def seq(person: Person, project: Json) -> int:
    """Return the head of a project's log."""
    return int((await person.board(project))["seq"])


async def post_task(person: Person, project: Json, key: str | None = None, **fields: Any) -> Any:
    """Create a task, perhaps under an idempotency key, and return the answer."""
    body = {"project_id": project["id"], "title": "Write"} | fields
    return await person.call("POST", "/tasks", json=body, headers={"Idempotency-Key": key} if key else {})


async def test_repeated_call_gets_the_first_answer_and_does_nothing(
    server: TestServer, anna: Person, project: Json
) -> None:
    """The same key again: same status, body and ETag, marked as a replay; one event, which carries the key."""
    first, second = [await post_task(anna, project, "op-1") for _ in range(2)]
    assert (second.status_code, second.content, second.headers["etag"]) == (201, first.content, '"1"')
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["content-type"] == "application/json"
    (event,) = (await anna.get(f"/projects/{project['id']}/events"))["items"]
    assert event["op_id"] == "op-1"
    path = f"/tasks/{first.json()['id']}"
    deleted = [await anna.call("DELETE", path, headers={"Idempotency-Key": "op-2"}) for _ in range(2)]
    assert [(answer.status_code, answer.content) for answer in deleted] == [(204, b""), (204, b"")]
    assert await seq(anna, project) == 2


async def test_key_belongs_to_one_call_of_one_person(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """Another body, path or precondition under the same key is refused; another person's key is another one."""
    await anna.add(project, boris)
    task = (await post_task(anna, project, "op")).json()
    refused = assert_problem(await post_task(anna, project, "op", title="Other"), 422)
    assert refused["code"] == "idempotency_key_reused"
    assert_problem(await anna.call("DELETE", f"/tasks/{task['id']}", headers={"Idempotency-Key": "op"}), 422)
    of_boris = await post_task(boris, project, "op")
    assert (of_boris.status_code, of_boris.json()["created_by"]) == (201, boris.id)
    headers = {"Idempotency-Key": "op-3"}
    body = {"title": "New"}
    await anna.call("PATCH", f"/tasks/{task['id']}", json=body, headers=headers, expect=200)
    conditional = await anna.call("PATCH", f"/tasks/{task['id']}", json=body, headers=headers | {"If-Match": '"1"'})
    assert_problem(conditional, 422)


async def test_calls_that_overlap_under_one_key_are_one(server: TestServer, anna: Person, project: Json) -> None:
    """A repetition that comes before the first answer waits for it: one task, one event, one answer for all."""
    answers = await asyncio.gather(*(post_task(anna, project, "op") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await seq(anna, project) == 1


async def test_refused_call_may_be_made_again(server: TestServer, anna: Person, project: Json) -> None:
    """A refusal is not kept: with the same key the call works once its reason has gone."""
    assert_problem(await post_task(anna, project, "op", status="review"), 422)
    await anna.column(project)
    assert (await post_task(anna, project, "op", status="review")).status_code == 201


async def test_key_is_forgotten_after_its_time(sqlite_server: TestServer) -> None:
    """A day later the same key is a new one."""
    async with await register(sqlite_server, "Anna") as anna:
        project = await anna.project()
        await post_task(anna, project, "op")
        async with sqlite_server.database.write() as uow:
            await uow.execute(text("UPDATE idempotency_keys SET created_at = '2020-01-01 00:00:00'"))
        assert "idempotency-replayed" not in (await post_task(anna, project, "op", title="Other")).headers
        assert await seq(anna, project) == 2


async def test_answer_with_a_credential_is_not_stored(server: TestServer, anna: Person) -> None:
    """A ticket is kept as a digest only: its answer is not there to be read."""
    tickets = [await anna.call("POST", "/ws/ticket", headers={"Idempotency-Key": "op"}, expect=200) for _ in range(2)]
    assert tickets[0].content != tickets[1].content
    assert await kept_answers(server) == []


@pytest.mark.parametrize("path", ["invitations", "members"])
async def test_invitation_is_made_once_and_its_link_is_not_stored(
    server: TestServer, anna: Person, project: Json, path: str
) -> None:
    """The same call again gets the same link, which opens the one invitation there is."""
    path, body = f"/projects/{project['id']}/{path}", {"role": "viewer", "email": "clara@example.org"}
    first, again = [await anna.call("POST", path, json=body, headers={"Idempotency-Key": "op"}) for _ in range(2)]
    assert (first.content, first.status_code, "idempotency-replayed" in first.headers) == (
        again.content,
        again.status_code,
        False,
    )
    assert again.headers["idempotency-replayed"] == "true"
    await anna.get(f"/invitations/{first.json()['token']}")
    assert first.json()["url"].endswith(first.json()["token"])
    (listed,) = (await anna.get(f"/projects/{project['id']}/invitations"))["items"]
    assert listed == first.json() | {"token": None, "url": None}
    (kept,) = await kept_answers(server)
    assert first.json()["token"] not in kept.decode()


async def kept_answers(server: TestServer) -> list[bytes]:
    """Return the bodies of the answers that are kept."""
    async with server.database.read() as uow:
        return [bytes(body) for body in (await uow.fetch(select(IdempotencyKey.body))).scalars()]


async def test_two_hundred_writers_at_once_all_succeed(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """Nobody is refused for being second; the log is 1 to n without a gap, the numbers too."""
    await anna.add(project, boris)
    calls = [post_task((anna, boris)[number % 2], project, title=str(number)) for number in range(200)]
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} == {201}
    assert sorted(answer.json()["number"] for answer in answers) == list(range(1, 201))
    events = (await anna.get(f"/projects/{project['id']}/events", params={"limit": 1000}))["items"]
    assert [event["seq"] for event in events] == list(range(1, 202))
    cards = (await anna.board(project))["tasks"]
    assert len({card["position"] for card in cards}) == 200


async def test_board_is_true_at_its_seq_while_others_write(server: TestServer, anna: Person, project: Json) -> None:
    """Whenever a board is read, it holds exactly the tasks of the events up to its seq."""

    async def write() -> None:
        for number in range(20):
            await anna.task(project, str(number))

    async def watch() -> list[tuple[int, int]]:
        boards = [await anna.board(project) for _ in range(15)]
        return [(board["seq"], len(board["tasks"])) for board in boards]

    _, _, seen, seen_too = await asyncio.gather(write(), write(), watch(), watch())
    assert [pair for pair in seen + seen_too if pair[0] != pair[1]] == []


async def test_commit_that_fails_is_no_answer_and_no_event(
    server: TestServer, anna: Person, project: Json, caplog: pytest.LogCaptureFixture
) -> None:
    """A database that refuses at the last moment: 5xx without internals, no task, no event, and the next call works."""
    await anna.task(project, "before")
    await refuse_commits(server, text_="unlucky")
    answer = await post_task(anna, project, "op", title="unlucky")
    assert answer.status_code in (500, 503)
    assert_problem(answer)
    assert (await anna.board(project))["seq"] == 1
    assert [card["title"] for card in (await anna.board(project))["tasks"]] == ["before"]
    assert (await post_task(anna, project, "op", title="lucky")).status_code == 201
    assert await seq(anna, project) == 2
    assert server.hub.manager.get_stats(details=False)["events_delivered"] == 0
    assert "unlucky" not in caplog.text


async def test_calls_that_share_a_failing_commit_all_hear_of_it(sqlite_server: TestServer) -> None:
    """Whoever got a 201 is on the board and in the log, nobody else is, and under the same key a call works later."""
    async with await register(sqlite_server, "Anna") as anna:
        project = await anna.project()
        await refuse_commits(sqlite_server, text_="unlucky")
        titles = ["first", "second", "unlucky", "third", "fourth"]
        answers = await asyncio.gather(*(post_task(anna, project, title, title=title) for title in titles))
        done = {title for title, answer in zip(titles, answers, strict=True) if answer.status_code == 201}
        for answer in answers:
            assert answer.status_code == 201 or assert_problem(answer, 503)["code"] == "unavailable"
        assert "unlucky" not in done
        assert {card["title"] for card in (await anna.board(project))["tasks"]} == done
        events = (await anna.get(f"/projects/{project['id']}/events"))["items"]
        assert [event["seq"] for event in events] == list(range(1, len(done) + 1))
        for title in set(titles) - {"unlucky"}:
            answer = await post_task(anna, project, title, title=title)
            assert (answer.status_code, "idempotency-replayed" in answer.headers) == (201, title in done)
        assert await seq(anna, project) == 4


async def test_database_locked_by_another_process(sqlite_server: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that change wait for it, then are told to try again; reading goes on; nothing is lost or done twice."""
    monkeypatch.setattr(group_commit, "WAIT_S", 0.1)
    async with await register(sqlite_server, "Anna") as anna:
        project = await anna.project()
        path = sqlite_server.settings.data_dir / "timetodo.sqlite3"
        with contextlib.closing(sqlite3.connect(path, check_same_thread=False)) as other:
            other.isolation_level = None
            await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")  # a sweep may be under way, in this very process
            for answer in await asyncio.gather(*(post_task(anna, project, f"op-{number}") for number in range(3))):
                assert assert_problem(answer, 503)["code"] == "unavailable"
            assert await seq(anna, project) == 0
            other.rollback()
        for number in range(3):
            assert (await post_task(anna, project, f"op-{number}")).status_code == 201
        assert await seq(anna, project) == 3


async def refuse_commits(server: TestServer, text_: str) -> None:
    """Make the database refuse to commit a task of this title: a constraint that is checked at the commit."""
    if server.database.is_sqlite:
        insert = "BEGIN INSERT INTO doomed VALUES ('x'); END"
        statements = [
            "CREATE TABLE nobody (id TEXT PRIMARY KEY)",
            "CREATE TABLE doomed (id TEXT REFERENCES nobody(id) DEFERRABLE INITIALLY DEFERRED)",
            f"CREATE TRIGGER doom AFTER INSERT ON tasks WHEN NEW.title = '{text_}' {insert}",
        ]
    else:
        body = f"BEGIN IF NEW.title = '{text_}' THEN RAISE EXCEPTION 'no'; END IF; RETURN NULL; END"
        when = "AFTER INSERT ON tasks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        statements = [
            f"CREATE FUNCTION doom() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
            f"CREATE CONSTRAINT TRIGGER doom {when} EXECUTE FUNCTION doom()",
        ]
    async with server.database.write() as uow:
        for statement in statements:
            await uow.execute(text(statement))


async def test_database_that_cannot_write_is_a_503(sqlite_server: TestServer) -> None:
    """Read-only or full: the caller is told to try again, reading goes on, and so does everything afterwards."""
    async with await register(sqlite_server, "Anna") as anna:
        project = await anna.project()
        async with sqlite_server.database.write() as uow:
            pages = (await uow.execute(text("PRAGMA page_count"))).scalar_one()
            await uow.execute(text(f"PRAGMA max_page_count={pages}"))  # a setting of the writer's connection
        answer = await post_task(anna, project, description="x" * 50_000)
        assert assert_problem(answer, 503)["code"] == "unavailable"
        assert await seq(anna, project) == 0
        async with sqlite_server.database.write() as uow:
            await uow.execute(text("PRAGMA max_page_count=1073741823"))
        assert (await post_task(anna, project, description="x" * 50_000)).status_code == 201


async def test_database_that_goes_away_and_comes_back(
    server: TestServer, anna: Person, project: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nothing can be connected every call is a 503, and afterwards none: no lock is left behind."""

    def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    engine = server.database.engine
    if isinstance(engine, SqliteEngine):
        async with engine._writer._turn:  # a worker may be writing
            engine._writer._lose(ConnectionResetError())
            engine._writer._drop_connection()
        engine.drop_idle()
    with monkeypatch.context() as patch:
        patch.setattr("sqlalchemy.pool.Pool.connect", refuse)
        for call in (post_task(anna, project), post_task(anna, project), anna.call("GET", "/projects")):
            assert assert_problem(await call, 503)["code"] == "unavailable"
    assert (await post_task(anna, project)).status_code == 201


async def test_call_that_fails_before_it_begins_lets_the_next_writer_in(
    server: TestServer, anna: Person, project: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that cannot be begun gives back its connection, and the turn to write."""

    def refuse(*_: object, **__: object) -> None:
        raise ConnectionResetError

    engine = server.database.engine
    with monkeypatch.context() as patch:
        if isinstance(engine, SqliteEngine):
            engine.drop_idle()
            patch.setattr("sqlalchemy.Engine.connect", refuse)
        patch.setattr("sqlalchemy.Connection.begin", refuse)
        patch.setattr("sqlalchemy.Connection.execution_options", refuse)
        assert_problem(await anna.call("GET", "/projects"), 503)
        if isinstance(engine, SqliteEngine):
            engine.drop_idle()  # what a worker has given back meanwhile
            assert_problem(await post_task(anna, project), 503)
    assert (await post_task(anna, project)).status_code == 201


class BrokenBroker:
    """A broker that can do nothing."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def publish(self, *events: Event) -> None:
        """Fail."""
        raise self.error

    async def signal(self, signal: Signal) -> None:
        """Fail."""
        raise self.error


@pytest.mark.parametrize("error", [ConnectionError("down"), TimeoutError(), ValueError("a bug")])
async def test_broker_that_fails_does_not_fail_a_write(
    sqlite_server: TestServer, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Committed is committed: the answer is 201 and the event is in the log, whatever the messenger does."""
    async with await register(sqlite_server, "Anna") as anna:
        project = await anna.project()
        monkeypatch.setattr(sqlite_server.database, "_broker", BrokenBroker(error))
        assert (await post_task(anna, project)).status_code == 201
        assert await seq(anna, project) == 1
        await anna.call("POST", "/auth/logout", expect=204)


async def test_right_that_ends_while_a_call_waits_is_gone(
    server: TestServer, anna: Person, boris: Person, project: Json
) -> None:
    """Boris's call waits for the project while he is being removed from it: he cannot change it any more."""
    await anna.add(project, boris)
    async with server.database.write() as uow:
        await uow.lock(select(Project.id).where(Project.id == UUID(project["id"])))
        await uow.execute(text("SELECT 1"))
        waiting = asyncio.create_task(post_task(boris, project))
        await until_somebody_waits(server)
        await uow.execute(Member.__table__.delete().where(Member.user_id == UUID(boris.id)))  # type: ignore[attr-defined]
    assert_problem(await waiting, 404)
    assert await seq(anna, project) == 1


async def until_somebody_waits(server: TestServer) -> None:
    """Return when another transaction waits for this one."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    engine = server.database.engine
    async with asyncio.timeout(10):
        if isinstance(engine, SqliteEngine):
            while not engine._writer._turn._waiters:  # noqa: ASYNC110 - asyncio.Lock tells nobody who waits
                await asyncio.sleep(0)
            return
        while not await engine.run_alone(lambda connection: connection.execute(text(waiting)).scalar_one()):
            pass


async def test_what_was_answered_outlives_a_kill(tmp_path: Path) -> None:
    """Killed in the middle of many calls: every task that was answered is there, and the log has no gap."""
    site = Site(tmp_path / "data")
    await site.start()
    answered: set[str] = set()
    try:
        anna = await site.account("Anna")
        project = await anna.project("Website")
        enough = asyncio.Event()

        async def write() -> None:
            with contextlib.suppress(httpx2.TransportError):
                while True:
                    answered.add((await anna.task(project, "Write"))["id"])
                    if len(answered) >= 50:
                        enough.set()

        writers = [asyncio.create_task(write()) for _ in range(8)]
        async with asyncio.timeout(60):
            await enough.wait()
        site.kill()
        await asyncio.gather(*writers)
        await site.start()
        board = await anna.call("GET", f"/projects/{project['id']}/board")
        events = (await anna.call("GET", f"/projects/{project['id']}/events", params={"limit": 1000}))["items"]
    finally:
        site.stop()
    assert answered <= {card["id"] for card in board["tasks"]}
    assert [event["seq"] for event in events] == list(range(1, board["seq"] + 1))
    assert {event["data"]["task_id"] for event in events} == {card["id"] for card in board["tasks"]}
