"""Whom a text mentions: `@` followed by somebody's name, upper or lower case; the longest matching name wins."""

from collections.abc import Hashable, Iterable
from typing import TypeVar

PersonId = TypeVar("PersonId", bound=Hashable)


def find_mentions(text: str, people: Iterable[tuple[PersonId, str]]) -> set[PersonId]:
    """Return the ids of the people (id, name) named after an `@` that starts a word.

    Two people of one name are both meant: better one too many than the right one missed.
    """
    by_length = sorted(((name.casefold(), person) for person, name in people if name), key=lambda item: -len(item[0]))
    folded = text.casefold()
    found: set[PersonId] = set()
    start = folded.find("@")
    while start != -1:
        if start == 0 or not (folded[start - 1].isalnum() or folded[start - 1] == "_"):
            found |= _named_at(folded, start + 1, by_length)
        start = folded.find("@", start + 1)
    return found


def _named_at(folded: str, begin: int, by_length: list[tuple[str, PersonId]]) -> set[PersonId]:
    matches = [(name, person) for name, person in by_length if _stands_at(folded, begin, name)]
    return {person for name, person in matches if len(name) == len(matches[0][0])}


def _stands_at(folded: str, begin: int, name: str) -> bool:
    end = begin + len(name)
    return folded.startswith(name, begin) and (end == len(folded) or not folded[end].isalnum())
