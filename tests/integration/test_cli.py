"""The command `timetodo`, as real processes: what it prints, how it ends, and what it never logs."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from app import cli, startup
from app.cli import main
from app.config import Settings
from app.db.unit_of_work import Database
from app.services import sessions, users
from tests.support.people import PASSWORD
from tests.support.ports import free_port

ROOT = Path(__file__).parent.parent.parent
CANARY = "c4n4ry-c4n4ry-c4n4ry-c4n4ry-c4n4ry"
DEADLINE_S = 30
ANNA = {"email": "anna@example.org", "password": PASSWORD, "name": "Anna"}


def environment(data: Path, **changes: str) -> dict[str, str]:
    """Return this environment with the settings of one test and no others."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TIMETODO_")}
    return clean | {"TIMETODO_DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"} | changes


def run(data: Path, *words: str, expect: int = 0, **changes: str) -> str:
    """Run the command to its end; return what it printed."""
    command = [sys.executable, "-c", "from app.cli import main; main()", *words]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(data, **changes),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == expect, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


class Serving:
    """A running `timetodo serve`, and everything it printed."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path, port: int) -> None:
        self.process, self._output = process, output
        self.url = f"http://127.0.0.1:{port}"

    @property
    def output(self) -> str:
        """What it has printed so far, logs included."""
        return self._output.read_text()

    def wait_until_ready(self) -> None:
        """Return when it answers."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            with contextlib.suppress(httpx2.TransportError):
                if httpx2.get(f"{self.url}/readyz").status_code == 200:
                    return

    def stop(self) -> int:
        """Ask it to stop; return how it ended."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_S)


@contextmanager
def serve(data: Path, **changes: str) -> Iterator[Serving]:
    """Run `timetodo serve` until the block ends."""
    port, output = free_port(), data.parent / "output"
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", str(port)]
    with (
        output.open("wb") as sink,
        subprocess.Popen(command, cwd=ROOT, env=environment(data, **changes), stdout=sink, stderr=sink) as process,
    ):
        serving = Serving(process, output, port)
        try:
            serving.wait_until_ready()
            yield serving
        finally:
            process.kill()


class Command:
    """The command in this process, which is quicker than one of its own and the same code."""

    def __init__(self, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.data, self._monkeypatch, self._capsys = data, monkeypatch, capsys
        for name in [name for name in os.environ if name.startswith("TIMETODO_")]:
            monkeypatch.delenv(name)
        self.set("DATA_DIR", str(data))

    def set(self, name: str, value: str) -> None:
        """Set one setting."""
        self._monkeypatch.setenv(f"TIMETODO_{name}", value)

    def run(self, *words: str, expect: int = 0) -> str:
        """Run it; return what it printed and, as Python would print it, why it ended."""
        self._monkeypatch.setattr(sys, "argv", ["timetodo", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = "".join(self._capsys.readouterr())
        code = ended.value.code
        assert (1 if isinstance(code, str) else code or 0) == expect, f"{code} {printed}"
        return printed + (code if isinstance(code, str) else "")

    def stored(self, query: str) -> list[tuple[object, ...]]:
        """Read from the database with nothing of ours."""
        with contextlib.closing(sqlite3.connect(self.data / "timetodo.sqlite3")) as connection:
            return connection.execute(query).fetchall()

    def sign_in(self, email: str) -> None:
        """Open a session of somebody's."""
        settings = Settings()

        async def open_one(database: Database) -> None:
            async with database.read() as uow:
                user = await users.find_by_email(uow, email)
            await sessions.open_session(database, settings, user, sessions.Device("", ""))

        asyncio.run(startup.use_database(settings, open_one))


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command with a data directory of its own that does not exist yet."""
    return Command(tmp_path / "data", monkeypatch, capsys)


def test_version_is_printed(command: Command) -> None:
    """`timetodo version` prints the version alone."""
    assert command.run("version") == "0.1.0\n"


def test_server_lives_from_first_start_to_sigterm(tmp_path: Path) -> None:
    """Address and code at the first start, an account by it, a quick end; the second start asks for no code."""
    data = tmp_path / "data"
    with serve(data) as first:
        assert f"on {first.url}" in first.output
        (code,) = re.findall(r"^    (\S{16,})$", first.output, re.MULTILINE)
        answer = httpx2.post(f"{first.url}/api/v1/auth/register", json=ANNA | {"code": code})
        assert answer.status_code == 201, answer.text
        secret = (data / "secret-key").read_text()
        assert (data / "secret-key").stat().st_mode & 0o077 == 0
        begun = time.monotonic()
        assert first.stop() in (0, -signal.SIGTERM, 143)
        assert time.monotonic() - begun < 15
        assert "Traceback" not in first.output
    with serve(data) as second:
        assert "one-time code" not in second.output
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert httpx2.get(f"{second.url}/api/v1/users/me", headers=headers).json()["is_admin"] is True
    assert (data / "secret-key").read_text() == secret
    assert not (data / "admin-code").exists()


def test_port_in_use_is_a_sentence(tmp_path: Path) -> None:
    """A second server on one port says so and ends with 1, without a traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        printed = run(tmp_path, "serve", "--port", str(port), expect=1)
    assert str(port) in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SECRET_KEY", "hunter2", "needs 32 random characters"),
        ("PORT", "hunter2", "not right\nTIMETODO_PORT: Input should be a valid integer"),
        ("SMTP_PASSWORD", "hunter2", "not right\nTIMETODO_SMTP_HOST must be set with TIMETODO_SMTP_PASSWORD"),
        ("LOG_LEVEL", "hunter2", "TIMETODO_LOG_LEVEL must be one of DEBUG, INFO,"),
        ("PUBLIC_URL", "hunter2.example.org", "TIMETODO_PUBLIC_URL must be an address such as"),
        ("REDIS_URL", "hunter2:6379", "TIMETODO_REDIS_URL must be an address such as"),
        ("DATA_DIR", __file__, "test_cli.py cannot be made or written to: File exists"),
        ("DATABASE_URL", "sqlite:/hunter2", "TIMETODO_DATABASE_URL must be sqlite:///path or"),
        ("DATABASE_URL", "postgresql+asyncpg://anna:hunter2@db:port/board", "must be sqlite:///path or"),
        ("DATABASE_URL", "mysql://anna:hunter2@db/board", "must begin with sqlite: or postgresql+asyncpg:"),
        ("DATABASE_URL", "postgresql+asyncpg://anna:hunter2@127.0.0.1:1/board", "the database cannot be opened"),
    ],
)
def test_wrong_settings_are_a_sentence(command: Command, name: str, value: str, sentence: str) -> None:
    """What cannot work ends the start with the reason, without a traceback and without showing the value."""
    command.set(name, value)
    printed = command.run("migrate", expect=1)
    assert sentence in printed
    assert "hunter2" not in printed


