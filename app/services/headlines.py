"""A notification in words, in its reader's language: what happened, and to what. The texts are those of pushes."""

from app.push.wording import has_word, word
from app.schemas.notifications import Notification


def subject_of(shown: Notification, *, hides_titles: bool) -> str:
    """Return what it is about: the card, else the project."""
    subject = shown.task_key or shown.project_name
    return f"{subject} {shown.task_title}" if shown.task_title and not hides_titles else subject


def headline(shown: Notification, language: str, *, hides_titles: bool) -> str:
    """Return what happened; without a word of the card where titles hide."""
    values = {
        "actor": shown.actor_name or word(language, "somebody"),
        "count": shown.count,
        "excerpt": shown.excerpt or "",
        "project": shown.project_name,
        "status": shown.details.get("column", ""),
    }
    key = shown.kind.value
    if hides_titles:
        key = f"{key}.hidden" if has_word(f"{key}.hidden") else key
    elif shown.excerpt and has_word(f"{key}.text"):
        key = f"{key}.text"
    return word(language, key if has_word(key) else "other", **values)
