"""One's own profile."""

from fastapi import APIRouter

from app.api.deps import CurrentUser, Transaction
from app.api.problems import CHANGE_RESPONSES
from app.api.transactions import TransactionalRoute
from app.schemas.users import User, UserUpdate
from app.services import users

router = APIRouter(prefix="/users", tags=["users"], route_class=TransactionalRoute, responses=CHANGE_RESPONSES)


@router.get("/me")
async def get_me(uow: Transaction, actor: CurrentUser) -> User:
    """Read one's own account."""
    return await users.get_user(uow, actor.user_id)


@router.patch("/me")
async def update_me(uow: Transaction, actor: CurrentUser, body: UserUpdate) -> User:
    """Change name, language, time zone or colour."""
    return await users.update_profile(uow, actor, body)
