"""What a push says, in the reader's language."""

from typing import Final

from app.wording import Wording

TEXTS: Final = Wording("app.push")
word = TEXTS.word
has_word = TEXTS.has
