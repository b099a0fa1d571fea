"""What the links in mails do without anybody being signed in: end the digests (RFC 8058)."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import RedirectResponse

from app.api.deps import Context, Transaction
from app.api.problems import responses
from app.api.transactions import TransactionalRoute
from app.errors import NotFound
from app.schemas.notifications import DigestsEnded
from app.services import wishes

router = APIRouter(prefix="/mail", tags=["mail"], route_class=TransactionalRoute)

Token = Annotated[str, Path(max_length=200)]


@router.post("/unsubscribe/{token}", responses=responses(404, 422))
async def unsubscribe(uow: Transaction, context: Context, token: Token) -> DigestsEnded:
    """Mail no more digests to whom the token was mailed, as often as it is asked for; nobody need be signed in."""
    user_id = context.mailing.read_unsubscribe_token(token)
    if user_id is None:
        message = "this link is not valid; sign in and choose in your profile what is mailed"
        raise NotFound(message)
    await wishes.end_digests(uow, user_id)
    return DigestsEnded()


@router.get("/unsubscribe/{token}", status_code=303, response_class=RedirectResponse, responses=responses(422))
async def show_unsubscribe(context: Context, token: Token) -> str:
    """Go to the page that asks; opening a link changes nothing, for scanners of mail open every one."""
    return context.mailing.unsubscribe_page(token)
