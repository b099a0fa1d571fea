"""Accounts and sessions: register, sign in, refresh, sign out.

These routes manage their transactions themselves: a password is hashed with none open. They keep no idempotent
answers, for an answer with credentials is never stored.
"""

import math
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Cookie, Request, Response

from app.api.context import ApiContext
from app.api.deps import AccessToken, AttemptLimit, CallingDevice, Context, CurrentUser, Paging, Signed, Transaction
from app.api.problems import CHANGE_RESPONSES, responses
from app.api.transactions import PlainRoute, TransactionalRoute
from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.domain.networks import network_of
from app.errors import Forbidden, RateLimited, Unauthorized
from app.schemas.base import Page
from app.schemas.users import (
    AuthSession,
    Login,
    PasswordChange,
    PasswordForgotten,
    PasswordReset,
    Refresh,
    Register,
    Tokens,
)
from app.services import passwords, resets, sessions, users
from app.services.access import load_actor
from app.services.sessions import Device

REFRESH_COOKIE: Final = "timetodo_refresh"
COOKIE_PATH: Final = "/api/v1/auth"

RefreshCookie = Annotated[str | None, Cookie(alias=REFRESH_COOKIE, include_in_schema=False, max_length=200)]

plain = APIRouter(tags=["auth"], route_class=PlainRoute, responses=CHANGE_RESPONSES | responses(429))
transactional = APIRouter(tags=["auth"], route_class=TransactionalRoute, responses=CHANGE_RESPONSES)


@plain.post("/register", status_code=201, dependencies=[AttemptLimit])
async def register(context: Context, device: CallingDevice, body: Register, response: Response) -> Tokens:
    """Make an account and sign in. The first account needs the one-time code that the server printed."""
    user = await users.register(
        context.database,
        context.passwords,
        body,
        mode=context.settings.registration,
        admin_code=context.read_admin_code(),
    )
    if user.is_admin:
        context.drop_admin_code()
    signed_in = await sessions.open_session(context.database, context.settings, user, device)
    return _tokens(context, response, signed_in, use_cookie=body.use_cookie)


@plain.post("/login", dependencies=[AttemptLimit])
async def login(context: Context, device: CallingDevice, body: Login, response: Response) -> Tokens:
    """Sign in with e-mail and password."""
    await _limit_account(context, device, body.email.strip().lower())
    signed_in = await sessions.login(
        context.database, context.passwords, context.settings, body.email, body.password, device
    )
    return _tokens(context, response, signed_in, use_cookie=body.use_cookie)


@plain.post("/refresh")
async def refresh(
    context: Context, request: Request, response: Response, body: Refresh | None = None, cookie: RefreshCookie = None
) -> Tokens:
    """Exchange the refresh token, from the body or the cookie, for a new pair. Each one works once."""
    token, from_cookie = _given_refresh_token(context, request, body, cookie)
    if token is None:
        message = "give the refresh token in the body, or sign in"
        raise Unauthorized(message)
    signed_in = await sessions.refresh(context.database, context.settings, token)
    return _tokens(context, response, signed_in, use_cookie=from_cookie)


@plain.post("/logout", status_code=204)
async def logout(
    context: Context,
    request: Request,
    response: Response,
    token: AccessToken,
    body: Refresh | None = None,
    cookie: RefreshCookie = None,
) -> None:
    """End this session: that of the access token, else of the refresh token. Its sockets close at once."""
    refresh_token, _ = _given_refresh_token(context, request, body, cookie)

    async def leave(uow: UnitOfWork) -> None:
        if token is not None:
            claims = context.tokens.verify(token)
            session_id = (await load_actor(uow, claims.user_id, claims.session_id)).session_id
        elif refresh_token is not None:
            session_id = await sessions.session_of_refresh_token(uow, refresh_token)
        else:
            message = "there is no session to end: send the access token or the refresh token"
            raise Unauthorized(message)
        await sessions.end_sessions(uow, [session_id])

    await context.database.change(leave)
    response.delete_cookie(REFRESH_COOKIE, path=COOKIE_PATH)


@plain.post("/password", status_code=204, dependencies=[AttemptLimit])
async def change_password(context: Context, claims: Signed, body: PasswordChange) -> None:
    """Set a new password. Every other session ends."""
    async with context.database.read() as uow:
        actor = await load_actor(uow, claims.user_id, claims.session_id)
    await passwords.change(context.database, context.passwords, actor, body)


@plain.post("/forgot", status_code=202, response_class=Response, dependencies=[AttemptLimit])
async def ask_for_reset(context: Context, body: PasswordForgotten) -> None:
    """Have a link that sets a new password mailed to this address. The answer is the same whoever has an account."""
    await context.database.change(lambda uow: resets.request(uow, context.mailing, body.email))


@plain.post("/reset", status_code=204, dependencies=[AttemptLimit])
async def reset_password(context: Context, body: PasswordReset) -> None:
    """Set a new password with the token of a mailed link, which works once, for an hour. Every session ends."""
    await resets.redeem(context.database, context.passwords, body.token, body.password)


@transactional.get("/sessions")
async def list_sessions(uow: Transaction, actor: CurrentUser, page: Paging) -> Page[AuthSession]:
    """List the devices one is signed in on."""
    return await sessions.list_sessions(uow, actor, cursor=page.cursor, limit=page.limit)


@transactional.delete("/sessions/{session_id}", status_code=204)
async def end_session(uow: Transaction, actor: CurrentUser, session_id: UUID) -> None:
    """Sign one device out."""
    await sessions.end_own_session(uow, actor, session_id)


async def _limit_account(context: ApiContext, device: Device, email: str) -> None:
    """From many addresses one password may be tried only so often; where somebody is signed in that holds up nobody."""
    wait_s = math.ceil(context.account_limiter.take(email))
    if wait_s and not await sessions.is_open_from(context.database, email, network_of(device.ip_address)):
        message = f"too many attempts for this account; try again in {wait_s} s, or from where you are signed in"
        raise RateLimited(message, retry_after_s=wait_s)


def _given_refresh_token(
    context: ApiContext, request: Request, body: Refresh | None, cookie: str | None
) -> tuple[str | None, bool]:
    """Return the token and whether it came in the cookie, which only our own pages may use."""
    if body is not None and body.refresh_token is not None:
        return body.refresh_token, False
    origin = request.headers.get("origin")
    if cookie is not None and origin is not None and origin not in context.settings.origins:
        message = "this page may not use the session cookie; add its origin to TIMETODO_ALLOWED_ORIGINS"
        raise Forbidden(message)
    return cookie, cookie is not None


def _tokens(context: ApiContext, response: Response, signed_in: sessions.SignedIn, *, use_cookie: bool) -> Tokens:
    if use_cookie:
        response.set_cookie(
            REFRESH_COOKIE,
            signed_in.refresh_token,
            max_age=context.settings.refresh_token_s,
            path=COOKIE_PATH,
            secure=context.settings.base_url.startswith("https:"),
            httponly=True,
            samesite="strict",
        )
    return Tokens(
        access_token=context.tokens.issue(signed_in.user.id, signed_in.session_id, utc_now()),
        expires_in=context.tokens.lifetime_s,
        refresh_token=None if use_cookie else signed_in.refresh_token,
        user=signed_in.user,
    )


router = APIRouter(prefix="/auth")
router.include_router(plain)
router.include_router(transactional)
