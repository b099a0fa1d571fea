"""What a mail says, in the reader's language."""

from typing import Final

from app.wording import Wording

TEXTS: Final = Wording("app.mail")
word = TEXTS.word
