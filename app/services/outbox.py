"""The outbox: mails as rows, written with what causes them, sent by any server, deleted once sent.

What a mail says is written when it is sent (`services.letters`): what has changed meanwhile is not told any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.mail.sending import Answer, Outcome
from app.models import Notification, OutgoingMail, PasswordReset
from app.security import new_id
from app.services.leases import fetch_unlocked, is_free, retry_wait

MAIL: Final = "mail"
"""The worker that is woken when there is something to send (`UnitOfWork.wake`)."""
KEPT: Final = timedelta(hours=24)
"""What could not be sent for so long comes too late."""
FIRST_RETRY_S: Final = 60.0


class MailKind(StrEnum):
    """What a mail is about."""

    INVITATION = "invitation"
    RESET = "reset"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mail that is to be sent. Whoever writes it makes sense of its kind and data: they may be a later version's."""

    id: UUID
    user_id: UUID | None
    address: str
    language: str
    kind: str
    data: str
    attempts: int
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    """How many mails wait, how many of them are due now, how many come too late."""

    waiting: int
    due: int
    expired: int


async def post(
    uow: UnitOfWork,
    kind: MailKind,
    *,
    address: str,
    language: str,
    data: Mapping[str, Any],
    user_id: UUID | None = None,
    kept: timedelta = KEPT,
) -> UUID:
    """Have a mail sent once this transaction has committed. Only ask where there is mail."""
    mail_id, now = new_id(), utc_now()
    row = {
        "id": mail_id,
        "user_id": user_id,
        "address": address,
        "language": language,
        "kind": kind.value,
        "data": orjson.dumps(data).decode(),
        "attempts": 0,
        "next_at": now,
        "leased_until": None,
        "created_at": now,
        "expires_at": now + kept,
    }
    await uow.execute(insert(OutgoingMail).values(row))
    uow.wake(MAIL)
    return mail_id


async def post_one(
    uow: UnitOfWork, kind: MailKind, *, user_id: UUID, address: str, language: str, kept: timedelta
) -> UUID | None:
    """Have one mail of this kind sent to somebody: the one that waits, kept anew, or another; None while it is sent."""
    theirs = (OutgoingMail.user_id == user_id, OutgoingMail.kind == kind.value)
    if (await uow.fetch(select(OutgoingMail.id).where(*theirs).limit(1))).one_or_none() is None:
        return await post(uow, kind, address=address, language=language, data={}, user_id=user_id, kept=kept)
    untouched = select(OutgoingMail.id).where(*theirs, OutgoingMail.leased_until.is_(None)).limit(1)
    mail_id: UUID | None = (await fetch_unlocked(uow, untouched, OutgoingMail)).scalar_one_or_none()
    if mail_id is not None:
        renewed = {"address": address, "language": language, "expires_at": utc_now() + kept}
        await uow.execute(update(OutgoingMail).where(OutgoingMail.id == mail_id).values(renewed))
    return mail_id


async def count(uow: UnitOfWork) -> Counts:
    """Return how many mails there are, for any server to send."""
    now = utc_now()
    is_due = (OutgoingMail.next_at <= now, is_free(OutgoingMail.leased_until, now))
    counts = select(func.count(), func.count().filter(*is_due), func.count().filter(_is_expired(now))).select_from(
        OutgoingMail
    )
    waiting, due, expired = (await uow.fetch(counts)).one()
    return Counts(waiting, due, expired)


async def drop_expired(uow: UnitOfWork) -> int:
    """Give up what comes too late; return how many mails that were."""
    gone = delete(OutgoingMail).where(_is_expired(utc_now())).returning(OutgoingMail.id)
    return len((await uow.execute(gone)).all())


async def claim(uow: UnitOfWork, *, lease_s: float) -> Waiting | None:
    """Take the mail that is due longest; nobody else gets it for `lease_s`."""
    now = utc_now()
    statement = (
        select(OutgoingMail)
        .where(OutgoingMail.next_at <= now, is_free(OutgoingMail.leased_until, now))
        .order_by(OutgoingMail.next_at)
        .limit(1)
    )
    row = (await fetch_unlocked(uow, statement, OutgoingMail)).one_or_none()
    if row is None:
        return None
    leased = {"leased_until": now + timedelta(seconds=lease_s), "attempts": row.attempts + 1}
    await uow.execute(update(OutgoingMail).where(OutgoingMail.id == row.id).values(leased))
    return Waiting(
        id=row.id,
        user_id=row.user_id,
        address=row.address,
        language=row.language,
        kind=row.kind,
        data=row.data,
        attempts=row.attempts + 1,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


async def hold(uow: UnitOfWork, mail: Waiting) -> bool:
    """Keep a mail as it is until the transaction ends; return whether it is still to be sent."""
    mine = select(OutgoingMail.id).where(OutgoingMail.id == mail.id)
    await uow.lock(mine)
    return (await uow.fetch(mine)).one_or_none() is not None


async def drop(uow: UnitOfWork, mail_id: UUID) -> None:
    """Send a mail no more: it was sent, is refused, or there is nothing to say."""
    await uow.execute(delete(OutgoingMail).where(OutgoingMail.id == mail_id))


async def release(uow: UnitOfWork, mail: Waiting) -> None:
    """Put a mail back that was not tried."""
    untried = {"leased_until": None, "attempts": mail.attempts - 1}
    await uow.execute(update(OutgoingMail).where(OutgoingMail.id == mail.id).values(untried))


async def finish(uow: UnitOfWork, mail: Waiting, answer: Answer, *, jitter: float) -> bool:
    """Note what became of a mail: sent, given up, or to be tried again; return whether it was given up."""
    next_at = utc_now() + retry_wait(FIRST_RETRY_S, mail.attempts, jitter)
    is_over = answer.outcome is not Outcome.LATER or next_at >= mail.expires_at
    if is_over:
        await drop(uow, mail.id)
    else:
        later = {"next_at": next_at, "leased_until": None}
        await uow.execute(update(OutgoingMail).where(OutgoingMail.id == mail.id).values(later))
    return is_over and answer.outcome is not Outcome.SENT


async def forget_all(uow: UnitOfWork) -> None:
    """Send nothing of what waits in an earlier state of the database: it was sent since, or comes too late.

    Nor does a link for a new password that was used since open anything again.
    """
    await uow.sweep(delete(OutgoingMail))
    await uow.sweep(delete(PasswordReset))
    await uow.sweep(update(Notification).where(Notification.mail_at.is_not(None)).values(mail_at=None))


def _is_expired(now: datetime) -> ColumnElement[bool]:
    return and_(OutgoingMail.expires_at <= now, is_free(OutgoingMail.leased_until, now))
