"""What the built page weighs: every kilobyte is paid for by whoever opens it first on a phone."""

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from app.api.pages import PAGE

#: Bytes as they are sent, gzipped: all scripts of all pages with the service worker; and the first load of a board: the
#: document, its scripts, and the texts of the language that takes more.
ALL_SCRIPTS, FIRST_LOAD = 204_800, 118_000


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
    assert weight(scripts) <= ALL_SCRIPTS


def test_the_first_load_of_a_board_is_light(scripts: list[Path]) -> None:
    """The document with the icons, what it names, and the messages of one language."""
    document = PAGE / "index.html"
    named = set(re.findall(r'/assets/([^"]+\.js)"', document.read_text()))
    languages = [file for code in ("en", "ru") for file in (PAGE / "assets").glob(f"{code}-*.json")]
    assert named
    assert len(languages) == 2
    first = [document, *(file for file in scripts if file.name in named)]
    assert weight(first) + max(weight([file]) for file in languages) <= FIRST_LOAD
