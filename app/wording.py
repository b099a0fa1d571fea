"""What the server says beside the page, in the reader's language: texts in a file a language, for translators.

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


class Wording:
    """The texts of one package, from the folder `texts` in it."""

    def __init__(self, package: str) -> None:
        self._folder = files(package).joinpath("texts")
        self.texts = cache(self._load)
        """Return all texts of a language."""

    def word(self, language: str, key: str, **values: Any) -> str:
        """Return the text of `key`; for one that counts, `count` chooses its form.

        Raises:
            KeyError: there is no such text, or a value for it is missing.
        """
        known = language if language in PLURALS else FALLBACK
        text = self.texts(known)[key]
        if isinstance(text, dict):
            text = text[PLURALS[known](values["count"])]
        return text.format_map(values)

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in self.texts(FALLBACK)

    def _load(self, language: str) -> dict[str, str | dict[str, str]]:
        found: dict[str, str | dict[str, str]] = orjson.loads(self._folder.joinpath(f"{language}.json").read_bytes())
        return found
