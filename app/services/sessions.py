"""Sign-in sessions: login, refresh with rotation, logout, and the tickets that open a socket.

A refresh token is used once. Presented again later than the grace period it has been stolen by somebody, and the
whole family ends (OAuth 2.0 Security Best Current Practice, RFC 9700 section 4.14).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from app.broker.base import SignalType
from app.config import Settings
from app.db.unit_of_work import Database, UnitOfWork
from app.domain.clock import utc_now
from app.domain.networks import network_of
from app.errors import InvalidCredentials, NotFound, Unauthorized
from app.models import RefreshToken, SocketTicket
from app.models import Session as SessionRow
from app.models import User as UserRow
from app.schemas.base import Page, decode_cursor, make_page
from app.schemas.users import AuthSession, User
from app.security import Passwords, digest, new_credential, new_id
from app.services.access import Actor, Record
from app.services.standing import is_good
from app.services.users import get_user, hold_password, to_user

_REFRESH_REFUSED = "this refresh token is not valid (any more); sign in again"


@dataclass(frozen=True, slots=True)
class Device:
    """Where a session was opened, shown to its owner so that they recognise it."""

    user_agent: str
    ip_address: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session and its next refresh token."""

    user: User
    session_id: UUID
    refresh_token: str


async def login(
    database: Database, passwords: Passwords, settings: Settings, email: str, password: str, device: Device
) -> SignedIn:
    """Open a session. Unknown address, wrong password and deactivated account: one answer, the same time.

    Raises:
        InvalidCredentials: one of those.
    """
    async with database.read() as uow:
        row = (await uow.fetch(select(UserRow).where(UserRow.email == email.strip().lower()))).one_or_none()
    right = await passwords.verify(row.password_hash if row is not None else None, password)
    if row is None or not right or not row.is_active:
        message = "the e-mail address or the password is wrong"
        raise InvalidCredentials(message)
    user = to_user(row)

    async def enter(uow: UnitOfWork) -> SignedIn:
        await hold_password(uow, user.id, row.password_hash)
        return await _open_session(uow, settings, user, device)

    return await database.change(enter)


async def is_open_from(database: Database, email: str, network: str) -> bool:
    """Whether somebody is signed in to this account from this network."""
    found = select(SessionRow.ip_address).join(UserRow, UserRow.id == SessionRow.user_id)
    statement = found.where(UserRow.email == email, is_good(utc_now()))
    async with database.read() as uow:
        return any(network_of(address) == network for address in (await uow.fetch(statement)).scalars())


async def open_session(database: Database, settings: Settings, user: User, device: Device) -> SignedIn:
    """Open a session for somebody who has proved who they are."""
    return await database.change(lambda uow: _open_session(uow, settings, user, device))


async def refresh(database: Database, settings: Settings, refresh_token: str) -> SignedIn:
    """Exchange a refresh token for the next one.

    Raises:
        Unauthorized: unknown, expired, or used before; in the last case the session has now ended.
    """
    outcome = await database.change(lambda uow: _rotate(uow, settings, refresh_token))
    if isinstance(outcome, TokenReused):
        raise outcome
    return outcome


class TokenReused(Unauthorized):
    """A refresh token was presented a second time: its session has been ended."""

    def __init__(self, session_id: UUID) -> None:
        super().__init__(_REFRESH_REFUSED)
        self.session_id = session_id


async def session_of_refresh_token(uow: UnitOfWork, refresh_token: str) -> UUID:
    """Return the session a refresh token belongs to.

    Raises:
        Unauthorized: to none that is still good.
    """
    session_id: UUID = (await _load_refresh_token(uow, refresh_token)).session_id
    return session_id


async def list_sessions(uow: UnitOfWork, actor: Actor, *, cursor: str | None, limit: int) -> Page[AuthSession]:
    """Return a page of one's own open sessions, oldest first."""
    statement = _open_sessions(actor.user_id).order_by(SessionRow.id).limit(limit + 1)
    if after := decode_cursor(cursor, UUID):
        statement = statement.where(SessionRow.id > after[0])
    found = [
        AuthSession(
            id=row.id,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
            user_agent=row.user_agent,
            ip_address=row.ip_address,
            current=row.id == actor.session_id,
        )
        for row in (await uow.fetch(statement)).all()
    ]
    return make_page(found, limit, lambda session: (session.id,))


async def end_own_session(uow: UnitOfWork, actor: Actor, session_id: UUID) -> None:
    """End one of one's own sessions.

    Raises:
        NotFound: not an open session of the actor.
    """
    if session_id not in await open_session_ids(uow, actor.user_id):
        message = "no such session of yours"
        raise NotFound(message)
    await end_sessions(uow, [session_id])


async def open_session_ids(uow: UnitOfWork, user_id: UUID) -> list[UUID]:
    """Return a user's open sessions."""
    return [row.id for row in (await uow.fetch(_open_sessions(user_id))).all()]


