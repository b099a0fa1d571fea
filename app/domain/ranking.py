"""Order of cards as strings: between any two positions there is always another one.

A position is a number in base 62 between 0 and 1, written as its digits after the point, never ending in the lowest
digit. Strings compare by code point as the numbers do, so a database and a browser sort them alike without knowing how
they are made. Positions come from the server only (docs/decisions), so a filtered or stale board cannot scramble them.
"""

from typing import Final

DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE: Final = len(DIGITS)
_VALUE: Final = {digit: value for value, digit in enumerate(DIGITS)}
_STEP_DIGITS: Final = 4
"""Digits of a step when a card is put first or last: 62^4 cards fit before positions grow longer."""


def between(low: str | None, high: str | None) -> str:
    """Return a position strictly between two others; None is the open end.

    Appending (or prepending) moves by the smallest step of the end's own length, so a column filled in order keeps
    short positions; anywhere else the middle is taken.

    Raises:
        ValueError: `low` is not below `high`, or one of them is not a position.
    """
    for position in (low, high):
        if position is not None and not is_position(position):
            message = f"not a position: {position!r}"
            raise ValueError(message)
    if low is not None and high is not None and low >= high:
        message = f"positions out of order: {low!r} is not below {high!r}"
        raise ValueError(message)
    if high is None:
        return _after(low) if low is not None else DIGITS[_BASE // 2]
    if low is None:
        return _before(high)
    return _middle(low, high)


def is_position(text: str) -> bool:
    """Whether `text` is a position: base-62 digits, not ending in the lowest one."""
    return bool(text) and all(digit in _VALUE for digit in text) and text[-1] != DIGITS[0]


def _after(low: str) -> str:
    """The next position up with at most four digits; longer only when those are used up."""
    number = _number(low[:_STEP_DIGITS], _STEP_DIGITS) + 1
    if number % _BASE == 0:
        number += 1
    return _text(number, _STEP_DIGITS) if number < _BASE**_STEP_DIGITS else low + DIGITS[_BASE // 2]


def _before(high: str) -> str:
    """The next position down with at most four digits; longer only when those are used up."""
    number = _number(high[:_STEP_DIGITS], _STEP_DIGITS) - 1
    if number % _BASE == 0:
        number -= 1
    return _text(number, _STEP_DIGITS) if number > 0 else _middle("", high)


def _middle(low: str, high: str) -> str:
    """The number half-way, with one more digit only when there is no room at this length."""
    width = max(len(low), len(high))
    first, last = _number(low, width), _number(high, width)
    if last - first < 2:
        width, first, last = width + 1, first * _BASE, last * _BASE
    return _text((first + last) // 2, width)


def _number(position: str, width: int) -> int:
    number = 0
    for digit in position.ljust(width, DIGITS[0]):
        number = number * _BASE + _VALUE[digit]
    return number


def _text(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, value = divmod(number, _BASE)
        digits.append(DIGITS[value])
    return "".join(reversed(digits)).rstrip(DIGITS[0])
