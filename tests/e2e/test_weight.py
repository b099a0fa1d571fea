"""What the built page weighs: every kilobyte is paid for by whoever opens it first on a phone."""

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from app.api.pages import PAGE

#: Bytes of gzipped JavaScript. All is every script of every page, both languages, and the service worker; the first
#: load is that of a board, in the language that takes more.
FIRST_LOAD, ALL = 118_000, 234_000


@pytest.fixture
def scripts() -> list[Path]:
    """Every script of the page, with the service worker."""
    found = [*(PAGE / "assets").glob("*.js"), PAGE / "service-worker.js"]
    assert len(found) > 1, "the page is not built"
    return found


def weight(files: Iterable[Path]) -> int:
    """The bytes of these files as they are sent."""
    return sum(len(gzip.compress(file.read_bytes(), 9)) for file in files)


def test_all_scripts_of_the_page_are_light(scripts: list[Path]) -> None:
    """Nothing heavy has come in with a new dependency."""
    assert weight(scripts) <= ALL


def test_the_first_load_of_a_board_is_light(scripts: list[Path]) -> None:
    """What the document names, and the messages of one language."""
    named = set(re.findall(r'/assets/([^"]+\.js)"', (PAGE / "index.html").read_text()))
    languages = [file for file in scripts if re.match(r"(en|ru)-", file.name)]
    assert named
    assert len(languages) == 2
    first = [file for file in scripts if file.name in named]
    assert weight(first) + max(weight([file]) for file in languages) <= FIRST_LOAD
