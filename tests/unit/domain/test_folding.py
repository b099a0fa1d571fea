"""Texts as searching compares them."""

import pytest

from app.domain.folding import EXCERPT_LENGTH, MAX_WORDS, excerpt, fold, words_of


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Купить ЁЛКУ", "купить елку"),
        ("е\u0308лка", "елка"),
        ("STRASSE straße", "strasse strasse"),
        (" two\n\n words\u00a0\t", "two words"),
        ("ﬁle ①", "file 1"),
        ("", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    """Case, `ё`, white space and compatibility forms do not matter."""
    assert fold(text) == folded
    assert fold(folded) == folded


def test_words_are_taken_once_and_not_without_end() -> None:
    """A word counts once, and a page of text is not a query."""
    assert words_of(" Ёлка елка  ЁЛКА лес ") == ["елка", "лес"]
    assert len(words_of(" ".join(map(str, range(100))))) == MAX_WORDS
    assert words_of(" \t") == []


def test_excerpt_is_a_line_around_the_first_word() -> None:
    """It begins shortly before the first of the words, is one line, and says where something was cut off."""
    text = "начало " * 30 + "Вот\n\nЁлка здесь" + " конец" * 50
    line = excerpt(text, ["здесь", "елка"])
    assert "Вот Ёлка здесь" in line
    assert line.startswith("…")
    assert line.endswith("…")
    assert len(line) <= EXCERPT_LENGTH + 2


@pytest.mark.parametrize(("text", "line"), [("short", "short"), ("", ""), ("ẞ" * 10 + " needle", "ẞ" * 10 + " needle")])
def test_excerpt_of_what_has_no_word_is_its_beginning(text: str, line: str) -> None:
    """Also of a text whose length changes when it is folded: the place is not known."""
    assert excerpt(text, ["needle" if "needle" in text else "other"]) == line
