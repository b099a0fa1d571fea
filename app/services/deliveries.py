"""Rows of what is to be pushed; `services.push` addresses them to devices, and any server sends them."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.models import Notification, PushDelivery
from app.security import new_id

PUSH: Final = "push"
"""The worker that is woken when there is something to push (`UnitOfWork.wake`)."""
SHOW: Final = "show"
CLOSE: Final = "close"
TEST: Final = "test"
MOST_SHOWN: Final = 50
"""So many a device shows at most (Android drops what is more), and so many are taken away there: the latest."""


def delivery(
    user_id: UUID, notification_id: UUID | None, kind: str, *, due_at: datetime, now: datetime
) -> dict[str, Any]:
    """Return a row of what is to be pushed: `show` or `close` a notification, or a `test`."""
    return {
        "id": new_id(),
        "user_id": user_id,
        "notification_id": notification_id,
        "subscription_id": None,
        "kind": kind,
        "due_at": due_at,
        "attempts": 0,
        "leased_until": None,
        "created_at": now,
    }


async def close_pushes(uow: UnitOfWork, which: ColumnElement[bool], now: datetime) -> None:
    """Have what devices show of some notifications, however many, taken away there; leave out what was not sent yet.

    The notifications are held first: whoever notes that one was sent holds it, and then wants its delivery.
    """
    await uow.lock_all(select(Notification.id).where(which).order_by(Notification.id))
    waiting = PushDelivery.notification_id.in_(select(Notification.id).where(which))
    await uow.sweep(delete(PushDelivery).where(waiting, PushDelivery.kind == SHOW))
    shown = (which, Notification.pushed_at.is_not(None))
    age = func.row_number().over(partition_by=Notification.user_id, order_by=Notification.pushed_at.desc())
    aged = select(Notification.id, Notification.user_id, age.label("age")).where(*shown).subquery()
    latest = select(aged.c.id, aged.c.user_id).where(aged.c.age <= MOST_SHOWN)
    closed = (await uow.fetch(latest)).all()
    await uow.sweep(update(Notification).where(*shown).values(pushed_at=None))
    rows = [delivery(row.user_id, row.id, CLOSE, due_at=now, now=now) for row in closed]
    if rows:
        await uow.execute(insert(PushDelivery), rows)
        uow.wake(PUSH)
