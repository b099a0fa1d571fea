"""The page has a sentence, in each language, for every refusal that a person can meet."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from app import errors
from app.api.problems import FORM_CODES, OTHER_CODES
from app.errors import AppError
from tests.support.people import PASSWORD, Json, Person
from tests.support.routes import assert_problem
from tests.support.server import TestServer

MESSAGES: Final = Path(__file__).resolve().parents[2] / "frontend" / "src" / "messages"


def refusals(kind: type[AppError] = AppError) -> Iterator[str]:
    """Yield the code of every refusal there is."""
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child.code
            yield from refusals(child)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_code_has_a_message(language: str) -> None:
    """No code of an answer, and none of a field, is left without words."""
    known = json.loads((MESSAGES / f"{language}.json").read_text())
    wanted = {f"error.{code}" for code in {*refusals(), *OTHER_CODES}} | {f"field_error.{code}" for code in FORM_CODES}
    assert wanted - known.keys() == set()


LONG: Final = "x" * 501
ACCOUNT: Final = {"email": "new@example.org", "password": PASSWORD, "name": "New"}
FORMS: Final[list[tuple[str, str, Json, str, str, int | None]]] = [
    ("POST", "/auth/register", ACCOUNT | {"email": "new@"}, "email", "email", None),
    ("POST", "/auth/register", ACCOUNT | {"email": ""}, "email", "email", None),
    ("POST", "/auth/register", ACCOUNT | {"password": "short"}, "password", "too_short", 10),
    ("POST", "/auth/register", ACCOUNT | {"name": " "}, "name", "blank", None),
    ("POST", "/auth/register", ACCOUNT | {"name": LONG}, "name", "too_long", 100),
    ("POST", "/projects", {"name": ""}, "name", "blank", None),
    ("POST", "/projects", {"name": "x", "key": "webs?"}, "key", "pattern", None),
    ("POST", "/projects", {}, "name", "missing", None),
    ("PATCH", "/tasks/{task}", {"title": "\u2003"}, "title", "blank", None),
    ("PATCH", "/tasks/{task}", {"title": LONG}, "title", "too_long", 500),
    ("PATCH", "/tasks/{task}", {"checklist": [{"text": ""}]}, "checklist.0.text", "blank", None),
    ("PATCH", "/tasks/{task}", {"checklist": [{"text": "x"}] * 201}, "checklist", "too_many", 200),
    ("POST", "/tasks/{task}/move", {"status": "nowhere"}, "status", "invalid", None),
    ("POST", "/tasks/{task}/comments", {"body": ""}, "body", "blank", None),
    ("POST", "/projects/{project}/columns", {"name": "x", "wip_limit": 0}, "wip_limit", "too_small", 1),
    ("POST", "/projects/{project}/columns", {"name": "x", "wip_limit": 1001}, "wip_limit", "too_big", 1000),
    ("POST", "/projects/{project}/members", {"email": "x", "role": "editor"}, "email", "email", None),
    ("GET", "/search?q=%20%09", {}, "q", "blank", None),
]


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_what_people_get_wrong_in_forms_has_a_code_with_a_message(
    server: TestServer, anna: Person, project: Json
) -> None:
    """Each slip is named by field, by a code that the page has words for, and with the limit that was passed."""
    task = await anna.task(project)
    for method, path, body, field, code, limit in FORMS:
        address = path.format(task=task["id"], project=project["id"])
        answer = await anna.call(method, address, json=body or None if method == "GET" else body)
        (found,) = assert_problem(answer, 422)["errors"]
        assert (found["field"], found["code"], found.get("limit")) == (field, code, limit), (path, found)
    assert {code for *_, code, _ in FORMS} == FORM_CODES
