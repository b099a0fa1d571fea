"""The texts of pushes and mails: both languages say the same things, in their own plurals."""

import re

import pytest

from app.domain.notifying import Kind
from app.mail import wording as mail
from app.push import wording as push
from app.push.wording import has_word, word
from app.wording import PLURALS, Wording

FORMS = {"en": {"one", "other"}, "ru": {"one", "few", "many", "other"}}


def names(text: str | dict[str, str]) -> set[str]:
    """Return what is filled in."""
    return set(re.findall(r"{(\w+)}", " ".join(text.values()) if isinstance(text, dict) else text))


@pytest.mark.parametrize("language", PLURALS)
@pytest.mark.parametrize("wording", [push.TEXTS, mail.TEXTS], ids=["push", "mail"])
def test_every_language_has_every_text(wording: Wording, language: str) -> None:
    """With the same names in it, and every form that counts."""
    found, english = wording.texts(language), wording.texts("en")
    assert list(found) == sorted(found)
    assert {key: names(text) for key, text in found.items()} == {key: names(text) for key, text in english.items()}
    assert all(set(text) == FORMS[language] for text in found.values() if isinstance(text, dict))


def test_every_kind_has_a_text() -> None:
    """A new kind is not shown as something or other."""
    assert [kind for kind in Kind if not has_word(kind.value)] == []


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1, "1 изменение"),
        (2, "2 изменения"),
        (5, "5 изменений"),
        (11, "11 изменений"),
        (13, "13 изменений"),
        (21, "21 изменение"),
        (24, "24 изменения"),
    ],
)
def test_russian_counts(count: int, text: str) -> None:
    """One, few, many."""
    assert word("ru", "changes", count=count) == text


def test_what_people_write_is_never_filled_in_again() -> None:
    """Braces in a comment are braces; a language we do not speak is English."""
    assert word("xx", "commented.text", actor="{count}", excerpt="{0.__class__}") == "{count}: “{0.__class__}”"
