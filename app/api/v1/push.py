"""Pushing to browsers: what they subscribe to, and the devices one has."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from app.api.deps import Context, CurrentUser, Paging, Signed, Transaction
from app.api.problems import CHANGE_RESPONSES
from app.api.transactions import TransactionalRoute
from app.schemas.base import Page
from app.schemas.push import PushDevice, PushDeviceCreate, PushKey
from app.services import devices

router = APIRouter(prefix="/push", tags=["push"], route_class=TransactionalRoute, responses=CHANGE_RESPONSES)


async def _checked_device(context: Context, claims: Signed, body: PushDeviceCreate) -> PushDeviceCreate:
    """A name is looked up, for who is signed in, before the transaction begins: others would wait for that."""
    await context.device_checks.check(claims.user_id, body)
    return body


CheckedDevice = Annotated[PushDeviceCreate, Depends(_checked_device)]


@router.get("/key")
async def get_key(context: Context, actor: CurrentUser) -> PushKey:
    """Read what a browser subscribes to."""
    del actor
    return PushKey(public_key=context.push_key.public)


@router.get("/devices")
async def list_devices(uow: Transaction, actor: CurrentUser, page: Paging) -> Page[PushDevice]:
    """List the browsers one's notifications are pushed to."""
    return await devices.list_devices(uow, actor, cursor=page.cursor, limit=page.limit)


@router.post("/devices", status_code=201)
async def add_device(body: CheckedDevice, uow: Transaction, actor: CurrentUser) -> PushDevice:
    """Have notifications pushed to a browser, until its session ends."""
    return await devices.add_device(uow, actor, body)


@router.delete("/devices/{device_id}", status_code=204)
async def remove_device(uow: Transaction, actor: CurrentUser, device_id: UUID) -> None:
    """Push to a browser no more."""
    await devices.remove_device(uow, actor, device_id)


@router.post("/devices/{device_id}/test", status_code=204)
async def test_device(uow: Transaction, actor: CurrentUser, device_id: UUID) -> None:
    """Have something shown on a device at once."""
    await devices.test_device(uow, actor, device_id)
