"""The demo: what it fills, that it leaves everything else alone, and that its day can be played."""

import asyncio
import contextlib
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, get_args

import httpx2
import orjson
import pytest
from pydantic import ValidationError

from app.broker.memory import MemoryBroker
from app.config import Settings
from app.db.engine import create_engine
from app.db.unit_of_work import Database
from app.demo import fill, performer
from app.demo.content import CONTENT, Action, Content, load_content
from app.demo.fill import Account
from app.demo.performer import Address
from app.demo.player import Player
from app.demo.stage import playing
from app.errors import Conflict
from app.security import Passwords
from tests.support.http import http_client
from tests.support.people import Json, Person
from tests.support.ports import free_port
from tests.support.server import QUICK_HASHER, TestServer, make_settings, migrated, run_server
from tests.support.sockets import open_socket

NO_PAUSE = (0.0, 0.0)
SHORT_DAY = (0, 4, 6)
"""Stories that together have every kind of step."""
DEADLINE_S = 30.0


@pytest.fixture(scope="module")
def content() -> Content:
    """The texts as they are shipped."""
    return load_content()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, content: Content) -> "Demo":
    """A demo that was filled once."""

    async def fill_one() -> Demo:
        settings = await migrated(make_settings(tmp_path_factory.mktemp("filled")))
        return Demo(settings, await prepare(settings, content))

    return asyncio.run(fill_one())


@pytest.fixture
def demo(filled: "Demo", tmp_path: Path) -> "Demo":
    """A copy of it for one test. It is on SQLite as every demo, so that it needs nothing."""
    shutil.copytree(filled.settings.data_dir, tmp_path, dirs_exist_ok=True)
    return Demo(make_settings(tmp_path), filled.accounts)


class Demo(NamedTuple):
    """A board that is filled but not served yet."""

    settings: Settings
    accounts: list[Account]


async def prepare(settings: Settings, content: Content) -> list[Account]:
    database = Database(create_engine(settings.resolved_database_url), MemoryBroker(), server_id="test")
    try:
        return await fill.prepare(database, content, Passwords(QUICK_HASHER))
    finally:
        await database.dispose()


async def sign_in(server: TestServer, account: Account) -> Person:
    body = {"email": account.person.email, "password": account.password}
    async with server.client() as client:
        answer = await client.post("/auth/login", json=body)
    assert answer.status_code == 200, answer.text
    return Person(server, answer.json())


async def boards(person: Person) -> dict[str, Json]:
    projects = (await person.get("/projects"))["items"]
    return {project["key"]: await person.board(project) for project in projects}


async def events(person: Person, board: Json) -> list[Json]:
    page = await person.get(f"/projects/{board['project']['id']}/events", params={"limit": 1000})
    assert page["next_since"] is None
    items: list[Json] = page["items"]
    return items


@contextlib.asynccontextmanager
async def players_at(content: Content, accounts: list[Account], port: int) -> AsyncIterator[Player]:
    """Somebody who plays in the background until the block ends."""
    player = Player(content, accounts, Address("127.0.0.1", port), pause_s=NO_PAUSE)
    task = asyncio.create_task(player.run())
    try:
        yield player
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_demo_is_filled_with_an_event_for_every_row(demo: Demo) -> None:
    """The first start makes what the file tells, and the logs account for all of it."""
    async with run_server(demo.settings) as server, await sign_in(server, demo.accounts[0]) as anna:
        found = await boards(anna)
        board = found["WEB"]
        assert len(board["tasks"]) == 60
        assert len(board["members"]) == 3
        assert [column["name"] for column in board["columns"]] == ["Ideas", "To do", "In progress", "Review", "Done"]
        assert {task["priority"] for task in board["tasks"]} == {"none", "low", "medium", "high", "urgent"}
        assert any("Оплата" in task["title"] for task in board["tasks"])
        assert found["PLAN"]["project"]["visibility"] == "public"
        for board in found.values():
            log = await events(anna, board)
            assert [event["seq"] for event in log] == list(range(1, board["seq"] + 1))
            assert all(event["user_id"] for event in log)
            counts = Counter(event["type"] for event in log)
            archive = (await anna.get(f"/projects/{board['project']['id']}/archive"))["items"]
            tasks = board["tasks"] + archive
            assert counts["task_created"] == len(tasks)
            assert counts["task_archived"] == len(archive)
            assert counts["comment_added"] == sum(task["comment_count"] for task in tasks)
            assert counts["label_created"] == len(board["labels"])


