"""Rows of what is to be pushed; `services.push` addresses them to devices, and any server sends them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, insert, update

from app.db.unit_of_work import UnitOfWork
from app.models import Notification, PushDelivery
from app.security import new_id

PUSH: Final = "push"
"""The worker that is woken when there is something to push (`UnitOfWork.wake`)."""
SHOW: Final = "show"
CLOSE: Final = "close"
TEST: Final = "test"


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


async def close_pushes(uow: UnitOfWork, user_id: UUID, ids: Sequence[UUID], now: datetime) -> None:
    """Have what devices show taken away there, and leave out what was not sent yet."""
    mine = (PushDelivery.user_id == user_id, PushDelivery.notification_id.in_(ids), PushDelivery.kind == SHOW)
    await uow.execute(delete(PushDelivery).where(*mine))
    shown = (Notification.id.in_(ids), Notification.pushed_at.is_not(None))
    closed = update(Notification).where(*shown).values(pushed_at=None).returning(Notification.id)
    rows = [delivery(user_id, row.id, CLOSE, due_at=now, now=now) for row in (await uow.execute(closed)).all()]
    if rows:
        await uow.execute(insert(PushDelivery), rows)
        uow.wake(PUSH)
