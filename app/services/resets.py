"""A forgotten password: a mailed link sets a new one, once, within an hour.

Whoever asks learns nothing of who has an account: each request does the same, which is to write a row. Whose address it
is, the server that sends the mail looks up.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, insert, select

from app.db.unit_of_work import Database, UnitOfWork
from app.domain.clock import utc_now
from app.errors import MailOff, NotFound
from app.models import PasswordReset
from app.models import User as UserRow
from app.schemas.users import User
from app.security import Passwords, digest
from app.services import users
from app.services.mail_limits import take
from app.services.mailing import Mailing
from app.services.outbox import MailKind, Waiting, post
from app.services.passwords import replace
from app.wording import FALLBACK

LIFETIME: Final = timedelta(hours=1)
_REFUSED: Final = "this link is not valid (any more); ask for a new one"


async def request(uow: UnitOfWork, mailing: Mailing, email: str) -> None:
    """Have a link mailed to whoever has this address, if anybody has.

    Raises:
        MailOff: this server cannot.
        RateLimited: this address was asked for too often.
    """
    if not mailing.is_on:
        message = "this server sends no mail; ask its administrator for a new password (timetodo user password)"
        raise MailOff(message)
    await take(uow, mailing.resets, email)
    await post(uow, MailKind.RESET, address=email, language=FALLBACK, data={}, kept=LIFETIME)


async def prepare(uow: UnitOfWork, mailing: Mailing, mail: Waiting) -> tuple[User, str] | None:
    """Return who is to be mailed, and the token; None when nobody has the address."""
    row = (await uow.fetch(select(UserRow).where(UserRow.email == mail.address, UserRow.is_active))).one_or_none()
    if row is None:
        return None
    token = mailing.reset_token(mail.id)
    if await _find_owner(uow, token) is None:
        values = {"digest": digest(token), "user_id": row.id, "expires_at": mail.expires_at}
        await uow.execute(insert(PasswordReset).values(values))
    return users.to_user(row), token


async def redeem(database: Database, passwords: Passwords, token: str, password: str) -> None:
    """Set the new password and end every session; the token, and every other one of this person, is used up.

    Raises:
        NotFound: no such token, or it was used, is too old, or its account may not sign in.
    """
    async with database.read() as uow:  # a cheap refusal before the expensive hash
        if await _find_owner(uow, token) is None:
            raise NotFound(_REFUSED)
    password_hash = await passwords.hash(password)

    async def use(uow: UnitOfWork) -> None:
        user_id = await _find_owner(uow, token)
        if user_id is not None:
            await users.hold(uow, user_id)
        used = delete(PasswordReset).where(PasswordReset.digest == digest(token)).returning(PasswordReset.user_id)
        if user_id is None or (await uow.execute(used)).one_or_none() is None:
            raise NotFound(_REFUSED)
        await replace(uow, user_id, password_hash)

    await database.change(use)


async def _find_owner(uow: UnitOfWork, token: str) -> UUID | None:
    statement = (
        select(PasswordReset.user_id)
        .join(UserRow, UserRow.id == PasswordReset.user_id)
        .where(PasswordReset.digest == digest(token), PasswordReset.expires_at > utc_now(), UserRow.is_active)
    )
    found: UUID | None = (await uow.fetch(statement)).scalar_one_or_none()
    return found
