"""Accounts: registration, profile, deactivation; `app.services.passwords` knows when a password may be replaced."""

import hashlib
import hmac
from typing import Final
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from app.broker.base import SignalType
from app.config import Registration
from app.db.unit_of_work import Database, UnitOfWork
from app.domain.clock import utc_now
from app.domain.events import EventType
from app.errors import EmailTaken, Forbidden, InvalidCredentials, NotFound, RegistrationClosed
from app.models import Member, OutgoingMail, PasswordReset, Project
from app.models import User as UserRow
from app.schemas.users import Register, User, UserUpdate
from app.security import Passwords, new_id
from app.services import facts, invitations, members
from app.services.access import Actor, Record
from app.services.outbox import MailKind

AVATAR_COLORS: Final = ("#b4532a", "#8a6d00", "#3f7d20", "#0b7a75", "#1769aa", "#5b5bd6", "#9333a8", "#b8336a")
"""Dark enough for white initials (WCAG AA)."""
_REGISTRATION: Final = "registration"
"""Accounts are made one after the other: there is one first one, and one for each address."""


async def register(
    database: Database, passwords: Passwords, body: Register, *, mode: Registration, admin_code: str | None
) -> User:
    """Make an account. The first one is the administrator's and needs the one-time code, whatever the mode.

    Raises:
        RegistrationClosed: the mode does not let this person in.
        Forbidden: the one-time code or the invitation is wrong.
        EmailTaken: there is an account with this address.
    """
    async with database.read() as uow:  # cheap refusals before the expensive hash
        await _check_may_register(uow, body, mode, admin_code)
    password_hash = await passwords.hash(body.password)

    async def enter(uow: UnitOfWork) -> User:
        await uow.lock_name(_REGISTRATION)
        first = await _check_may_register(uow, body, mode, admin_code)
        user = await insert_user(uow, body, password_hash, is_admin=first)
        if body.invitation is not None:
            actor = Actor(user.id, session_id=user.id, name=user.name, is_admin=first)
            uow.actor_id = user.id
            await invitations.accept(uow, actor, body.invitation)
        return user

    return await database.change(enter)


async def insert_user(uow: UnitOfWork, body: Register, password_hash: str, *, is_admin: bool) -> User:
    """Write the account.

    Raises:
        EmailTaken: there is one with this address.
    """
    await uow.lock_name(_REGISTRATION)
    taken = (await uow.fetch(select(UserRow.id).where(UserRow.email == body.email))).one_or_none()
    if taken is not None:
        message = "there is an account with this e-mail address; sign in instead"
        raise EmailTaken(message)
    color = AVATAR_COLORS[hashlib.sha256(body.email.encode()).digest()[0] % len(AVATAR_COLORS)]
    user = User(
        id=new_id(),
        email=body.email,
        name=body.name,
        language=body.language,
        time_zone=body.time_zone,
        avatar_color=color,
        is_admin=is_admin,
        created_at=utc_now(),
    )
    columns = user.model_dump() | {"language": user.language.value, "password_hash": password_hash, "is_active": True}
    await uow.execute(insert(UserRow).values(columns))
    return user


async def needs_admin(uow: UnitOfWork) -> bool:
    """Whether there is no account yet."""
    return (await uow.fetch(select(UserRow.id).limit(1))).one_or_none() is None


async def get_user(uow: UnitOfWork, user_id: UUID) -> User:
    """Return an account."""
    return to_user((await uow.fetch(select(UserRow).where(UserRow.id == user_id))).one())


async def find_by_email(uow: UnitOfWork, email: str) -> User:
    """Return the account with this address.

    Raises:
        NotFound: there is none.
    """
    row: Record | None = (await uow.fetch(select(UserRow).where(UserRow.email == email.lower()))).one_or_none()
    if row is None:
        message = f"no account has the address {email}"
        raise NotFound(message)
    return to_user(row)


