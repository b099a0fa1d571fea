"""The documents are true where a machine can tell: links lead somewhere, and every setting is described."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import PydanticUndefined

from app.config import Settings
from app.main import create_app
from app.websocket.protocol import CloseCode, ErrorCode
from tests.support.routes import operations
from tests.support.server import make_settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
PICTURES_MADE_LATER = {"docs/images/board-light.png"}
"""Taken from a running server, not by hand."""
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `TIMETODO_(\w+)` \| ([^|]+) \|", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    """Every link to a file, and to a heading in one, is good."""
    for target in LINK.findall(FENCE.sub("", page.read_text())):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.is_relative_to(ROOT), target
        if str(file.relative_to(ROOT)) in PICTURES_MADE_LATER:
            continue
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_that_a_page_names_exist(page: Path) -> None:
    """What is called a file of this repository in code marks is one."""
    for path in re.findall(r"`((?:app|frontend|tests|docs|static)/[\w./-]+\.\w+)`", page.read_text()):
        assert (ROOT / path).exists(), path


def test_every_setting_is_described() -> None:
    """The table of settings names them all, and nothing else, with their defaults."""
    told = {name.lower(): text.strip() for name, text in ROW.findall((ROOT / "docs/operations.md").read_text())}
    assert list(told) == list(Settings.model_fields)
    for name, field in Settings.model_fields.items():
        if field.default is not PydanticUndefined:
            assert told[name] == _written(field.default), name


def _written(default: Any) -> str:
    if default is None or default == ():
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    return str(default)


def test_every_route_is_described(tmp_path: Path) -> None:
    """The guide's table of routes names them all, and nothing else."""
    table = (ROOT / "docs/api.md").read_text().split("## Routes")[1].split("##")[0]
    told = re.findall(r"`((?:GET|POST|PATCH|PUT|DELETE) /[^`]*)`", table)
    found = {
        re.sub(r"\{\w*id\}", "{id}", operation.name.replace("/api/v1", ""))
        for operation in operations(create_app(make_settings(tmp_path)))
        if operation.path.startswith("/api/v1")
    }
    assert sorted(told) == sorted(found)


def test_every_code_of_the_protocol_is_described() -> None:
    """The protocol's page explains each close code and each error code."""
    text = (ROOT / "docs/protocol.md").read_text()
    assert not [code for code in CloseCode if not re.search(rf"^\|[^|]*\b{code.value}\b", text, re.MULTILINE)]
    assert not [code for code in ErrorCode if f"`{code.value}`" not in text]


def test_decisions_have_their_parts() -> None:
    """Every decision says what it was about, what it cost, and how it could turn out wrong."""
    for page in (ROOT / "docs/decisions").glob("*.md"):
        assert re.match(r"\d{4}-[a-z0-9-]+\.md", page.name)
        headings = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
        assert headings == [
            "Context",
            "Decision",
            "Alternatives",
            "Consequences",
            "How we would notice that it was wrong",
        ], page.name