async def test_every_page_has_something_to_show(demo: Demo) -> None:
    """Tasks of one's own, some late and some not, mentions, an archive, and views that name what is there."""
    async with run_server(demo.settings) as server, await sign_in(server, demo.accounts[0]) as anna:
        board = (await boards(anna))["WEB"]
        path = f"/projects/{board['project']['id']}"
        mine = (await anna.get("/users/me/tasks"))["items"]
        mentions = (await anna.get("/users/me/mentions"))["items"]
        archive, saved = [(await anna.get(f"{path}/{part}"))["items"] for part in ("archive", "views")]
    today = datetime.now(UTC).date().isoformat()
    assert {task["due"] < today for task in mine if task["due"]} == {True, False}
    assert len(mine) >= 10
    assert len(mentions) >= 5
    assert len(archive) >= 5
    labels = {label["name"]: label["id"] for label in board["labels"]}
    queries = [view["query"] for view in saved]
    assert f"label={labels['тексты']},{labels['билеты']}" in queries
    assert len(queries) == 3


async def test_remarks_mention_whom_they_name(demo: Demo) -> None:
    """Every @ in the comments of the file is a real mention."""
    async with run_server(demo.settings) as server, await sign_in(server, demo.accounts[0]) as anna:
        log = await events(anna, (await boards(anna))["WEB"])
    remarks = [event["data"] for event in log if event["type"] == "comment_added"]
    assert [remark["body"].count("@") for remark in remarks] == [len(remark["mentions"]) for remark in remarks]


async def test_second_start_changes_nothing_but_passwords(demo: Demo, content: Content) -> None:
    """Starting twice is starting once; the passwords of the start before are of no use."""
    before = demo.accounts
    async with run_server(demo.settings) as server, await sign_in(server, before[0]) as anna:
        first = await boards(anna)
    after = await prepare(demo.settings, content)
    async with run_server(demo.settings) as server:
        async with await sign_in(server, after[0]) as anna:
            assert await boards(anna) == first
        with pytest.raises(AssertionError, match="invalid_credentials"):
            await sign_in(server, before[0])


async def test_demo_without_its_people_is_refused(demo: Demo, content: Content) -> None:
    """A database whose accounts are not those of the file stays as it is."""
    strangers = content.model_copy(
        update={"people": tuple(person.model_copy(update={"email": "x@example.org"}) for person in content.people)}
    )
    with pytest.raises(Conflict, match=re.escape("x@example.org")):
        await prepare(demo.settings, strangers)


