"""Members of a project, and invitations to it."""

from uuid import UUID

import orjson
from fastapi import APIRouter, Response

from app.api.context import ApiContext
from app.api.deps import Context, CurrentUser, Paging, Transaction
from app.api.problems import CHANGE_RESPONSES
from app.api.transactions import TransactionalRoute
from app.schemas.base import Page
from app.schemas.projects import (
    Invitation,
    InvitationCreate,
    InvitationPreview,
    Member,
    MemberAdd,
    MemberUpdate,
    ProjectWithRole,
)
from app.services import invitations, members


class InvitingRoute(TransactionalRoute):
    """A route that may answer with an invitation: what opens it is made from its id, and not kept with the answer."""

    def finish(self, context: ApiContext, response: Response) -> None:
        """Add the link."""
        made = orjson.loads(response.body)
        if "token" in made:  # else a member
            token = context.mailing.invitation_token(UUID(made["id"]))
            response.body = orjson.dumps(made | {"token": token, "url": context.mailing.invitation_url(token)})
            response.headers["content-length"] = str(len(response.body))


router = APIRouter(tags=["members"], route_class=TransactionalRoute, responses=CHANGE_RESPONSES)
inviting = APIRouter(tags=["members"], route_class=InvitingRoute, responses=CHANGE_RESPONSES)


@router.get("/projects/{project_id}/members")
async def list_members(uow: Transaction, actor: CurrentUser, project_id: UUID, page: Paging) -> Page[Member]:
    """List a project's members."""
    return await members.list_members(uow, actor, project_id, cursor=page.cursor, limit=page.limit)


@inviting.post("/projects/{project_id}/members", status_code=201, responses={202: {"model": Invitation}})
async def add_member(
    uow: Transaction, actor: CurrentUser, context: Context, project_id: UUID, body: MemberAdd, response: Response
) -> Member | Invitation:
    """Add somebody by e-mail address: 201 when they have an account, else 202 with an invitation."""
    lifetime_s = context.settings.invitation_s
    added = await invitations.add_or_invite(
        uow, actor, project_id, body, mailing=context.mailing, lifetime_s=lifetime_s
    )
    if isinstance(added, Invitation):
        response.status_code = 202
    return added


@router.patch("/projects/{project_id}/members/{user_id}")
async def change_role(
    uow: Transaction, actor: CurrentUser, project_id: UUID, user_id: UUID, body: MemberUpdate
) -> Member:
    """Give a member another role."""
    return await members.change_role(uow, actor, project_id, user_id, body)


@router.delete("/projects/{project_id}/members/{user_id}", status_code=204)
async def remove_member(uow: Transaction, actor: CurrentUser, project_id: UUID, user_id: UUID) -> None:
    """Remove a member, or leave the project oneself."""
    await members.remove(uow, actor, project_id, user_id)


@router.get("/projects/{project_id}/invitations")
async def list_invitations(uow: Transaction, actor: CurrentUser, project_id: UUID, page: Paging) -> Page[Invitation]:
    """List the open invitations, without their secrets."""
    return await invitations.list_invitations(uow, actor, project_id, cursor=page.cursor, limit=page.limit)


@inviting.post("/projects/{project_id}/invitations", status_code=201)
async def create_invitation(
    uow: Transaction, actor: CurrentUser, context: Context, project_id: UUID, body: InvitationCreate
) -> Invitation:
    """Make an invitation link; one for an address is mailed there where this server sends mail."""
    lifetime_s = context.settings.invitation_s
    return await invitations.create(uow, actor, project_id, body, mailing=context.mailing, lifetime_s=lifetime_s)


@router.delete("/projects/{project_id}/invitations/{invitation_id}", status_code=204)
async def revoke_invitation(uow: Transaction, actor: CurrentUser, project_id: UUID, invitation_id: UUID) -> None:
    """Make an invitation useless."""
    await invitations.revoke(uow, actor, project_id, invitation_id)


@router.get("/invitations/{token}")
async def preview_invitation(uow: Transaction, token: str) -> InvitationPreview:
    """See what an invitation is for; its token is all one needs."""
    return await invitations.preview(uow, token)


@router.post("/invitations/{token}/accept")
async def accept_invitation(uow: Transaction, actor: CurrentUser, token: str) -> ProjectWithRole:
    """Join the project of an invitation."""
    return await invitations.accept(uow, actor, token)


@router.post("/users/me/invitations/{invitation_id}/accept")
async def accept_own_invitation(uow: Transaction, actor: CurrentUser, invitation_id: UUID) -> ProjectWithRole:
    """Join the project of an invitation for one's own address."""
    return await invitations.accept_own(uow, actor, invitation_id)


router.include_router(inviting)
