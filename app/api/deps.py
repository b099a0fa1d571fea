"""What a route can ask for, as annotated types: its transaction, who is asking, page bounds, preconditions.

All of them are coroutines, also those that await nothing: FastAPI runs any other function in a thread. What every call
needs is asked of the request itself: a dependency costs as much as a statement.
"""

import math
import re
from typing import Annotated, Final

from fastapi import Depends, Header, Query, Request

from app.api.context import ApiContext
from app.api.transactions import SAFE_METHODS, ReplayedAnswer
from app.db.unit_of_work import UnitOfWork
from app.domain.networks import network_of
from app.errors import BadRequest, RateLimited, Unauthorized
from app.schemas.base import PageQuery
from app.security import AccessClaims
from app.services.access import Actor, load_actor
from app.services.idempotency import find_answer, make_call
from app.services.sessions import Device

_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}\Z")
_VERSION_TAG: Final = re.compile(r'(?:W/)?"(\d{1,9})"\Z')


async def _context(request: Request) -> ApiContext:
    context: ApiContext = request.app.state.context
    return context


async def _unit_of_work(request: Request) -> UnitOfWork:
    uow: UnitOfWork = request.state.uow
    return uow


Context = Annotated[ApiContext, Depends(_context)]
Transaction = Annotated[UnitOfWork, Depends(_unit_of_work)]


async def _access_token(request: Request) -> str | None:
    authorization = request.headers.get("authorization")
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        message = "the Authorization header must read: Bearer <access token>"
        raise Unauthorized(message)
    return token.strip()


AccessToken = Annotated[str | None, Depends(_access_token)]


async def _claims(request: Request) -> AccessClaims:
    token = await _access_token(request)
    if token is None:
        message = "this needs an access token; get one from POST /api/v1/auth/login"
        raise Unauthorized(message)
    return (await _context(request)).tokens.verify(token)


Signed = Annotated[AccessClaims, Depends(_claims)]
"""What a good token says, for what is done before a transaction: its session may have ended since."""


async def _actor(request: Request) -> Actor:
    claims = await _claims(request)
    context, uow = await _context(request), await _unit_of_work(request)
    actor = await load_actor(uow, claims.user_id, claims.session_id)
    uow.actor_id = actor.user_id
    await _replay_if_repeated(request, context, uow, actor)
    return actor


async def _optional_actor(request: Request) -> Actor | None:
    return None if await _access_token(request) is None else await _actor(request)


MaybeUser = Annotated[Actor | None, Depends(_optional_actor)]
CurrentUser = Annotated[Actor, Depends(_actor)]


async def _replay_if_repeated(request: Request, context: ApiContext, uow: UnitOfWork, actor: Actor) -> None:
    """With an Idempotency-Key: answer as before if it was, else remember the call so that its answer is kept."""
    key = request.headers.get("idempotency-key")
    if key is None or request.method in SAFE_METHODS:
        return
    if not _KEY.match(key):
        message = "Idempotency-Key must be 1 to 200 printable ASCII characters without spaces"
        raise BadRequest(message)
    uow.op_id = key
    body = await request.body()
    precondition = request.headers.get("if-match", "")
    call = make_call(actor.user_id, key, request.method, f"{request.url.path}\n{precondition}", body)
    answer = await find_answer(uow, call, keep_s=context.settings.idempotency_s)
    if answer is not None:
        raise ReplayedAnswer(answer)
    request.state.call = call


Paging = Annotated[PageQuery, Query()]


async def _if_match(
    if_match: Annotated[str | None, Header(description='The ETag your change is based on: `"7"`')] = None,
) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    match = _VERSION_TAG.match(if_match.strip())
    if match is None:
        message = 'If-Match must be the ETag of the task, such as "7"'
        raise BadRequest(message)
    return int(match[1])


IfMatch = Annotated[int | None, Depends(_if_match)]


async def _device(request: Request) -> Device:
    address = request.client.host if request.client else ""
    agent = request.headers.get("user-agent", "")
    return Device(agent.replace("\x00", ""), address)


CallingDevice = Annotated[Device, Depends(_device)]


async def _limit_attempts(context: Context, device: CallingDevice) -> None:
    """Passwords may be tried only so often from one address."""
    wait_s = math.ceil(context.auth_limiter.take(network_of(device.ip_address)))
    if wait_s:
        message = f"too many attempts from your address; try again in {wait_s} s"
        raise RateLimited(message, retry_after_s=wait_s)


AttemptLimit = Depends(_limit_attempts)
