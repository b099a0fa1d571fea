"""What a digest says, when it is sent: what its reader has not read until then and may still see and want."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final

from app.db.unit_of_work import UnitOfWork
from app.domain.notifying import Kind
from app.mail.letters import Block, Button, Entry, Heading, Letter, Paragraph
from app.mail.wording import word
from app.models import Notification as NotificationRow
from app.services.access import Record
from app.services.digests import Reader, find_reader, find_unread
from app.services.headlines import headline, subject_of
from app.services.inbox_rows import SEEN_BY_OUTSIDERS, to_notification
from app.services.mailing import Mailing
from app.services.outbox import Waiting

LINES: Final = 20
"""More than that nobody reads; the rest is counted."""
_REMINDERS: Final = frozenset({Kind.DUE_SOON, Kind.OVERDUE})
_DATE_LENGTH: Final = len("2026-11-25")


async def write_digest(uow: UnitOfWork, mailing: Mailing, mail: Waiting) -> Letter | None:
    """Return the digest; None when there is nothing left to tell."""
    reader = await find_reader(uow, mail.user_id) if mail.user_id else None
    if reader is None or (after := reader.wishes.digest_after) is None:
        return None
    rows = [row for row in await find_unread(uow, reader, NotificationRow.digest_id == mail.id) if reader.wants(row)]
    if not rows:
        return None
    language, token = reader.language, mailing.unsubscribe_token(reader.id)
    blocks: list[Block] = [*_write_projects(reader, mailing, rows[:LINES])]
    if len(rows) > LINES:
        blocks.append(Paragraph(word(language, "digest.more", count=len(rows) - LINES)))
    blocks.append(Button(word(language, "digest.button"), f"{mailing.base_url}/inbox"))
    blocks.append(Entry(word(language, "digest.stop"), mailing.unsubscribe_page(token)))
    hours = word(language, "hours", count=after // timedelta(hours=1))
    return Letter(
        mail.address,
        language,
        word(language, "digest.subject", count=len(rows)),
        blocks,
        [word(language, "footer.why", host=mailing.host), word(language, "digest.footer", time=hours)],
        mailing.unsubscribe_headers(token),
    )


def _write_projects(reader: Reader, mailing: Mailing, rows: Sequence[Record]) -> Iterator[Block]:
    """Yield the rows by project and task; what comes first in `rows` comes first."""
    place = {key: at for at, row in reversed([*enumerate(rows)]) for key in (row.project_id, _subject_key(row))}
    ordered = sorted(rows, key=lambda row: (place[row.project_id], place[_subject_key(row)]))
    for _, of_project in groupby(ordered, lambda row: row.project_id):
        rest = [*of_project]
        yield Heading(rest[0].project_name)
        for _, of_subject in groupby(rest, _subject_key):
            yield _write_subject(reader, mailing, [*of_subject])


def _subject_key(row: Record) -> tuple[object, object]:
    """One task; what is about the project itself stands alone."""
    return (row.project_id, row.task_id or row.id)


def _write_subject(reader: Reader, mailing: Mailing, rows: Sequence[Record]) -> Entry:
    first = to_notification(rows[0])
    if first.task_key:
        path = f"/t/{first.task_key}"
    else:
        path = "/inbox" if first.kind in SEEN_BY_OUTSIDERS else f"/p/{first.project_id}"
    subject = subject_of(first, hides_titles=rows[0].hide_titles_in_push)
    return Entry(subject, mailing.base_url + path, [_write_line(reader, row) for row in rows])


def _write_line(reader: Reader, row: Record) -> str:
    """Return what happened, when, and why it is told."""
    language, shown = reader.language, to_notification(row)
    what = headline(shown, language, hides_titles=row.hide_titles_in_push)
    if shown.kind in _REMINDERS:
        what = f"{what}: {_write_due(reader, shown.details['due'])}"
    when = word(language, "moment", time=shown.updated_at.astimezone(reader.zone))
    return word(language, "digest.line", what=what, when=when, why=word(language, f"why.{shown.why}"))


def _write_due(reader: Reader, due: str) -> str:
    if len(due) == _DATE_LENGTH:
        return word(reader.language, "day", time=date.fromisoformat(due))
    return word(reader.language, "moment", time=datetime.fromisoformat(due).astimezone(reader.zone))
