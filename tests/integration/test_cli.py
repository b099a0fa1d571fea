"""The command `timetodo`, as real processes: what it prints, how it ends, and what it never logs."""

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


def test_version_is_printed(tmp_path: Path) -> None:
    """`timetodo version` prints the version alone."""
    assert run(tmp_path, "version") == "0.1.0\n"


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


def test_wrong_settings_are_a_sentence(tmp_path: Path) -> None:
    """A weak key or an unknown database ends the start with the reason, and does not show the key."""
    printed = run(tmp_path, "serve", expect=1, TIMETODO_SECRET_KEY="hunter2")
    assert "needs 32 random characters" in printed
    assert "hunter2" not in printed


def test_accounts_are_managed_from_the_command_line(tmp_path: Path) -> None:
    """Add, reset, deactivate, activate: the printed password is the right one, and sessions end with it."""
    added = run(tmp_path, "user", "add", "Anna@example.org", "--name", "Anna", "--admin")
    reset = run(tmp_path, "user", "password", "anna@example.org")
    assert "anna@example.org: password" in reset
    run(tmp_path, "user", "deactivate", "anna@example.org")
    assert stored(tmp_path, "SELECT email, is_admin, is_active FROM users") == [("anna@example.org", 1, 0)]
    run(tmp_path, "user", "activate", "anna@example.org")
    assert stored(tmp_path, "SELECT is_active FROM users") == [(1,)]
    assert password_in(added) != password_in(reset)
    for words, sentence in (
        (("user", "password", "nobody@example.org"), "no account has the address nobody@example.org"),
        (("user", "add", "anna@example.org", "--name", "Anna"), "there is an account with this e-mail address"),
    ):
        printed = run(tmp_path, *words, expect=1)
        assert sentence in printed
        assert "Traceback" not in printed


def test_database_is_migrated_and_the_doctor_looks_at_it(tmp_path: Path) -> None:
    """The doctor names what is missing; after migrate all is well; a key that others can read is not."""
    data = tmp_path / "data"
    assert "FAIL" in run(data, "doctor", expect=1)
    assert "up to date" in run(data, "migrate")
    assert "FAIL" not in run(data, "doctor")
    (data / "secret-key").write_text("x" * 64)
    (data / "secret-key").chmod(0o644)
    assert "FAIL secret key" in run(data, "doctor", expect=1)


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


def stored(data: Path, query: str) -> list[tuple[object, ...]]:
    """Read from the database with nothing of ours."""
    with contextlib.closing(sqlite3.connect(data / "timetodo.sqlite3")) as connection:
        return connection.execute(query).fetchall()


def password_in(printed: str) -> str:
    """Return the password that a command printed."""
    (password,) = re.findall(r"password (\S+)", printed)
    return str(password)
