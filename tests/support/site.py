"""The product as its users run it: `timetodo serve` in a process of its own, which a test may kill."""

import asyncio
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2

from app.api.context import ADMIN_CODE_FILE
from tests.support.http import http_client
from tests.support.people import PASSWORD, Json
from tests.support.ports import free_port

COMMAND = Path(sys.executable).parent / "timetodo"
START_S = 60.0  # on a machine that is busy with other things; usually 2


class Site:
    """One server process, its data directory, and what can be done to it."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.environment = {"TIMETODO_REGISTRATION": "open", "TIMETODO_DRAIN_S": "0.5"} | environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running server."""
        assert self._process is not None, "the site has not been started"
        return self._process

    async def start(self) -> None:
        """Start the server and wait until it is ready; one that does not get there is ended."""
        arguments = [str(COMMAND), "serve", "--port", str(self.port), "--data", str(self.data_dir)]
        self._process = self._spawn(arguments)
        try:
            async with http_client() as client, asyncio.timeout(START_S):
                while not await self._answers(client):
                    assert self._process.poll() is None, self.log()
                    await asyncio.sleep(0.02)
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """End the server as a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End the server as an operator does; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)

    @property
    def is_running(self) -> bool:
        """Whether the server is there."""
        return self.process.poll() is None

    def empty(self) -> None:
        """Delete everything and lay a new one-time code, under the running server: as good as a new site, and quicker.

        What the server keeps in memory goes by ids that never come again.
        """
        with closing(sqlite3.connect(self.data_dir / "timetodo.sqlite3", timeout=START_S)) as database:
            tables = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
            for (table,) in tables:
                if table not in {"alembic_version", "reminder_looks"}:  # each has one row, which must stay
                    database.execute(f'DELETE FROM "{table}"')
            database.commit()
        (self.data_dir / ADMIN_CODE_FILE).write_text(secrets.token_hex())

    def log(self) -> str:
        """Return what the server has printed."""
        return (self.data_dir.parent / "site.log").read_text()

    def admin_code(self) -> str:
        """Return the one-time code, as printed."""
        return (self.data_dir / ADMIN_CODE_FILE).read_text().strip()

    async def account(self, name: str, **fields: Any) -> "Account":
        """Make an account over the API; the first one is the administrator's."""
        code = self.admin_code() if (self.data_dir / ADMIN_CODE_FILE).exists() else None
        body = {"email": f"{name.lower()}@example.org", "password": PASSWORD, "name": name, "code": code} | fields
        async with http_client(base_url=f"{self.url}/api/v1") as client:
            answer = await client.post("/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        return Account(self, answer.json())

    def _spawn(self, arguments: list[str]) -> subprocess.Popen[bytes]:
        with (self.data_dir.parent / "site.log").open("ab") as log:
            return subprocess.Popen(arguments, stdout=log, stderr=log, env=os.environ | self.environment)

    async def _answers(self, client: httpx2.AsyncClient) -> bool:
        try:
            return (await client.get(f"{self.url}/readyz")).status_code == 200
        except httpx2.TransportError:
            return False


class Account:
    """Somebody's account on a site, used over the API beside the page."""

    def __init__(self, site: Site, tokens: Json) -> None:
        self.site = site
        self.user: Json = tokens["user"]
        self.token: str = tokens["access_token"]

    async def call(self, method: str, path: str, **options: Any) -> Any:
        """Make a call that must succeed; return its JSON."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with http_client(base_url=f"{self.site.url}/api/v1", headers=headers) as client:
            answer = await client.request(method, path, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def project(self, name: str, *members: "Account", **fields: Any) -> Json:
        """Make a project with these people as editors."""
        project: Json = await self.call("POST", "/projects", json={"name": name} | fields)
        for member in members:
            body = {"email": member.user["email"], "role": "editor"}
            await self.call("POST", f"/projects/{project['id']}/members", json=body)
        return project

    async def task(self, project: Json, title: str, **fields: Any) -> Json:
        """Make a task."""
        task: Json = await self.call("POST", "/tasks", json={"project_id": project["id"], "title": title} | fields)
        return task