async def end_sessions(uow: UnitOfWork, session_ids: Sequence[UUID]) -> None:
    """End sessions, tokens and sockets of theirs included."""
    await uow.execute(
        update(SessionRow)
        .where(SessionRow.id.in_(session_ids), SessionRow.ended_at.is_(None))
        .values(ended_at=utc_now())
    )
    for session_id in session_ids:
        uow.notify(SignalType.SESSION_ENDED, session_id)


async def find_dead_sessions(uow: UnitOfWork, session_ids: Sequence[UUID]) -> set[UUID]:
    """Return those of `session_ids` that let nobody in any more."""
    statement = (
        select(SessionRow.id)
        .join(UserRow, UserRow.id == SessionRow.user_id)
        .where(SessionRow.id.in_(session_ids), is_good(utc_now()))
    )
    return set(session_ids) - set((await uow.fetch(statement)).scalars())


async def find_ended_sessions(uow: UnitOfWork, since: datetime) -> set[UUID]:
    """Return the sessions that were ended since a moment."""
    return set((await uow.fetch(select(SessionRow.id).where(SessionRow.ended_at >= since))).scalars())


async def issue_ticket(uow: UnitOfWork, actor: Actor, *, lifetime_s: int) -> str:
    """Return a credential that opens one socket, once, soon."""
    uow.keeps_answer = False
    ticket = new_credential()
    expires_at = utc_now() + timedelta(seconds=lifetime_s)
    row = {"digest": digest(ticket), "session_id": actor.session_id, "expires_at": expires_at}
    await uow.execute(insert(SocketTicket).values(row))
    return ticket


async def redeem_ticket(uow: UnitOfWork, ticket: str) -> tuple[UUID, UUID]:
    """Use up a ticket; return its (user id, session id).

    Raises:
        Unauthorized: unknown, used or expired.
    """
    statement = (
        delete(SocketTicket)
        .where(SocketTicket.digest == digest(ticket), SocketTicket.expires_at > utc_now())
        .returning(SocketTicket.session_id)
    )
    session_id = (await uow.execute(statement)).scalar_one_or_none()
    if session_id is None:
        message = "this ticket is not valid (any more); get a new one from POST /api/v1/ws/ticket"
        raise Unauthorized(message)
    user_id = (await uow.fetch(select(SessionRow.user_id).where(SessionRow.id == session_id))).scalar_one()
    return user_id, session_id


async def _rotate(uow: UnitOfWork, settings: Settings, refresh_token: str) -> "SignedIn | TokenReused":
    """Use the token up; that of a thief ends the session, which is committed before anybody is told."""
    row = await _load_refresh_token(uow, refresh_token)
    now = utc_now()
    if row.rotated_at is not None and now - row.rotated_at > timedelta(seconds=settings.refresh_grace_s):
        await end_sessions(uow, [row.session_id])
        return TokenReused(row.session_id)
    if row.rotated_at is None:
        await uow.execute(update(RefreshToken).where(RefreshToken.digest == row.digest).values(rotated_at=now))
    touched = {"last_used_at": now, "expires_at": now + timedelta(seconds=settings.refresh_token_s)}
    await uow.execute(update(SessionRow).where(SessionRow.id == row.session_id).values(touched))
    token = await _issue_refresh_token(uow, row.session_id)
    return SignedIn(await get_user(uow, row.user_id), row.session_id, token)


async def _open_session(uow: UnitOfWork, settings: Settings, user: User, device: Device) -> SignedIn:
    now = utc_now()
    session_id = new_id()
    session = {
        "id": session_id,
        "user_id": user.id,
        "user_agent": device.user_agent[:255],
        "ip_address": device.ip_address[:64],
        "created_at": now,
        "last_used_at": now,
        "expires_at": now + timedelta(seconds=settings.refresh_token_s),
        "ended_at": None,
    }
    await uow.execute(insert(SessionRow).values(session))
    token = await _issue_refresh_token(uow, session_id)
    return SignedIn(user, session_id, token)


def _open_sessions(user_id: UUID) -> Any:
    return select(SessionRow).where(
        SessionRow.user_id == user_id, SessionRow.ended_at.is_(None), SessionRow.expires_at > utc_now()
    )


async def _load_refresh_token(uow: UnitOfWork, refresh_token: str) -> Record:
    await uow.lock(select(RefreshToken.digest).where(RefreshToken.digest == digest(refresh_token)))
    statement = (
        select(RefreshToken, SessionRow.user_id)
        .join(SessionRow, SessionRow.id == RefreshToken.session_id)
        .join(UserRow, UserRow.id == SessionRow.user_id)
        .where(RefreshToken.digest == digest(refresh_token), is_good(utc_now()))
    )
    row: Record | None = (await uow.fetch(statement)).one_or_none()
    if row is None:
        raise Unauthorized(_REFRESH_REFUSED)
    return row


async def _issue_refresh_token(uow: UnitOfWork, session_id: UUID) -> str:
    token = new_credential()
    row = {"digest": digest(token), "session_id": session_id, "issued_at": utc_now(), "rotated_at": None}
    await uow.execute(insert(RefreshToken).values(row))
    return token
