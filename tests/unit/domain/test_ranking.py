"""Positions: strictly between, in order, and short."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.ranking import DIGITS, between, is_position

POSITIONS = st.text(alphabet=DIGITS, min_size=1, max_size=12).filter(lambda text: text[-1] != "0")


@given(POSITIONS, POSITIONS)
def test_between_is_strictly_between(one: str, other: str) -> None:
    """For any two different positions there is one strictly between them, by code point."""
    low, high = sorted((one, other))
    if low == high:
        return
    middle = between(low, high)
    assert low < middle < high
    assert is_position(middle)


@given(POSITIONS)
def test_both_ends_are_open(position: str) -> None:
    """There is always a position before the first and after the last one."""
    before, after = between(None, position), between(position, None)
    assert before < position < after
    assert is_position(before)
    assert is_position(after)


def test_first_position_leaves_room_on_both_sides() -> None:
    """The first card of a column lies in the middle."""
    assert between(None, None) == DIGITS[len(DIGITS) // 2]


def test_thousands_of_random_insertions_keep_order_and_stay_short() -> None:
    """5,000 insertions anywhere leave the list sorted, without duplicates, in at most ten digits."""
    source, positions = random.Random(7), list[str]()
    for _ in range(5000):
        index = source.randint(0, len(positions))
        low = positions[index - 1] if index else None
        high = positions[index] if index < len(positions) else None
        positions.insert(index, between(low, high))
    assert positions == sorted(set(positions))
    assert max(map(len, positions)) <= 10


@pytest.mark.parametrize("at_end", [True, False])
def test_filling_a_column_from_one_end_keeps_four_digits(at_end: bool) -> None:
    """10,000 cards put last (or first) one after the other have positions of at most four digits."""
    positions = [between(None, None)]
    for _ in range(10_000):
        positions.append(between(positions[-1], None) if at_end else between(None, positions[-1]))
    assert positions == sorted(set(positions), reverse=not at_end)
    assert max(map(len, positions)) <= 4


def test_dropping_into_one_gap_again_and_again_grows_slowly() -> None:
    """200 drops before the same card cost one digit for six drops at most."""
    low, high = "V", "V1"
    for _ in range(200):
        high = between(low, high)
        assert low < high
    assert len(high) <= 2 + 200 / 5


@pytest.mark.parametrize("last", ["zzzz", "zzzzz", "zzz"])
def test_end_of_the_short_positions_is_not_the_end(last: str) -> None:
    """After the last position of four digits there is a longer one, and so on."""
    positions = [last]
    for _ in range(100):
        positions.append(between(positions[-1], None))
    assert positions == sorted(set(positions))


def test_beginning_of_the_short_positions_is_not_the_beginning() -> None:
    """Before the first position of four digits there is a longer one, and so on."""
    positions = ["0002"]
    for _ in range(100):
        positions.append(between(None, positions[-1]))
    assert all(later < earlier for earlier, later in itertools.pairwise(positions))
    assert all(map(is_position, positions))


@pytest.mark.parametrize("text", ["", "a0", "0", "a b", "é", "a\n"])
def test_what_is_no_position_is_refused(text: str) -> None:
    """Empty, ending in the lowest digit, or with other characters: not a position."""
    assert not is_position(text)
    with pytest.raises(ValueError, match="not a position"):
        between(text, None)


@pytest.mark.parametrize(("low", "high"), [("b", "a"), ("a", "a")])
def test_positions_out_of_order_are_refused(low: str, high: str) -> None:
    """There is nothing between a position and itself, or a lower one."""
    with pytest.raises(ValueError, match="out of order"):
        between(low, high)
