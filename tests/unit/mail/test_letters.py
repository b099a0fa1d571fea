"""Letters say the same as plain text and as HTML, and names in them stay names."""

import pytest

from app.mail.letters import Button, Entry, Heading, Letter, Paragraph, fold, to_html, to_text

LETTER = Letter(
    "anna@example.org",
    "en",
    "News",
    [
        Paragraph("Two things."),
        Heading("Website"),
        Entry("WEB-1 <Home>", "https://x/t/WEB-1?a=1&b=2", ["assigned to you"]),
        Button("Open", "https://x/inbox"),
    ],
    ["From Time to DO.", "Bye."],
)


def test_plain_text_has_every_block() -> None:
    """Addresses stand alone in their lines, so that readers of mail see them as links."""
    assert to_text(LETTER).split("\n") == [
        "Two things.",
        "",
        "== Website",
        "",
        "* WEB-1 <Home>",
        "  assigned to you",
        "  https://x/t/WEB-1?a=1&b=2",
        "",
        "Open:",
        "https://x/inbox",
        "",
        "-- ",
        "From Time to DO.",
        "Bye.",
        "",
    ]


def test_html_has_every_block_and_nothing_of_a_name_is_html() -> None:
    """The same words, escaped."""
    page = to_html(LETTER)
    for part in ("Two things.", ">Website<", ">WEB-1 &lt;Home&gt;</a>", 'href="https://x/t/WEB-1?a=1&amp;b=2"'):
        assert part in page
    for part in ("assigned to you", 'href="https://x/inbox"', "From Time to DO.<br>Bye.", "<title>News</title>"):
        assert part in page


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Anna\r\nBcc: all@example.org", "Anna Bcc: all@example.org"),
        ("a\x00b\x1b[31mc\x7f", "a b [31mc"),
        ("one\u2028two\u2029three\u0085four", "one two three four"),
        ("abc\u202ecod.exe\u2066", "abccod.exe"),
        ("  wide\tspace ", "wide space"),
        ("Анна 👩‍👧 ё", "Анна 👩‍👧 ё"),
    ],
)
def test_a_name_is_one_harmless_line(name: str, line: str) -> None:
    """No sign of it ends a line, controls a terminal or turns the direction; letters of all languages stay."""
    assert fold(name) == line
