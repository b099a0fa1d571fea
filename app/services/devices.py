"""The browsers somebody lets us push to: each named by its push service's address, and good while signed in there."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, select

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.errors import Conflict, NotFound
from app.models import PushDelivery, PushSubscription
from app.schemas.base import Page, decode_cursor, make_page
from app.schemas.push import PushDevice, PushDeviceCreate
from app.security import digest, new_id
from app.services.access import Actor, Record
from app.services.deliveries import PUSH, TEST, delivery

MAX_DEVICES: Final = 20
_NO_DEVICE: Final = "no such device of yours"


async def list_devices(uow: UnitOfWork, actor: Actor, *, cursor: str | None, limit: int) -> Page[PushDevice]:
    """Return a page of the actor's devices, oldest first."""
    statement = _devices(actor).order_by(PushSubscription.id).limit(limit + 1)
    if after := decode_cursor(cursor, UUID):
        statement = statement.where(PushSubscription.id > after[0])
    found = [_to_device(row, actor) for row in (await uow.fetch(statement)).all()]
    return make_page(found, limit, lambda device: (device.id,))


async def add_device(uow: UnitOfWork, actor: Actor, body: PushDeviceCreate) -> PushDevice:
    """Push to a browser from now on, until its session ends. A browser that changed hands is its new owner's alone."""
    mark = digest(body.endpoint)
    await uow.execute(delete(PushSubscription).where(PushSubscription.digest == mark))
    count = (await uow.fetch(select(func.count()).where(PushSubscription.user_id == actor.user_id))).scalar_one()
    if count >= MAX_DEVICES:
        message = f"one person has at most {MAX_DEVICES} devices; remove one first"
        raise Conflict(message)
    device = PushDevice(id=new_id(), label=body.label or "", created_at=utc_now(), last_used_at=None, current=True)
    row = device.model_dump(exclude={"current"}) | {
        "user_id": actor.user_id,
        "session_id": actor.session_id,
        "digest": mark,
        "endpoint": body.endpoint,
        "p256dh": body.keys.p256dh,
        "auth": body.keys.auth,
        "retry_at": None,
    }
    await uow.execute(insert(PushSubscription).values(row))
    return device


async def remove_device(uow: UnitOfWork, actor: Actor, device_id: UUID) -> None:
    """Push to a device no more."""
    mine = (PushSubscription.id == device_id, PushSubscription.user_id == actor.user_id)
    gone = await uow.execute(delete(PushSubscription).where(*mine).returning(PushSubscription.id))
    if gone.one_or_none() is None:
        raise NotFound(_NO_DEVICE)


async def test_device(uow: UnitOfWork, actor: Actor, device_id: UUID) -> None:
    """Send a device something to show at once."""
    row = (await uow.fetch(_devices(actor).where(PushSubscription.id == device_id))).one_or_none()
    if row is None:
        raise NotFound(_NO_DEVICE)
    now = utc_now()
    values = delivery(actor.user_id, None, TEST, due_at=now, now=now) | {"subscription_id": device_id}
    await uow.execute(insert(PushDelivery).values(values))
    uow.wake(PUSH)


def _devices(actor: Actor) -> Select[*tuple[Any, ...]]:
    return select(PushSubscription).where(PushSubscription.user_id == actor.user_id)


def _to_device(row: Record, actor: Actor) -> PushDevice:
    return PushDevice(
        id=row.id,
        label=row.label,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        current=row.session_id == actor.session_id,
    )
