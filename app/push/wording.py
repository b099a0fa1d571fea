"""What a push says, in the reader's language. The texts are in `texts/`, one file a language, for translators.

`{names}` are filled in. A text that counts has a form for each plural of its language (Unicode CLDR).
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson

FALLBACK: Final = "en"


def _english(count: int) -> str:
    return "one" if count == 1 else "other"


def _russian(count: int) -> str:
    if count % 10 == 1 and count % 100 != 11:
        return "one"
    return "few" if count % 10 in {2, 3, 4} and count % 100 not in {12, 13, 14} else "many"


PLURALS: Final[Mapping[str, Callable[[int], str]]] = {"en": _english, "ru": _russian}


def word(language: str, key: str, **values: Any) -> str:
    """Return the text of `key`; for one that counts, `count` chooses its form.

    Raises:
        KeyError: there is no such text, or a value for it is missing.
    """
    known = language if language in PLURALS else FALLBACK
    text = texts(known)[key]
    if isinstance(text, dict):
        text = text[PLURALS[known](values["count"])]
    return text.format_map(values)


def has_word(key: str) -> bool:
    """Whether there is such a text."""
    return key in texts(FALLBACK)


@cache
def texts(language: str) -> dict[str, str | dict[str, str]]:
    """Return all texts of a language."""
    found: dict[str, str | dict[str, str]] = orjson.loads(
        files("app.push").joinpath(f"texts/{language}.json").read_bytes()
    )
    return found
