"""What a sign-in page must know before anybody is signed in."""

from fastapi import APIRouter

import app
from app.api.deps import Context, Transaction
from app.api.transactions import TransactionalRoute
from app.schemas.users import ServerInfo
from app.services import users

router = APIRouter(tags=["service"], route_class=TransactionalRoute)


@router.get("/server")
async def read_server(uow: Transaction, context: Context) -> ServerInfo:
    """Read the server's name, version, who may register, and whether there is mail."""
    return ServerInfo(
        name="Time to DO",
        version=app.__version__,
        registration=context.settings.registration,
        needs_admin=await users.needs_admin(uow),
        mail=context.settings.has_mail,
    )
