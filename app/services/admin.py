"""Administration of the server: its accounts, and how its database is. For administrators alone."""

import time
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, column, func, literal_column, or_, select, table, text, update

from app.db.unit_of_work import UnitOfWork
from app.errors import Forbidden, LastAdmin, NotFound, OwnAccount
from app.models import Member, Project
from app.models import Session as SessionRow
from app.models import User as UserRow
from app.schemas.admin import AdminUser, AdminUserFilter, AdminUserUpdate, DatabaseHealth
from app.schemas.base import Page, decode_cursor, make_page
from app.services import facts, sessions, users
from app.services.access import Actor, Record

_ADMINISTRATORS: Final = "administrators"
"""Who administers is changed by one after the other: somebody always does."""


def require_admin(actor: Actor) -> None:
    """Refuse whoever is no administrator of this server.

    Raises:
        Forbidden: they are not.
    """
    if not actor.is_admin:
        message = "only an administrator of this server may do that"
        raise Forbidden(message)


async def list_users(uow: UnitOfWork, actor: Actor, wanted: AdminUserFilter) -> Page[AdminUser]:
    """Return a page of all accounts, oldest first."""
    require_admin(actor)
    statement = _users().order_by(UserRow.id).limit(wanted.limit + 1)
    if wanted.q:
        contains = (column.icontains(wanted.q, autoescape=True) for column in (UserRow.name, UserRow.email))
        statement = statement.where(or_(*contains))
    if after := decode_cursor(wanted.cursor, UUID):
        statement = statement.where(UserRow.id > after[0])
    found = [_to_admin_user(row) for row in (await uow.fetch(statement)).all()]
    return make_page(found, wanted.limit, lambda user: (user.id,))


async def update_user(uow: UnitOfWork, actor: Actor, user_id: UUID, body: AdminUserUpdate) -> AdminUser:
    """Let an account in or keep it out, make it an administrator's or not. Keeping it out ends its sessions.

    Raises:
        OwnAccount: one would lock oneself out.
        LastAdmin: nobody would be left to administer.
    """
    require_admin(actor)
    await uow.lock_name(_ADMINISTRATORS)
    user = await _get(uow, user_id)
    changed = facts.changed_fields(user, {name: getattr(body, name) for name in body.model_fields_set})
    after = user.model_copy(update=changed)
    if user_id == actor.user_id and not after.is_active:
        message = "one cannot deactivate one's own account; ask another administrator"
        raise OwnAccount(message)
    await _check_admin_remains(uow, user, after)
    if "is_admin" in changed:
        await uow.execute(update(UserRow).where(UserRow.id == user_id).values(is_admin=after.is_admin))
    if "is_active" in changed:
        await set_active(uow, user_id, active=after.is_active)
    return after


async def set_active(uow: UnitOfWork, user_id: UUID, *, active: bool) -> None:
    """Let an account in, or keep it out and end its sessions: none of them comes back with the account."""
    await users.set_active(uow, user_id, active=active)
    if not active:
        await sessions.end_sessions(uow, await sessions.open_session_ids(uow, user_id))


async def examine_database(uow: UnitOfWork, *, is_sqlite: bool) -> DatabaseHealth:
    """Ask the database how it is."""
    start = time.perf_counter()
    version: Select[Any] = select(column("version_num")).select_from(table("alembic_version"))
    migration = (await uow.fetch(version)).scalar_one()
    latency_ms = round((time.perf_counter() - start) * 1000, 2)
    if is_sqlite:
        pages = text("pragma_page_count(), pragma_page_size()")
        size: Select[Any] = select(literal_column("page_count * page_size")).select_from(pages)
    else:
        size = select(func.pg_database_size(func.current_database()))
    return DatabaseHealth(
        kind="sqlite" if is_sqlite else "postgresql",
        size_bytes=(await uow.fetch(size)).scalar_one(),
        latency_ms=latency_ms,
        migration=migration,
    )


def _users() -> Select[Any]:
    last_seen = select(func.max(SessionRow.last_used_at)).where(SessionRow.user_id == UserRow.id)
    projects = (
        select(func.count())
        .select_from(Member)
        .join(Project, Project.id == Member.project_id)
        .where(Member.user_id == UserRow.id, Project.deleted_at.is_(None))
    )
    return select(
        UserRow,
        last_seen.scalar_subquery().label("last_seen_at"),
        projects.correlate(UserRow).scalar_subquery().label("project_count"),
    )


def _to_admin_user(row: Record) -> AdminUser:
    return AdminUser(**{name: getattr(row, name) for name in AdminUser.model_fields})


async def _get(uow: UnitOfWork, user_id: UUID) -> AdminUser:
    row = (await uow.fetch(_users().where(UserRow.id == user_id))).one_or_none()
    if row is None:
        message = "no such account"
        raise NotFound(message)
    return _to_admin_user(row)


async def _check_admin_remains(uow: UnitOfWork, before: AdminUser, after: AdminUser) -> None:
    if not (before.is_admin and before.is_active) or (after.is_admin and after.is_active):
        return
    others = select(UserRow.id).where(UserRow.id != before.id, UserRow.is_admin, UserRow.is_active).limit(1)
    if (await uow.fetch(others)).one_or_none() is None:
        message = "the last administrator stays; make somebody else one first"
        raise LastAdmin(message)