async def update_profile(uow: UnitOfWork, actor: Actor, body: UserUpdate) -> User:
    """Change one's own profile; every project one is in learns a new name or colour."""
    user = await get_user(uow, actor.user_id)
    changed = facts.changed_fields(user, {name: getattr(body, name) for name in body.model_fields_set})
    if not changed:
        return user
    projects = await _lock_projects_of(uow, user.id) if changed.keys() & {"name", "avatar_color"} else []
    columns = {name: getattr(value, "value", value) for name, value in changed.items()}
    await uow.execute(update(UserRow).where(UserRow.id == user.id).values(columns))
    for project_id in projects:
        member = await members.find_member(uow, project_id, user.id)
        if member is not None:
            changes = changed.keys() & {"name", "avatar_color"}
            await facts.record(uow, project_id, EventType.PROJECT_MEMBER_UPDATED, "member", member, changes)
    return user.model_copy(update=changed)


async def hold_password(uow: UnitOfWork, user_id: UUID, verified: str) -> None:
    """Hold somebody's row, and see that the password that was verified before this transaction is still theirs.

    Raises:
        InvalidCredentials: it was changed since, or the account deactivated.
    """
    await hold(uow, user_id)
    still = select(UserRow.id).where(UserRow.id == user_id, UserRow.password_hash == verified, UserRow.is_active)
    if (await uow.fetch(still)).one_or_none() is None:
        message = "the account was changed meanwhile; sign in again"
        raise InvalidCredentials(message)


async def hold(uow: UnitOfWork, user_id: UUID) -> None:
    """Hold somebody's row until the transaction ends."""
    await uow.lock(select(UserRow.id).where(UserRow.id == user_id))


async def store_password(uow: UnitOfWork, user_id: UUID, password_hash: str) -> None:
    """Store a new password; links that were to set another one are of no use any more."""
    await uow.execute(update(UserRow).where(UserRow.id == user_id).values(password_hash=password_hash))
    await _forget_resets(uow, user_id)


async def set_active(uow: UnitOfWork, user_id: UUID, *, active: bool) -> None:
    """Let an account in, or keep it out; its work stays."""
    await uow.execute(update(UserRow).where(UserRow.id == user_id).values(is_active=active))
    if not active:
        await _forget_resets(uow, user_id)
        uow.notify(SignalType.USER_DEACTIVATED, user_id)


def to_user(row: Record) -> User:
    """Return the account of one row."""
    return User(**{name: getattr(row, name) for name in User.model_fields})


async def _forget_resets(uow: UnitOfWork, user_id: UUID) -> None:
    """Make links that set a new password useless, also those not mailed yet."""
    address = select(UserRow.email).where(UserRow.id == user_id).scalar_subquery()
    unsent = (OutgoingMail.address == address, OutgoingMail.kind == MailKind.RESET.value)
    await uow.execute(delete(OutgoingMail).where(*unsent))
    await uow.execute(delete(PasswordReset).where(PasswordReset.user_id == user_id))


async def _check_may_register(uow: UnitOfWork, body: Register, mode: Registration, admin_code: str | None) -> bool:
    """Return whether this is the first account."""
    if await needs_admin(uow):
        given = (body.code or "").strip().encode("utf-8", "surrogatepass")
        if admin_code is None or not hmac.compare_digest(given, admin_code.encode()):
            message = "the first account needs the one-time code that the server printed when it started"
            raise Forbidden(message)
        return True
    if body.invitation is not None and mode is not Registration.CLOSED:
        invitation = await invitations.find(uow, invitations.by_token(body.invitation))
        if invitation.email is not None and invitation.email != body.email:
            message = "this invitation is for another e-mail address"
            raise Forbidden(message)
    elif mode is not Registration.OPEN:
        message = "this server lets nobody register by themselves; ask a colleague for an invitation link"
        raise RegistrationClosed(message)
    return False


async def _lock_projects_of(uow: UnitOfWork, user_id: UUID) -> list[UUID]:
    """Lock every project of a user, in the order of ids that everybody keeps to."""
    own = select(Member.project_id).where(Member.user_id == user_id)
    statement = select(Project.id).where(Project.id.in_(own), Project.deleted_at.is_(None)).order_by(Project.id)
    await uow.lock(statement)
    return list((await uow.fetch(statement)).scalars())
