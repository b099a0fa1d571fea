"""Administration of the server, for its administrators."""

import shutil
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

import app
from app.api.checks import works
from app.api.context import ApiContext
from app.api.deps import Context, CurrentUser, Transaction
from app.api.problems import CHANGE_RESPONSES
from app.api.transactions import TransactionalRoute
from app.schemas.admin import AdminUser, AdminUserFilter, AdminUserUpdate, BackupHealth, BrokerHealth, Health
from app.schemas.base import Page
from app.services import admin

router = APIRouter(prefix="/admin", tags=["admin"], route_class=TransactionalRoute, responses=CHANGE_RESPONSES)


@router.get("/users")
async def list_users(
    uow: Transaction, actor: CurrentUser, wanted: Annotated[AdminUserFilter, Query()]
) -> Page[AdminUser]:
    """List all accounts, or with `q` those with it in the name or the e-mail address."""
    return await admin.list_users(uow, actor, wanted)


@router.patch("/users/{user_id}")
async def update_user(uow: Transaction, actor: CurrentUser, user_id: UUID, body: AdminUserUpdate) -> AdminUser:
    """Keep an account out or let it in again, make it an administrator's or not."""
    return await admin.update_user(uow, actor, user_id, body)


@router.get("/health")
async def read_health(uow: Transaction, actor: CurrentUser, context: Context) -> Health:
    """See how the server is: version, database, broker, disk, backup."""
    admin.require_admin(actor)
    return Health(
        version=app.__version__,
        database=await admin.examine_database(uow, is_sqlite=context.database.is_sqlite),
        broker=BrokerHealth(
            kind="redis" if context.settings.redis_url else "memory", connected=await works(context.broker.ping())
        ),
        data_free_bytes=_free_bytes(context),
        backup=BackupHealth(last_at=context.last_backup_at()),
        uptime_s=context.socket_stats(details=False)["uptime_s"],
    )


def _free_bytes(context: ApiContext) -> int | None:
    try:
        return shutil.disk_usage(context.settings.data_dir).free
    except OSError:
        return None
