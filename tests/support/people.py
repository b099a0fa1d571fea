"""People who use the API in tests: they register, make things, and look at them."""

from types import TracebackType
from typing import Any, Self

import httpx2

from tests.support.server import ADMIN_CODE, TestServer

PASSWORD = "correct horse battery"
Json = dict[str, Any]


class Person:
    """Somebody signed in, with an HTTP client of their own."""

    def __init__(self, server: TestServer, tokens: Json) -> None:
        self.server = server
        self.user: Json = tokens["user"]
        self.token: str = tokens["access_token"]
        self.refresh_token: str | None = tokens["refresh_token"]
        self.http = server.client(headers={"Authorization": f"Bearer {self.token}"})

    @property
    def id(self) -> str:
        """The user's id."""
        return str(self.user["id"])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()

    async def call(self, method: str, path: str, *, expect: int | None = None, **options: Any) -> httpx2.Response:
        """Make a call; with `expect`, its status must be that."""
        answer = await self.http.request(method, path, **options)
        if expect is not None:
            assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    async def get(self, path: str, **options: Any) -> Any:
        """Read something that is there."""
        return (await self.call("GET", path, expect=200, **options)).json()

    async def project(self, name: str = "Website", **fields: Any) -> Json:
        """Make a project."""
        return await self._make("/projects", {"name": name} | fields)

    async def task(self, project: Json, title: str = "Write", **fields: Any) -> Json:
        """Make a task."""
        return await self._make("/tasks", {"project_id": project["id"], "title": title} | fields)

    async def comment(self, task: Json, body: str = "Looks good") -> Json:
        """Comment on a task."""
        return await self._make(f"/tasks/{task['id']}/comments", {"body": body})

    async def label(self, project: Json, name: str = "Bug", **fields: Any) -> Json:
        """Make a label."""
        return await self._make(f"/projects/{project['id']}/labels", {"name": name} | fields)

    async def column(self, project: Json, name: str = "Review", **fields: Any) -> Json:
        """Make a column."""
        return await self._make(f"/projects/{project['id']}/columns", {"name": name} | fields)

    async def view(self, project: Json, name: str = "Mine", query: str = "assignee=me") -> Json:
        """Save a view."""
        return await self._make(f"/projects/{project['id']}/views", {"name": name, "query": query})

    async def add(self, project: Json, person: "Person", role: str = "editor") -> Json:
        """Add a member."""
        return await self._make(f"/projects/{project['id']}/members", {"email": person.user["email"], "role": role})

    async def board(self, project: Json) -> Json:
        """Read a board."""
        board: Json = await self.get(f"/projects/{project['id']}/board")
        return board

    async def _make(self, path: str, body: Json) -> Json:
        made: Json = (await self.call("POST", path, expect=201, json=body)).json()
        return made


async def register(server: TestServer, name: str, **fields: Any) -> Person:
    """Make an account; the first one on a server is the administrator's."""
    body = {"email": f"{name.lower()}@example.org", "password": PASSWORD, "name": name, "code": ADMIN_CODE} | fields
    async with server.client() as client:
        answer = await client.post("/auth/register", json=body)
    assert answer.status_code == 201, answer.text
    return Person(server, answer.json())
