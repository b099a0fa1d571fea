"""What a socket's client needs over HTTP: a ticket to open it, and numbers about all of them."""

from fastapi import APIRouter
from pydantic import BaseModel

from app.api.deps import Context, CurrentUser, MaybeUser, Transaction
from app.api.problems import COMMON_RESPONSES
from app.api.transactions import TransactionalRoute
from app.schemas.sockets import SocketStats
from app.services import sessions

router = APIRouter(prefix="/ws", tags=["socket"], route_class=TransactionalRoute, responses=COMMON_RESPONSES)


class Ticket(BaseModel):
    """A single-use credential for `WS /api/v1/ws?ticket=`."""

    ticket: str
    expires_in: int
    """Seconds in which it must be used."""


@router.post("/ticket")
async def create_ticket(uow: Transaction, actor: CurrentUser, context: Context) -> Ticket:
    """Get a ticket that opens one WebSocket, once, within half a minute."""
    lifetime_s = context.settings.ws_ticket_s
    return Ticket(ticket=await sessions.issue_ticket(uow, actor, lifetime_s=lifetime_s), expires_in=lifetime_s)


@router.get("/stats", response_model_exclude_unset=True)
async def read_stats(actor: MaybeUser, context: Context) -> SocketStats:
    """Read the numbers of the sockets, here and in the cluster; administrators also see which rooms and users."""
    stats = context.socket_stats(details=actor is not None and actor.is_admin)
    return SocketStats.model_validate(stats | {"cluster": context.cluster_stats()})
