"""Digests: who is mailed what stayed unread, once, whatever the number of servers.

When it was told, a row of the inbox got a `mail_at` if its reader wants it mailed. When that has come, what is still
unread goes into one mail: the mail and the mark on its rows are written in one transaction, under the reader's lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, bindparam, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import zone_of
from app.domain.notifying import Kind, Watching, Why, Wishes, wants_digest
from app.models import Notification, NotificationSettings, Project, TaskWatch, User
from app.services.access import Record
from app.services.inbox_rows import IS_UNREAD, only_shown, select_inbox
from app.services.outbox import MailKind, post_one
from app.services.wishes import to_wishes

LATE: Final = timedelta(days=7)
"""What could not be mailed for so long, as while there was no mail or its server was away, is mailed no more."""
AT_ONCE: Final = 500
"""Rows in one mail, which names the first of them and counts the rest."""
_MAIL_LATER = update(Notification).where(Notification.id == bindparam("row")).values(mail_at=bindparam("later"))


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may be mailed a digest."""

    id: UUID
    address: str
    language: str
    zone: ZoneInfo
    wishes: Wishes

    def wants(self, row: Record) -> bool:
        """Whether they want a row of their inbox mailed, as things are now."""
        watching = Watching(row.watching or Watching.DEFAULT)
        return wants_digest(Kind(row.kind), Why(row.why), self.wishes, row.project_id, watching)


async def find_due(uow: UnitOfWork, now: datetime) -> list[UUID]:
    """Return who has something unread whose time to be mailed has come."""
    statement = only_shown(select(Notification.user_id)).where(
        Notification.mail_at.between(now - LATE, now), *IS_UNREAD
    )
    return sorted(set((await uow.fetch(statement)).scalars()))


async def gather(uow: UnitOfWork, user_id: UUID, now: datetime) -> bool:
    """Put what is due to somebody into a mail; return whether there is one.

    What comes meanwhile waits for the next mail, which is sent no sooner than they want to be mailed after. One that
    could not be sent yet takes in what is due since: when the mail server is back, everybody gets one.
    """
    await uow.lock(select(User.id).where(User.id == user_id))
    reader = await find_reader(uow, user_id)
    waiting = (Notification.user_id == user_id, Notification.mail_at.is_not(None))
    if reader is None or reader.wishes.digest_after is None:
        await uow.execute(update(Notification).where(*waiting).values(mail_at=None))
        return False
    if reader.wishes.quiet and (quiet_until := reader.wishes.quiet.end_after(now, reader.zone)):
        await uow.execute(update(Notification).where(*waiting, Notification.mail_at <= now).values(mail_at=quiet_until))
        return False
    after = reader.wishes.digest_after
    rows = await find_unread(uow, reader, Notification.mail_at <= now)
    wanted = [row for row in rows if reader.wants(row) and now - LATE < row.updated_at + after]
    ripe = [row.id for row in wanted if row.updated_at + after <= now]
    later = [{"row": row.id, "later": row.updated_at + after} for row in wanted if row.updated_at + after > now]
    dropped = {row.id for row in rows} - {row.id for row in wanted}
    await uow.execute(update(Notification).where(Notification.id.in_(dropped)).values(mail_at=None))
    if later:
        await uow.execute(_MAIL_LATER, later)
    if not ripe:
        return False
    mail_id = await post_one(
        uow, MailKind.DIGEST, user_id=user_id, address=reader.address, language=reader.language, kept=LATE
    )
    if mail_id is None:
        return False  # until the one that is being sent has gone
    in_it = update(Notification).where(Notification.id.in_(ripe))
    await uow.execute(in_it.values(mail_at=None, digest_id=mail_id))
    still_told = Notification.updated_at > now - LATE - after  # read ones too: they may be marked unread again
    early = update(Notification).where(*waiting, still_told, Notification.mail_at < now + after)
    await uow.execute(early.values(mail_at=now + after))
    return True


async def find_reader(uow: UnitOfWork, user_id: UUID) -> Reader | None:
    """Return somebody as who may be mailed; None: they have no account, or may not use it."""
    statement = (
        select(User, NotificationSettings.settings)
        .outerjoin(NotificationSettings, NotificationSettings.user_id == User.id)
        .where(User.id == user_id, User.is_active)
    )
    row = (await uow.fetch(statement)).one_or_none()
    if row is None:
        return None
    return Reader(row.id, row.email, row.language, zone_of(row.time_zone), to_wishes(row.settings))


async def find_unread(uow: UnitOfWork, reader: Reader, which: ColumnElement[bool]) -> Sequence[Record]:
    """Return what somebody may see, has not read, of these rows of their inbox, the latest first."""
    watch = (TaskWatch.task_id == Notification.task_id) & (TaskWatch.user_id == Notification.user_id)
    statement = (
        select_inbox()
        .add_columns(TaskWatch.state.label("watching"), Project.hide_titles_in_push)
        .outerjoin(TaskWatch, watch)
        .where(Notification.user_id == reader.id, *IS_UNREAD, which)
        .order_by(Notification.updated_at.desc(), Notification.id)
        .limit(AT_ONCE)
    )
    rows: Sequence[Record] = (await uow.fetch(statement)).all()
    return rows
