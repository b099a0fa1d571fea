"""The description of the API is complete: a client can be written from it alone."""

from typing import Any

import pytest

from app.main import create_app
from tests.support.server import make_settings

SCHEMA = dict[str, Any]
WITHOUT_REFUSALS = {"/healthz", "/readyz", "/metrics", "/api/v1/server"}
"""They take nothing that could be wrong, and are asked by machines that look at the status."""


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> SCHEMA:
    """The description the server gives."""
    return create_app(make_settings(tmp_path_factory.mktemp("described"))).openapi()


def operations(schema: SCHEMA) -> dict[str, Any]:
    """Return every operation by method and path."""
    return {f"{method} {path}": found for path, methods in schema["paths"].items() for method, found in methods.items()}


def test_version_and_title(schema: SCHEMA) -> None:
    """It is OpenAPI 3.1 of this product."""
    assert schema["openapi"].startswith("3.1.")
    assert (schema["info"]["title"], schema["info"]["version"]) == ("Time to DO", "0.1.0")


def test_every_operation_says_what_it_does(schema: SCHEMA) -> None:
    """Each has a summary, a sentence, a tag, and a name of its own."""
    found = operations(schema)
    silent = [name for name, item in found.items() if not (item.get("summary") and item.get("description"))]
    untagged = [name for name, item in found.items() if not item.get("tags")]
    names = [item["operationId"] for item in found.values()]
    assert (silent, untagged) == ([], [])
    assert len(set(names)) == len(names) >= 40


def test_every_operation_says_how_it_refuses(schema: SCHEMA) -> None:
    """Refusals are described as problems."""
    for name, item in operations(schema).items():
        path = name.partition(" ")[2]
        refusals = [status for status in item["responses"] if status.startswith(("4", "5"))]
        if path not in WITHOUT_REFUSALS and not path.endswith("/events/stream"):
            assert refusals, name
            for status in refusals:
                assert "application/problem+json" in item["responses"][status]["content"], (name, status)


def test_every_body_has_an_example_that_its_schema_takes(schema: SCHEMA) -> None:
    """A reader sees what to send, and sending it would not be a mistake."""
    for name, item in operations(schema).items():
        if "requestBody" not in item:
            continue
        body = item["requestBody"]["content"]["application/json"]["schema"]
        (reference,) = [part["$ref"] for part in [body, *body.get("anyOf", [])] if "$ref" in part]
        model = schema["components"]["schemas"][reference.rpartition("/")[2]]
        assert model.get("examples"), name
        for example in model["examples"]:
            assert example.keys() <= model["properties"].keys(), name
            assert set(model.get("required", [])) <= example.keys(), name


def test_times_and_ids_are_described(schema: SCHEMA) -> None:
    """A task's times are date-times and its ids UUIDs."""
    task = schema["components"]["schemas"]["Task"]["properties"]
    assert task["created_at"]["format"] == "date-time"
    assert task["id"]["format"] == "uuid"
