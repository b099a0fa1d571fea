"""Comments on tasks."""

from uuid import UUID

from fastapi import APIRouter

from app.api.deps import CurrentUser, MaybeUser, Paging, Transaction
from app.api.problems import CHANGE_RESPONSES
from app.api.transactions import TransactionalRoute
from app.schemas.base import Page
from app.schemas.tasks import Comment, CommentWrite
from app.services import comments

router = APIRouter(tags=["comments"], route_class=TransactionalRoute, responses=CHANGE_RESPONSES)


@router.get("/tasks/{task_id}/comments")
async def list_comments(uow: Transaction, actor: MaybeUser, task_id: UUID, page: Paging) -> Page[Comment]:
    """List a task's comments, oldest first."""
    return await comments.list_comments(uow, actor, task_id, cursor=page.cursor, limit=page.limit)


@router.post("/tasks/{task_id}/comments", status_code=201)
async def create_comment(uow: Transaction, actor: CurrentUser, task_id: UUID, body: CommentWrite) -> Comment:
    """Comment on a task; `@Name` mentions a member."""
    return await comments.create(uow, actor, task_id, body)


@router.patch("/comments/{comment_id}")
async def update_comment(uow: Transaction, actor: CurrentUser, comment_id: UUID, body: CommentWrite) -> Comment:
    """Change a comment: its author, or an admin of the project."""
    return await comments.update_comment(uow, actor, comment_id, body)


@router.delete("/comments/{comment_id}", status_code=204)
async def delete_comment(uow: Transaction, actor: CurrentUser, comment_id: UUID) -> None:
    """Delete a comment: its author, or an admin of the project."""
    await comments.delete_comment(uow, actor, comment_id)


@router.post("/comments/{comment_id}/restore")
async def restore_comment(uow: Transaction, actor: CurrentUser, comment_id: UUID) -> Comment:
    """Take a deleted comment back: whoever deleted it, or an admin of the project."""
    return await comments.restore(uow, actor, comment_id)
