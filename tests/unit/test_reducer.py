"""The reference reducer does what the shared examples say; the page's reducer runs the same file."""

import json
from copy import deepcopy
from pathlib import Path

import pytest

from tests.support.reducer import Json, reduce, reduce_all

FIXTURES = Path(__file__).parent.parent / "fixtures" / "protocol" / "reducer.json"
CASES: list[Json] = json.loads(FIXTURES.read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_example_gives_the_expected_board(case: Json) -> None:
    """Each shared example's events turn its board into the expected one."""
    assert reduce_all(case["board"], case["events"]) == case["expected"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_reducing_leaves_the_old_board_as_it_was(case: Json) -> None:
    """The reducer is a pure function: its input is the same afterwards."""
    before = deepcopy(case["board"])
    reduce(case["board"], case["events"][0])
    assert case["board"] == before
