"""Pushing: what is on its way to the devices of each person, in rows that any server may take.

A notification is first on its way to somebody, then, once its time has come, to each of their devices. A row is leased
for as long as a server tries; one whose server died is taken by another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
import structlog
from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import format_time, utc_now
from app.domain.notifying import Kind
from app.models import Notification, Project, PushDelivery, PushSubscription, Session, User
from app.push.sending import Answer, Outcome, Push, Urgency
from app.push.wording import word
from app.schemas import notifications as schemas
from app.services.access import Record
from app.services.deliveries import CLOSE, PUSH, SHOW, TEST, delivery
from app.services.headlines import headline, subject_of
from app.services.inbox_rows import IS_UNREAD, only_shown, select_inbox, to_notification
from app.services.leases import fetch_unlocked, is_free, retry_wait
from app.services.standing import is_good

LEASE: Final = timedelta(minutes=1)
MAX_ATTEMPTS: Final = 16
KEPT: Final = timedelta(hours=24)
"""What could not be delivered for so long is of no use any more."""
FIRST_RETRY_S: Final = 5.0
"""The last of `MAX_ATTEMPTS` is some eleven hours after the first."""
ADDRESSED_AT_ONCE: Final = 200
"""Rows in one transaction."""
_log = structlog.get_logger(__name__)
_URGENT: Final = frozenset({Kind.MENTIONED, Kind.ASSIGNED, Kind.DUE_SOON, Kind.OVERDUE})


@dataclass(frozen=True, slots=True)
class Parcel:
    """One push to one device; `push` is None when there is nothing to say any more."""

    delivery_id: UUID
    subscription_id: UUID
    service: str
    """What the addresses of its push service begin with."""
    notification_id: UUID | None
    kind: str
    attempts: int
    push: Push | None


async def claim(uow: UnitOfWork, *, limit: int, except_to: Sequence[str] = ()) -> list[Parcel]:
    """Take what is due, for `LEASE`, leaving out some push services; nobody else gets it meanwhile."""
    now = utc_now()
    waits = or_(PushSubscription.retry_at.is_(None), PushSubscription.retry_at <= now)
    due = (
        select(PushDelivery.id)
        .join(PushSubscription, PushSubscription.id == PushDelivery.subscription_id)
        .where(
            PushDelivery.due_at <= now,
            is_free(PushDelivery.leased_until, now),
            waits,
            *(~_is_at(service) for service in except_to),
        )
        .order_by(PushDelivery.due_at)
        .limit(limit)
    )
    ids = list((await fetch_unlocked(uow, due, PushDelivery)).scalars())
    if not ids:
        return []
    leased = {"leased_until": now + LEASE, "attempts": PushDelivery.attempts + 1}
    await uow.execute(update(PushDelivery).where(PushDelivery.id.in_(ids)).values(leased))
    return await _pack(uow, ids, now)


async def finish(uow: UnitOfWork, parcel: Parcel, answer: Answer, *, jitter: float) -> None:
    """Note what became of a push: sent, to be tried again later (`jitter` of 0 to 1 spreads that), or given up.

    The delivery's row is changed last: whoever marks a notification holds that first, and then wants its deliveries.
    """
    if answer.outcome is Outcome.GONE:
        await uow.execute(delete(PushSubscription).where(PushSubscription.id == parcel.subscription_id))
        return
    now = utc_now()
    mine = PushDelivery.id == parcel.delivery_id
    subscription = update(PushSubscription).where(PushSubscription.id == parcel.subscription_id)
    if answer.outcome is Outcome.SENT:
        await uow.execute(subscription.values(last_used_at=now))
        if parcel.kind == SHOW and parcel.notification_id is not None:
            await _note_shown(uow, parcel.notification_id, parcel, now)
    if answer.outcome in {Outcome.SENT, Outcome.REFUSED} or parcel.attempts >= MAX_ATTEMPTS:
        await uow.execute(delete(PushDelivery).where(mine))
        return
    wait = max(retry_wait(FIRST_RETRY_S, parcel.attempts, jitter), timedelta(seconds=answer.retry_after_s or 0))
    if answer.retry_after_s:
        await uow.execute(subscription.values(retry_at=now + wait))
    await uow.execute(update(PushDelivery).where(mine).values(due_at=now + wait, leased_until=None))


async def _note_shown(uow: UnitOfWork, notification_id: UUID, parcel: Parcel, now: datetime) -> None:
    """Note that a device shows a notification; have one that was read or deleted meanwhile taken away from there."""
    row = Notification.id == notification_id
    await uow.lock(select(Notification.id).where(row))
    is_shown = Notification.id.in_(only_shown(select(Notification.id)).where(row))
    shown = update(Notification).where(row, *IS_UNREAD, is_shown).values(pushed_at=now).returning(Notification.id)
    if (await uow.execute(shown)).one_or_none() is not None:
        return
    owner = (await uow.fetch(select(Notification.user_id).where(row))).scalar_one_or_none()
    if owner is not None:
        late = delivery(owner, notification_id, CLOSE, due_at=now, now=now)
        await uow.execute(insert(PushDelivery).values(late | {"subscription_id": parcel.subscription_id}))
        uow.wake(PUSH)


async def count_waiting(uow: UnitOfWork) -> int:
    """Return how many pushes wait to be sent, by any server."""
    return int((await uow.fetch(select(func.count()).select_from(PushDelivery))).scalar_one())


async def address(uow: UnitOfWork) -> bool:
    """Turn what is due to somebody into what is due to each of their devices; return whether there may be more."""
    now = utc_now()
    due = (
        select(PushDelivery.id, PushDelivery.user_id, PushDelivery.notification_id, PushDelivery.kind)
        .where(PushDelivery.due_at <= now, PushDelivery.subscription_id.is_(None))
        .order_by(PushDelivery.due_at)
        .limit(ADDRESSED_AT_ONCE)
    )
    rows = (await fetch_unlocked(uow, due, PushDelivery)).all()
    if not rows:
        return False
    statement = (
        select(PushSubscription.id, PushSubscription.user_id)
        .join(Session, Session.id == PushSubscription.session_id)
        .join(User, User.id == PushSubscription.user_id)
        .where(PushSubscription.user_id.in_({row.user_id for row in rows}), is_good(now))
    )
    devices = (await uow.fetch(statement)).all()
    addressed = [
        delivery(row.user_id, row.notification_id, row.kind, due_at=now, now=now) | {"subscription_id": device.id}
        for row in rows
        for device in devices
        if device.user_id == row.user_id
    ]
    if addressed:
        await uow.execute(insert(PushDelivery), addressed)
    await uow.execute(delete(PushDelivery).where(PushDelivery.id.in_([row.id for row in rows])))
    return len(rows) == ADDRESSED_AT_ONCE


def _service(endpoint: str) -> str:
    scheme, _, rest = endpoint.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/"


def _is_at(service: str) -> ColumnElement[bool]:
    return PushSubscription.endpoint.startswith(service, autoescape=True)


async def _pack(uow: UnitOfWork, ids: Sequence[UUID], now: datetime) -> list[Parcel]:
    statement = (
        select(
            PushDelivery.id.label("delivery_id"),
            PushDelivery.subscription_id,
            PushDelivery.notification_id,
            PushDelivery.kind,
            PushDelivery.attempts,
            PushDelivery.created_at,
            PushSubscription.endpoint,
            PushSubscription.p256dh,
            PushSubscription.auth,
            User.language,
            Project.hide_titles_in_push,
            is_good(now).label("is_signed_in"),
        )
        .select_from(PushDelivery)
        .join(PushSubscription, PushSubscription.id == PushDelivery.subscription_id)
        .join(Session, Session.id == PushSubscription.session_id)
        .join(User, User.id == PushSubscription.user_id)
        .outerjoin(Notification, Notification.id == PushDelivery.notification_id)
        .outerjoin(Project, Project.id == Notification.project_id)
        .where(PushDelivery.id.in_(ids))
    )
    rows = (await uow.fetch(statement)).all()
    wanted = [row.notification_id for row in rows if row.kind == SHOW]
    inbox = select_inbox().where(Notification.id.in_(wanted), *IS_UNREAD)
    unread = {row.id: row for row in (await uow.fetch(inbox)).all()} if wanted else {}
    return [_parcel(row, unread.get(row.notification_id), now) for row in rows]


def _parcel(row: Record, unread: Record | None, now: datetime) -> Parcel:
    try:
        push = _push(row, to_notification(unread) if unread is not None else None, now)
    except Exception:  # noqa: BLE001 - what cannot be read is dropped, and holds up no other push
        _log.exception("push_not_written", delivery_id=str(row.delivery_id))
        push = None
    return Parcel(
        row.delivery_id,
        row.subscription_id,
        _service(row.endpoint),
        row.notification_id,
        row.kind,
        row.attempts,
        push,
    )


def _push(row: Record, shown: schemas.Notification | None, now: datetime) -> Push | None:
    payload: dict[str, Any] | None = None
    ttl_s = int((row.created_at + KEPT - now).total_seconds())
    if ttl_s <= 0 or not row.is_signed_in:
        pass
    elif row.kind == TEST:
        texts = {"title": word(row.language, "test.title"), "body": word(row.language, "test")}
        payload = {"type": "show", "tag": "test", "url": "/inbox", "task_id": None} | texts
    elif row.kind == CLOSE:
        payload = {"type": "close", "tag": str(row.notification_id)}
    elif shown is not None:
        payload = _show(shown, row.language, hides_titles=row.hide_titles_in_push)
    if payload is None:
        return None
    is_urgent = shown is not None and shown.kind in _URGENT
    return Push(
        endpoint=row.endpoint,
        p256dh=row.p256dh,
        auth=row.auth,
        payload=orjson.dumps(payload),
        ttl_s=ttl_s,
        urgency=Urgency.HIGH if is_urgent else Urgency.NORMAL,
        topic=row.notification_id.hex if row.notification_id else None,
    )


def _show(shown: schemas.Notification, language: str, *, hides_titles: bool) -> dict[str, Any]:
    """Return what a device shows: what happened, and to which card."""
    return {
        "type": "show",
        "tag": str(shown.id),
        "title": subject_of(shown, hides_titles=hides_titles),
        "body": headline(shown, language, hides_titles=hides_titles),
        "url": f"/t/{shown.task_key}" if shown.task_key else "/inbox",
        "task_id": str(shown.task_id) if shown.task_id else None,
        "timestamp": format_time(shown.updated_at),
        "actions": [{"action": name, "title": word(language, f"action.{name}")} for name in ("open", "read")],
    }
