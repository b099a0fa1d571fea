"""A new password, and the end of the sessions that whoever knew the old one may have opened: together or not at all."""

from uuid import UUID

from sqlalchemy import select

from app.db.unit_of_work import Database, UnitOfWork
from app.errors import InvalidCredentials
from app.models import User
from app.schemas.users import PasswordChange
from app.security import Passwords
from app.services import sessions, users
from app.services.access import Actor


async def change(database: Database, passwords: Passwords, actor: Actor, body: PasswordChange) -> None:
    """Set a new password after checking the one now. Every session but the actor's ends.

    Raises:
        InvalidCredentials: the current password is wrong.
    """
    async with database.read() as uow:
        stored = (await uow.fetch(select(User.password_hash).where(User.id == actor.user_id))).scalar_one()
    if not await passwords.verify(stored, body.current_password):
        message = "the current password is wrong"
        raise InvalidCredentials(message)
    password_hash = await passwords.hash(body.new_password)

    async def use(uow: UnitOfWork) -> None:
        await users.hold_password(uow, actor.user_id, stored)
        await replace(uow, actor.user_id, password_hash, kept=actor.session_id)

    await database.change(use)


async def assign(database: Database, passwords: Passwords, user_id: UUID, password: str) -> None:
    """Give somebody a new password. Every session of theirs ends."""
    password_hash = await passwords.hash(password)

    async def use(uow: UnitOfWork) -> None:
        await users.hold(uow, user_id)
        await replace(uow, user_id, password_hash)

    await database.change(use)


async def replace(uow: UnitOfWork, user_id: UUID, password_hash: str, *, kept: UUID | None = None) -> None:
    """Store the password of somebody whose row is held, and end every session of theirs but one."""
    await users.store_password(uow, user_id, password_hash)
    opened = await sessions.open_session_ids(uow, user_id)
    await sessions.end_sessions(uow, [session_id for session_id in opened if session_id != kept])
