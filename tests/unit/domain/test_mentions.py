"""Mentions: `@` and a member's name."""

import pytest

from app.domain.mentions import find_mentions

PEOPLE = [(1, "Анна"), (2, "Анна Петрова"), (3, "Boris"), (4, "Boris"), (5, ""), (6, "J. R.")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nobody here", set()),
        ("@Анна, посмотри", {1}),
        ("@анна петрова посмотри", {2}),
        ("(@АННА)", {1}),
        ("@Аннабель", set()),
        ("@boris", {3, 4}),
        ("mail anna@boris.example", set()),
        ("snake_@boris", set()),
        ("@@boris", {3, 4}),
        ("@boris @анна", {1, 3, 4}),
        ("@", set()),
        ("@ boris", set()),
        ("@J. R. said", {6}),
        ("@borisов", set()),
        ("@boris_", {3, 4}),
    ],
)
def test_text_mentions_exactly_whom_it_names(text: str, expected: set[int]) -> None:
    """The longest name after an `@` that begins a word wins, whatever the case; namesakes are all meant."""
    assert find_mentions(text, PEOPLE) == expected
