"""A person's stream: what is said in it next, in the transaction of what it tells of, and what was said before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.domain.events import Event, Notice
from app.models import LoggedNotice, User
from app.models import Notification as NotificationRow
from app.schemas.notifications import Notification
from app.services.history import LogHead
from app.services.inbox_rows import count_unread, find_shown, unread_of


@dataclass(frozen=True, slots=True)
class Told:
    """What a stream says next. `shown` is the row it is about; None: it is about many."""

    user_id: UUID
    seq: int
    action: str
    shown: Notification | None = None
    project_id: UUID | None = None


async def advance(uow: UnitOfWork, user_ids: Sequence[UUID], *, by: int = 1) -> dict[UUID, int]:
    """Take the next place in the streams of some people, or the next few; return the last of each.

    Their rows are held from here on.
    """
    ids = sorted(set(user_ids))
    await uow.lock(select(User.id).where(User.id.in_(ids)).order_by(User.id))
    statement = (
        update(User).where(User.id.in_(ids)).values(notice_seq=User.notice_seq + by).returning(User.id, User.notice_seq)
    )
    return {row.id: row.notice_seq for row in (await uow.execute(statement)).all()}


async def publish(uow: UnitOfWork, told: Sequence[Told], now: datetime) -> None:
    """Write what some streams say next, and send it after the commit."""
    rows = [
        {
            "user_id": one.user_id,
            "seq": one.seq,
            "timestamp": now,
            "action": one.action,
            "notification_id": one.shown.id if one.shown else None,
            "project_id": one.project_id,
        }
        for one in told
    ]
    await uow.execute(insert(LoggedNotice), rows)
    unread = await count_unread(uow, [one.user_id for one in told])
    for one in told:
        uow.events.append(
            Notice.make(
                one.user_id, one.seq, now, _encode(one.action, one.shown, one.project_id, unread.get(one.user_id, 0))
            )
        )


async def tell_of_change(uow: UnitOfWork, about: ColumnElement[bool]) -> None:
    """Tell everybody who has rows `about` something that was put away, or came back, that their inbox is another."""
    readers = (await uow.fetch(select(NotificationRow.user_id).where(about).distinct())).scalars().all()
    if readers:
        seqs = await advance(uow, readers)
        await publish(uow, [Told(user_id, seq, "changed") for user_id, seq in seqs.items()], utc_now())


async def read_notices(uow: UnitOfWork, user_id: UUID, since: int, limit: int) -> list[Event]:
    """Return up to `limit` notices of somebody's stream after number `since`, in order.

    Each shows the row of the inbox as it is now; none where it is gone or may not be seen any more.
    """
    statement = (
        select(LoggedNotice)
        .where(LoggedNotice.user_id == user_id, LoggedNotice.seq > since)
        .order_by(LoggedNotice.seq)
        .limit(limit)
    )
    notices = (await uow.fetch(statement)).all()
    ids = {notice.notification_id for notice in notices if notice.notification_id is not None}
    shown = await find_shown(uow, sorted(ids))
    unread = await unread_of(uow, user_id) if notices else 0
    return [
        Notice.make(
            user_id,
            notice.seq,
            notice.timestamp,
            _encode(notice.action, shown.get(notice.notification_id), notice.project_id, unread),
        )
        for notice in notices
    ]


async def read_heads(uow: UnitOfWork, user_ids: Sequence[UUID]) -> dict[UUID, LogHead]:
    """Return where the streams of some people stand; unknown ones are left out."""
    statement = select(User.id, User.notice_epoch, User.notice_seq, User.notice_floor).where(User.id.in_(user_ids))
    return {id_: LogHead(epoch, seq, floor) for id_, epoch, seq, floor in (await uow.fetch(statement)).all()}


def _encode(action: str, shown: Notification | None, project_id: UUID | None, unread: int) -> bytes:
    """Return the `data` of a notice."""
    return orjson.dumps(
        {
            "action": action,
            "notification": shown.model_dump(mode="json") if shown else None,
            "project_id": str(project_id) if project_id else None,
            "unread": unread,
        }
    )