def test_folder_of_a_real_board_is_refused(tmp_path: Path) -> None:
    """What does not carry the mark of a demo is not touched."""
    (tmp_path / "timetodo.sqlite3").write_bytes(b"precious")
    with pytest.raises(Conflict, match="--data"):
        fill.claim(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["timetodo.sqlite3"]


def test_folder_of_a_demo_is_taken_again(tmp_path: Path) -> None:
    """The mark of the first start lets the second one in."""
    folder = tmp_path / "demo"
    fill.claim(folder)
    (folder / "timetodo.sqlite3").touch()
    fill.claim(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


async def test_a_day_is_played(demo: Demo, content: Content) -> None:
    """Every action of the script is seen: the stored ones in the log, the others on a colleague's socket."""
    address = Address.of("0.0.0.0", demo.settings.port)  # noqa: S104 - as the setting may read
    short = content.day.model_copy(update={"stories": tuple(content.day.stories[number] for number in SHORT_DAY)})
    player = Player(content.model_copy(update={"day": short}), demo.accounts, address, pause_s=NO_PAUSE)
    async with run_server(demo.settings) as server, await sign_in(server, demo.accounts[2]) as carol:
        before = (await boards(carol))["WEB"]
        async with open_socket(server, carol) as socket:
            await socket.join(before["project"])
            playing_day = asyncio.create_task(player.run(days=1))
            ephemeral = [await socket.receive_type("typing", "viewing") for _ in range(8)]
            await asyncio.wait_for(playing_day, DEADLINE_S)
        log = [event for event in await events(carol, before) if event["seq"] > before["seq"]]
        after = (await boards(carol))["WEB"]
    assert {message["type"] for message in ephemeral} == {"typing", "viewing"}
    assert {event["type"] for event in log} == {
        "task_created",
        "task_moved",
        "task_assigned",
        "task_updated",
        "task_deleted",
        "task_restored",
        "comment_added",
    }
    assert {step.do for story in short.stories for step in story.steps} == set(get_args(Action))
    assert len({event["user_id"] for event in log}) > 1
    assert any("checklist" in event["data"]["changes"] for event in log)
    assert len(after["tasks"]) == len(before["tasks"])


async def test_player_survives_a_restart(demo: Demo, content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that goes away in the middle of the day is waited for, and the day goes on."""
    monkeypatch.setattr(performer, "AWAY_S", 0.02)
    async with players_at(content, demo.accounts, demo.settings.port):
        for _ in range(2):
            async with run_server(demo.settings) as server, await sign_in(server, demo.accounts[0]) as anna:
                await see_events(anna, count=10)


async def see_events(person: Person, *, count: int) -> None:
    """Wait until so many more things have happened on the board."""
    board = (await boards(person))["WEB"]
    async with open_socket(person.server, person) as socket:
        await socket.join(board["project"])
        await socket.receive_events(count)


async def test_story_about_a_card_that_has_gone_ends(demo: Demo, content: Content) -> None:
    """A visitor who deletes cards stops neither the day nor the next one."""
    async with (
        run_server(demo.settings) as server,
        await sign_in(server, demo.accounts[0]) as anna,
        players_at(content, demo.accounts, demo.settings.port),
    ):
        board = (await boards(anna))["WEB"]
        for task in [task for task in board["tasks"] if task["status"] in {"in_progress", "review"}]:
            await anna.call("DELETE", f"/tasks/{task['id']}")
        await see_events(anna, count=20)


async def test_stage_ends_with_its_block(demo: Demo, content: Content) -> None:
    """The play begins beside the server, and is over when the server is."""
    player = Player(content, demo.accounts, Address("127.0.0.1", demo.settings.port), pause_s=NO_PAUSE)
    async with run_server(demo.settings) as server, await sign_in(server, demo.accounts[0]) as anna:
        with playing(player):
            thread = next(thread for thread in threading.enumerate() if thread.name == "demo-player")
            await see_events(anna, count=1)
        await asyncio.to_thread(thread.join, DEADLINE_S)
        assert not thread.is_alive()


async def test_stage_ends_when_its_minutes_are_over(content: Content) -> None:
    """With minutes the play ends by itself, also when there is no server to play on."""
    people = [Account(person, "secret") for person in content.people]
    with playing(Player(content, people, Address("127.0.0.1", free_port())), minutes=0):
        for thread in threading.enumerate():
            if thread.name == "demo-player":
                await asyncio.to_thread(thread.join, DEADLINE_S)
                assert not thread.is_alive()


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"who": "carol", "do": "look"', '"who": "karol", "do": "look"', "no such person: karol"),
        ('"do": "move", "column": "review"', '"do": "move"', "needs 'column'"),
        ('"labels": ["bug"]', '"labels": ["bag"]', "no such label: bag"),
        ('"[ ] Fix"', '"[] Fix"', "begins with"),
        ('{"from": "ideas",', '{', "either `new` or `from`"),
    ],
)  # fmt: skip
def test_slip_of_the_pen_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    """A mistake in the file is told at the start."""
    file = tmp_path / "content.json"
    text = CONTENT.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(ValidationError, match=re.escape(complaint)):
        load_content(file)


@pytest.fixture
def demo_process(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    """`timetodo demo --play` as a process: it, its address and its folder."""
    port, folder = free_port(), tmp_path / "demo"
    command = [
        str(Path(sys.executable).with_name("timetodo")),
        "demo",
        "--play",
        "--port",
        str(port),
        "--data",
        str(folder),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process, f"http://127.0.0.1:{port}", folder
        finally:
            process.kill()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_command_serves_plays_and_ends(
    demo_process: tuple[subprocess.Popen[str], str, Path], how: signal.Signals
) -> None:
    """The command prints passwords that work and are in no file, plays, and ends with the signal."""
    process, url, folder = demo_process
    assert process.stdout is not None
    printed = ""
    while "carol@example.org" not in printed:
        line = await asyncio.to_thread(process.stdout.readline)
        assert line, f"the command has ended: {printed}"
        printed += line
    password = re.findall(r"anna@example\.org +(\S+)", printed)[0]
    async with http_client(base_url=f"{url}/api/v1") as client:
        await _wait_for(client)
        answer = await client.post("/auth/login", json={"email": "anna@example.org", "password": password})
        assert answer.status_code == 200
    assert not [path for path in folder.rglob("*") if path.is_file() and password.encode() in path.read_bytes()]
    process.send_signal(how)
    assert await asyncio.to_thread(process.wait, 15) in {0, 1, -how, 128 + how}


async def _wait_for(client: httpx2.AsyncClient) -> None:
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while asyncio.get_running_loop().time() < deadline:
        with contextlib.suppress(httpx2.TransportError):
            if orjson.loads((await client.get("/server")).content)["needs_admin"] is False:
                return
        await asyncio.sleep(0.05)
    message = "the demo does not answer"
    raise AssertionError(message)
