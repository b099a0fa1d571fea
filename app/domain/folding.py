"""Text as searching compares it: without case, `ё` as `е`, any white space as one blank. Pure.

Neither database can do that: SQLite's own functions know ASCII only, and PostgreSQL's depend on the locale.
"""

import unicodedata
from collections.abc import Sequence
from typing import Final

EXCERPT_LENGTH: Final = 160
_BEFORE_MATCH: Final = 40
MAX_WORDS: Final = 8
"""More words than this find nothing that these do not."""


def fold(text: str) -> str:
    """Return a text as it is searched; no line break is left in it."""
    return " ".join(_without_case(unicodedata.normalize("NFKC", text)).split())


def words_of(query: str) -> list[str]:
    """Return the folded words of what somebody looks for, each once."""
    return list(dict.fromkeys(fold(query).split()))[:MAX_WORDS]


def excerpt(text: str, words: Sequence[str]) -> str:
    """Return a line of a text around the first of some folded words, or its beginning."""
    folded = _without_case(text)
    places = [place for word in words if (place := folded.find(word)) >= 0]
    # Only a text that keeps its length when folded has the word in the same place: almost every text.
    first = min(places) if places and len(folded) == len(text) else 0
    start = 0 if first <= _BEFORE_MATCH else first - _BEFORE_MATCH
    line = " ".join(text[start : start + EXCERPT_LENGTH].split())
    return f"{'…' if start else ''}{line}{'…' if start + EXCERPT_LENGTH < len(text) else ''}"


def _without_case(text: str) -> str:
    return text.casefold().replace("ё", "е")