def test_redis_that_is_not_there_is_a_sentence(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that starts waits for it, and then says which setting to look at."""
    monkeypatch.setattr("app.broker.redis.START_S", 0.1)
    command.set("REDIS_URL", f"redis://127.0.0.1:{free_port()}")
    assert "Redis does not answer; look at TIMETODO_REDIS_URL" in command.run("serve", "--port", "0", expect=1)


def test_demo_in_a_file_is_a_sentence(command: Command) -> None:
    """What the system refuses is told with the place."""
    assert f"File exists: {__file__}" in command.run("demo", "--data", __file__, "--port", "0", expect=1)


def test_database_that_cannot_be_written_to_is_a_sentence(command: Command) -> None:
    """A server that could only read is not started."""
    command.run("migrate")
    command.set("DATABASE_URL", f"sqlite:///file:{command.data / 'timetodo.sqlite3'}?mode=ro&uri=true")
    printed = command.run("serve", "--port", "0", expect=1)
    assert "the database cannot be written to: (sqlite3.OperationalError) attempt to write a readonly" in printed


def test_demo_mails_nobody(command: Command) -> None:
    """The people of an example board have no mailboxes; what else is set, is."""
    for name, value in {"SMTP_HOST": "mail.example.org", "SMTP_FROM": "a@example.org", "LOG_LEVEL": "ERROR"}.items():
        command.set(name, value)
    command.set("PUBLIC_URL", "https://board.example.org")
    settings = cli._demo_settings(None, None, None)
    assert (settings.has_mail, settings.log_level) == (False, "ERROR")


def test_accounts_are_managed_from_the_command_line(command: Command) -> None:
    """Add, reset, deactivate, activate; each printed password is another one."""
    added = command.run("user", "add", "Anna@example.org", "--name", "Anna", "--admin")
    reset = command.run("user", "password", "ANNA@example.org")
    assert password_in(added) != password_in(reset)
    command.run("user", "deactivate", "anna@example.org")
    assert command.stored("SELECT email, is_admin, is_active FROM users") == [("anna@example.org", 1, 0)]
    command.run("user", "activate", "anna@example.org")
    assert command.stored("SELECT is_active FROM users") == [(1,)]


@pytest.mark.parametrize("word", ["password", "deactivate"])
def test_sessions_end_with_the_password_and_with_the_account(command: Command, word: str) -> None:
    """Nobody who was signed in stays so, and activating the account again revives no session."""
    command.run("user", "add", "anna@example.org", "--name", "Anna")
    command.sign_in("anna@example.org")
    command.run("user", word, "anna@example.org")
    command.run("user", "activate", "anna@example.org")
    assert command.stored("SELECT count(*), count(ended_at) FROM sessions") == [(1, 1)]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("user", "password", "nobody@example.org"), "no account has the address nobody@example.org"),
        (("user", "deactivate", "nobody@example.org"), "no account has the address nobody@example.org"),
        (("user", "add", "nonsense", "--name", "Anna"), "email: value is not a valid email address"),
        (("user", "add", "anna@example.org", "--name", " "), "name: "),
    ],
)
def test_refusal_is_a_sentence(command: Command, words: tuple[str, ...], sentence: str) -> None:
    """A command that cannot be done says why and ends with 1."""
    assert sentence in command.run(*words, expect=1)


def test_address_of_an_account_is_refused_a_second_time(command: Command) -> None:
    """Two accounts never share an address."""
    command.run("user", "add", "anna@example.org", "--name", "Anna")
    printed = command.run("user", "add", "ANNA@example.org", "--name", "Other", expect=1)
    assert "there is an account with this e-mail address" in printed


def test_doctor_names_what_is_missing_or_open_to_others(command: Command) -> None:
    """The doctor finds fault with an empty place; after migrate all is well; a key others can read is not."""
    assert "FAIL data directory" in command.run("doctor", expect=1)
    assert "up to date" in command.run("migrate")
    assert "FAIL" not in command.run("doctor")
    for name, file in {"secret key": "secret-key", "push key": "push-key", "database": "timetodo.sqlite3"}.items():
        (command.data / file).open("a").close()
        (command.data / file).chmod(0o644)
        assert f"FAIL {name}: others can read" in command.run("doctor", expect=1)
    command.set("DATABASE_URL", "postgresql+asyncpg://anna:hunter2@127.0.0.1:1/board")
    command.set("REDIS_URL", "redis://127.0.0.1:1")
    printed = command.run("doctor", expect=1)
    assert [name for name in ("database", "schema", "broker") if f"FAIL {name}" not in printed] == []
    assert "hunter2" not in printed


def test_commands_are_really_commands(tmp_path: Path) -> None:
    """As processes of their own they do the same: one account, and a doctor who is content."""
    added = run(tmp_path, "user", "add", "anna@example.org", "--name", "Anna")
    assert len(password_in(added)) >= 16
    assert "FAIL" not in run(tmp_path, "doctor")
    printed = run(tmp_path, "user", "password", "nobody@example.org", expect=1)
    assert printed == "timetodo: no account has the address nobody@example.org\n"


@pytest.mark.parametrize("as_json", ["true", "false"], ids=["json", "console"])
def test_no_credential_is_ever_logged(tmp_path: Path, as_json: str) -> None:
    """Tokens, tickets, invitation links and passwords are in no line, in either format, uvicorn's lines included."""
    with serve(tmp_path / "data", TIMETODO_LOG_JSON=as_json, TIMETODO_LOG_LEVEL="DEBUG") as serving:
        code = (tmp_path / "data" / "admin-code").read_text()
        before = len(serving.output)
        api = f"{serving.url}/api/v1"
        body = ANNA | {"password": CANARY, "code": code}
        tokens = httpx2.post(f"{api}/auth/register", json=body).json()
        for query in (f"token={CANARY}", f"ticket={CANARY}", f"token={tokens['access_token']}"):
            httpx2.get(f"{api}/ws?{query}", headers=UPGRADE)
            httpx2.get(f"{api}/server?{query}")
        httpx2.get(f"{api}/invitations/{CANARY}")
        httpx2.get(f"{serving.url}/invite/{CANARY}")
        httpx2.post(f"{api}/auth/login", json={"email": "anna@example.org", "password": CANARY + "x"})
        httpx2.post(f"{api}/auth/refresh", json={"refresh_token": CANARY})
        httpx2.get(
            f"{api}/users/me", headers={"Authorization": f"Bearer {CANARY}", "Cookie": f"timetodo_refresh={CANARY}"}
        )
        serving.stop()
        logged = serving.output[before:]
    assert "request" in logged
    for secret in (CANARY, code, tokens["access_token"], tokens["refresh_token"]):
        assert secret not in logged


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": f"timetodo.v1, bearer.{CANARY}",
}


def password_in(printed: str) -> str:
    """Return the password that a command printed."""
    (password,) = re.findall(r"password (\S+)", printed)
    return str(password)
