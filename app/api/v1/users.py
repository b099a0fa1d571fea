"""One's own profile, and what waits for one in all one's projects."""

from fastapi import APIRouter

from app.api.deps import CurrentUser, Paging, Transaction
from app.api.problems import CHANGE_RESPONSES
from app.api.transactions import TransactionalRoute
from app.schemas.base import Page
from app.schemas.finding import MyMention, MyTask
from app.schemas.users import User, UserUpdate
from app.services import my_work, users

router = APIRouter(prefix="/users", tags=["users"], route_class=TransactionalRoute, responses=CHANGE_RESPONSES)


@router.get("/me")
async def get_me(uow: Transaction, actor: CurrentUser) -> User:
    """Read one's own account."""
    return await users.get_user(uow, actor.user_id)


@router.patch("/me")
async def update_me(uow: Transaction, actor: CurrentUser, body: UserUpdate) -> User:
    """Change name, language, time zone or colour."""
    return await users.update_profile(uow, actor, body)


@router.get("/me/tasks")
async def list_my_tasks(uow: Transaction, actor: CurrentUser, page: Paging) -> Page[MyTask]:
    """List the open tasks assigned to oneself in all one's projects, by due date."""
    return await my_work.list_tasks(uow, actor, cursor=page.cursor, limit=page.limit)


@router.get("/me/mentions")
async def list_my_mentions(uow: Transaction, actor: CurrentUser, page: Paging) -> Page[MyMention]:
    """List the comments that mention oneself, newest first."""
    return await my_work.list_mentions(uow, actor, cursor=page.cursor, limit=page.limit)
