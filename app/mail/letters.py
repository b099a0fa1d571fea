"""A letter as whoever writes one sees it: a few kinds of blocks, told as plain text and as HTML alike.

Names that people chose stand in it: whatever could begin a header, hide or turn round what is read is taken out.
"""

import html
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

_TURNING: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Signs that reverse the direction of what follows them."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences."""

    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """What the blocks after it belong to."""

    text: str


@dataclass(frozen=True, slots=True)
class Button:
    """The one thing to do."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One of several things to look at, and a line for each of its notes."""

    text: str
    url: str
    notes: Sequence[str] = ()


Block = Paragraph | Heading | Button | Entry


@dataclass(frozen=True, slots=True)
class Letter:
    """What somebody is to read. `footer` says why they got it; `headers` are those beyond the usual ones."""

    address: str
    language: str
    subject: str
    blocks: Sequence[Block]
    footer: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def fold(text: str) -> str:
    """Return a name as one harmless line."""
    plain = "".join(" " if unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} else sign for sign in text)
    return " ".join(_TURNING.sub("", plain).split())


def to_text(letter: Letter) -> str:
    """Return the plain text."""
    parts = [_block_as_text(block) for block in letter.blocks]
    if letter.footer:
        parts.append("-- \n" + "\n".join(map(fold, letter.footer)))
    return "\n\n".join(parts) + "\n"


def to_html(letter: Letter) -> str:
    """Return the HTML: tables and inline styles are all that every reader of mail shows alike."""
    blocks = "\n".join(_block_as_html(block) for block in letter.blocks)
    footer = "<br>".join(_escape(line) for line in letter.footer)
    return _PAGE.format(language=letter.language, subject=_escape(letter.subject), blocks=blocks, footer=footer)


def _block_as_text(block: Block) -> str:
    match block:
        case Paragraph(text):
            return fold(text)
        case Heading(text):
            return f"== {fold(text)}"
        case Button(text, url):
            return f"{fold(text)}:\n{url}"
        case Entry(text, url, notes):
            return "\n".join([f"* {fold(text)}", *(f"  {fold(note)}" for note in notes), f"  {url}"])


def _block_as_html(block: Block) -> str:
    match block:
        case Paragraph(text):
            return f'<p style="margin:0 0 16px">{_escape(text)}</p>'
        case Heading(text):
            return f'<h2 style="margin:24px 0 8px;font-size:16px">{_escape(text)}</h2>'
        case Button(text, url):
            return _BUTTON.format(url=html.escape(url), text=_escape(text))
        case Entry(text, url, notes):
            lines = "".join(f'<br><span style="opacity:.75">{_escape(note)}</span>' for note in notes)
            link = f'<a href="{html.escape(url)}">{_escape(text)}</a>'
            return f'<p style="margin:0 0 12px">{link}{lines}</p>'


def _escape(text: str) -> str:
    return html.escape(fold(text))


_BUTTON: Final = (
    '<p style="margin:0 0 16px"><a href="{url}" style="display:inline-block;padding:10px 18px;border-radius:6px;'
    'background:#1769aa;color:#ffffff;text-decoration:none;font-weight:600">{text}</a></p>'
)
_PAGE: Final = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>{subject}</title></head>
<body style="margin:0;padding:24px">
<div style="max-width:560px;margin:0 auto;font:15px/1.5 system-ui,sans-serif">
{blocks}
<p style="margin:32px 0 0;font-size:13px;opacity:.75">{footer}</p>
</div>
</body>
</html>
"""
