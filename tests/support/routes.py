"""Every operation of the API, read from the application itself, and a world of things to call it with."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2
from fastapi import FastAPI

from app.domain.notifying import Kind, Why
from app.services.notifying import News, tell
from tests.support.people import PASSWORD, Json, Person

SUBSCRIPTION: Json = {
    "endpoint": "https://192.0.32.10/send/world",
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}
"""At a public address, to which nothing is sent."""
METHODS = ("get", "post", "patch", "put", "delete")


@dataclass(frozen=True)
class Operation:
    """One method at one path. `fields` are the schemas of the members of its body."""

    method: str
    path: str
    path_names: tuple[str, ...]
    query_names: tuple[str, ...]
    body: Json | None = field(hash=False)
    is_body_required: bool

    @property
    def name(self) -> str:
        """As people write it: `PATCH /api/v1/tasks/{task_id}`."""
        return f"{self.method} {self.path}"

    @property
    def fields(self) -> dict[str, Json]:
        """Schemas of the members of the body."""
        return dict(self.body["properties"]) if self.body else {}

    def is_id(self, name: str) -> bool:
        """Whether a member of the body is an id, a list of ids, or the key of a column."""
        return name == "status" or any(part.get("format") == "uuid" for part in _parts(self.fields[name]))

    def is_free_text(self, name: str) -> bool:
        """Whether a member of the body may be any text."""
        told_apart = {"format", "enum", "const", "pattern", "examples"}
        return any(part.get("type") == "string" and not told_apart & part.keys() for part in _parts(self.fields[name]))

    def is_list(self, name: str) -> bool:
        """Whether a member of the body is a list."""
        return self.fields[name].get("type") == "array"


_OPERATIONS: list[Operation] = []


def operations(application: FastAPI) -> list[Operation]:
    """Return every operation of the application; a new route is among them by itself.

    Read once, which takes seconds: every application has the same.
    """
    if not _OPERATIONS:
        _OPERATIONS.extend(_read_operations(application.openapi()))
    return _OPERATIONS


def _read_operations(schema: Json) -> list[Operation]:
    return [
        Operation(
            method.upper(),
            path,
            tuple(part["name"] for part in found.get("parameters", []) if part["in"] == "path"),
            tuple(part["name"] for part in found.get("parameters", []) if part["in"] == "query"),
            _body_schema(schema, found),
            found.get("requestBody", {}).get("required", False),
        )
        for path, methods in schema["paths"].items()
        for method, found in methods.items()
        if method in METHODS
    ]


@dataclass(frozen=True)
class World:
    """A private project with one thing of every kind, by the names that paths and bodies use."""

    owner: Person
    project: Json
    ids: dict[str, str]
    values: Json

    def fill(self, path: str, **other: str) -> str:
        """Return a path with this world's ids, `other` ones taking precedence."""
        return path.format(**(self.ids | other))

    def body(self, operation: Operation) -> Json:
        """Return the smallest body the operation takes."""
        required: list[str] = operation.body.get("required", []) if operation.body else []
        return {name: self.values[name] for name in required}

    async def state(self) -> Json:
        """Return everything of the project that anybody could read."""
        project_id, task_id = self.ids["project_id"], self.ids["task_id"]
        paths = [
            f"/projects/{project_id}{part}"
            for part in ("", "/board", "/trash", "/archive", "/views", "/members", "/invitations")
        ]
        paths += [f"/tasks/{task_id}", f"/tasks/{task_id}/comments", "/auth/sessions", "/users/me"]
        paths += ["/notifications", "/users/me/notification_settings", f"/tasks/{task_id}/watch"]
        return {path: _stable(await self.owner.get(path)) for path in paths}


async def build_world(owner: Person) -> World:
    """Make a project of `owner`'s with one thing of every kind."""
    project = await owner.project()
    label = await owner.label(project)
    column = await owner.column(project)
    task = await owner.task(project, label_ids=[label["id"]], assignee_ids=[owner.id])
    trashed = await owner.task(project, "Thrown away")
    await owner.call("DELETE", f"/tasks/{trashed['id']}", expect=204)
    comment = await owner.comment(task)
    answer = await owner.call("POST", f"/projects/{project['id']}/invitations", json={"role": "viewer"}, expect=201)
    sessions = await owner.get("/auth/sessions")
    device = await owner.call("POST", "/push/devices", json=SUBSCRIPTION, expect=201)
    async with owner.server.database.write() as uow:
        reminder = News(Kind.DUE_SOON, UUID(project["id"]), UUID(task["id"]))
        await tell(uow, reminder, {UUID(owner.id): Why.REMINDER})
    (notification,) = (await owner.get("/notifications"))["items"]
    ids = {
        "notification_id": notification["id"],
        "device_id": device.json()["id"],
        "project_id": project["id"],
        "task_id": task["id"],
        "trashed_id": trashed["id"],
        "comment_id": comment["id"],
        "column_id": column["id"],
        "label_id": label["id"],
        "user_id": owner.id,
        "invitation_id": answer.json()["id"],
        "view_id": (await owner.view(project))["id"],
        "session_id": sessions["items"][0]["id"],
        "token": answer.json()["token"],
    }
    values: Json = {
        "project_id": project["id"],
        "title": "Write",
        "name": "New name",
        "status": "done",
        "body": "Looks good",
        "query": "assignee=me",
        "role": "viewer",
        "email": "nobody@example.org",
        "password": PASSWORD,
        "current_password": PASSWORD,
        "new_password": PASSWORD,
        "user_ids": [],
        "state": "watching",
        "token": "nobody-was-mailed-it",
    } | SUBSCRIPTION
    return World(owner, project, ids, values)


def assert_problem(answer: httpx2.Response, status: int | None = None) -> Json:
    """Check that a refusal is a problem with a code, a sentence and the request's id, and nothing internal."""
    assert status in (None, answer.status_code), f"{answer.status_code} {answer.text}"
    assert 400 <= answer.status_code < 600, f"{answer.status_code} {answer.text}"
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found: Json = answer.json()
    assert found["status"] == answer.status_code
    assert found["request_id"] == answer.headers["x-request-id"]
    assert found["code"]
    assert found["detail"]
    for internal in INTERNAL:
        assert internal not in answer.text.lower(), answer.text
    return found


INTERNAL = ("traceback", "sqlalchemy", "asyncpg", "sqlite", "select ", "insert into", ".py", "/app/", "pydantic")


def _stable(answer: Any) -> Any:
    """Leave out what changes by itself."""
    return answer["items"] if isinstance(answer, dict) and "items" in answer else answer


def _body_schema(schema: Json, operation: Json) -> Json | None:
    if "requestBody" not in operation:
        return None
    found = operation["requestBody"]["content"]["application/json"]["schema"]
    for part in _parts(found):
        if "$ref" in part:
            body: Json = schema["components"]["schemas"][part["$ref"].rpartition("/")[2]]
            return body
    raise AssertionError(operation)


def _parts(schema: Json) -> Iterator[Json]:
    """Yield a schema, its alternatives and the items of its lists."""
    yield schema
    for part in schema.get("anyOf", []):
        yield from _parts(part)
    if "items" in schema:
        yield from _parts(schema["items"])
