"""Invitations to a project: a secret link, for anybody or for the account of one e-mail address."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, insert, select

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.domain.notifying import Channel, Kind, Watching, Why, decide
from app.errors import Conflict, Forbidden, NotFound
from app.models import Invitation as InvitationRow
from app.models import Member as MemberRow
from app.models import NotificationSettings, Project, User
from app.permissions import Action, Role, may_set_role
from app.schemas.base import Page, decode_cursor, make_page
from app.schemas.projects import Invitation, InvitationCreate, InvitationPreview, Member, MemberAdd, ProjectWithRole
from app.security import digest, new_id
from app.services import members, projects
from app.services.access import Actor, Record, open_project
from app.services.mail_limits import take
from app.services.mailing import Mailing
from app.services.notifying import News, tell
from app.services.outbox import MailKind, post
from app.services.wishes import to_wishes


async def list_invitations(
    uow: UnitOfWork, actor: Actor, project_id: UUID, *, cursor: str | None, limit: int
) -> Page[Invitation]:
    """Return a page of a project's open invitations, oldest first, without their tokens."""
    project = await open_project(uow, actor, project_id, Action.MANAGE_MEMBERS)
    statement = (
        select(InvitationRow)
        .where(InvitationRow.project_id == project.id, InvitationRow.expires_at > utc_now())
        .order_by(InvitationRow.id)
        .limit(limit + 1)
    )
    if after := decode_cursor(cursor, UUID):
        statement = statement.where(InvitationRow.id > after[0])
    found = [_to_invitation(row) for row in (await uow.fetch(statement)).all()]
    return make_page(found, limit, lambda invitation: (invitation.id,))


async def add_or_invite(
    uow: UnitOfWork, actor: Actor, project_id: UUID, body: MemberAdd, *, mailing: Mailing, lifetime_s: int
) -> Member | Invitation:
    """Add the person with this e-mail address; when nobody has it yet, return an invitation for them instead."""
    project = await open_project(uow, actor, project_id, Action.MANAGE_MEMBERS, lock=True)
    members.check_may_set(project, None, body.role)
    with_address = select(User.id, User.name, User.avatar_color).where(User.email == body.email, User.is_active)
    user: Record | None = (await uow.fetch(with_address)).one_or_none()
    if user is None:
        wanted = InvitationCreate(role=body.role, email=body.email)
        return await create(uow, actor, project_id, wanted, mailing=mailing, lifetime_s=lifetime_s)
    if await members.find_member(uow, project.id, user.id) is not None:
        message = f"{user.name} is already a member; change the role instead"
        raise Conflict(message)
    return await members.join(uow, actor, project.id, user, body.role)


async def create(
    uow: UnitOfWork, actor: Actor, project_id: UUID, body: InvitationCreate, *, mailing: Mailing, lifetime_s: int
) -> Invitation:
    """Make an invitation; one for an address is mailed there. Its token is made anew for answer and mail, and not kept.

    Raises:
        RateLimited: the actor has had too many mailed, or its address was mailed too many.
    """
    project = await open_project(uow, actor, project_id, Action.MANAGE_MEMBERS, lock=True)
    members.check_may_set(project, None, body.role)
    id_, now = new_id(), utc_now()
    row = {
        "id": id_,
        "project_id": project.id,
        "email": body.email,
        "role": body.role.value,
        "created_at": now,
        "expires_at": now + timedelta(seconds=lifetime_s),
    }
    mark = digest(mailing.invitation_token(id_))
    await uow.execute(insert(InvitationRow).values(row | {"digest": mark, "created_by": actor.user_id}))
    if body.email is not None:
        await _reach(uow, actor, row, mailing)
    return Invitation.model_validate(row | {"token": None, "url": None})


async def revoke(uow: UnitOfWork, actor: Actor, project_id: UUID, invitation_id: UUID) -> None:
    """Make an invitation useless."""
    project = await open_project(uow, actor, project_id, Action.MANAGE_MEMBERS, lock=True)
    where = (InvitationRow.id == invitation_id, InvitationRow.project_id == project.id)
    deleted = delete(InvitationRow).where(*where).returning(InvitationRow.id)
    if (await uow.execute(deleted)).one_or_none() is None:
        message = "no such invitation in this project"
        raise NotFound(message)


async def preview(uow: UnitOfWork, token: str) -> InvitationPreview:
    """Return what the holder of a link sees before accepting."""
    row = await find(uow, by_token(token))
    return InvitationPreview(
        project_name=row.project_name,
        inviter_name=row.inviter_name,
        role=Role(row.role),
        email=row.email,
        expires_at=row.expires_at,
    )


async def accept(uow: UnitOfWork, actor: Actor, token: str) -> ProjectWithRole:
    """Join the project. A link for one address serves once; an open link serves until it expires or is revoked.

    Somebody who is a member already stays as they are.
    """
    return await _accept(uow, actor, by_token(token))


async def accept_own(uow: UnitOfWork, actor: Actor, invitation_id: UUID) -> ProjectWithRole:
    """Join the project of an invitation for the actor's own address: being signed in proves as much as the link."""
    own = InvitationRow.email == select(User.email).where(User.id == actor.user_id).scalar_subquery()
    return await _accept(uow, actor, and_(InvitationRow.id == invitation_id, own))


async def _accept(uow: UnitOfWork, actor: Actor, which: ColumnElement[bool]) -> ProjectWithRole:
    found = await find(uow, which)
    await uow.lock(select(Project.id).where(Project.id == found.project_id))
    invitation = await find(uow, which)  # under the lock: it may have been used or revoked while we waited
    user: Record = (await uow.fetch(select(User).where(User.id == actor.user_id))).one()
    if invitation.email is not None and invitation.email != user.email:
        message = "this invitation is for another e-mail address; sign in with that account"
        raise Forbidden(message)
    if await members.find_member(uow, invitation.project_id, actor.user_id) is None:
        await members.join(uow, actor, invitation.project_id, user, Role(invitation.role))
    if invitation.email is not None:
        await uow.execute(delete(InvitationRow).where(InvitationRow.id == invitation.id))
    return await projects.get_project(uow, actor, invitation.project_id)


async def _reach(uow: UnitOfWork, actor: Actor, invitation: Mapping[str, Any], mailing: Mailing) -> None:
    """Tell and mail whoever has the invitation's address, unless they are a member, kept out, or do not want it.

    It counts as a mail before that is looked up: how many are left would say who has an account.
    """
    if mailing.is_on:
        await take(uow, mailing.invitations, str(actor.user_id))
        await take(uow, mailing.invitations_to, invitation["email"])
    project_id = invitation["project_id"]
    member = (MemberRow.project_id == project_id) & (MemberRow.user_id == User.id)
    statement = (
        select(User.id, User.language, User.is_active, MemberRow.role, NotificationSettings.settings)
        .outerjoin(MemberRow, member)
        .outerjoin(NotificationSettings, NotificationSettings.user_id == User.id)
        .where(User.email == invitation["email"])
    )
    invited: Record | None = (await uow.fetch(statement)).one_or_none()
    if invited is not None and (invited.role is not None or not invited.is_active):
        return
    if invited is not None:
        details = {"invitation_id": str(invitation["id"]), "role": invitation["role"]}
        news = News(Kind.INVITED, project_id, actor_id=actor.user_id, actor_name=actor.name, details=details)
        await tell(uow, news, {invited.id: Why.INVITED})
        wanted = decide(news.kind, Why.INVITED, to_wishes(invited.settings), project_id, Watching.DEFAULT)
        if Channel.EMAIL not in wanted:
            return
    if mailing.is_on:
        language = invited.language if invited is not None else await _language_of(uow, actor.user_id)
        data = {"invitation_id": str(invitation["id"])}
        await post(uow, MailKind.INVITATION, address=invitation["email"], language=language, data=data)


async def _language_of(uow: UnitOfWork, user_id: UUID) -> str:
    return (await uow.fetch(select(User.language).where(User.id == user_id))).scalar_one()


def by_token(token: str) -> ColumnElement[bool]:
    """Return the condition that an invitation is the one of a link."""
    return InvitationRow.digest == digest(token)


async def find(uow: UnitOfWork, which: ColumnElement[bool]) -> Record:
    """Return a valid invitation with the names it shows.

    Raises:
        NotFound: unknown, expired, revoked or used, or its maker could not make it any more.
    """
    row: Record | None = (await uow.fetch(_select_valid(which))).one_or_none()
    if row is None or not may_set_role(Role(row.inviter_role), None, Role(row.role)):
        message = "this invitation is not valid (any more); ask for a new one"
        raise NotFound(message)
    return row


def _select_valid(which: ColumnElement[bool]) -> Select[*tuple[object, ...]]:
    inviter_role = MemberRow.role.label("inviter_role")
    return (
        select(InvitationRow, Project.name.label("project_name"), User.name.label("inviter_name"), inviter_role)
        .join(Project, Project.id == InvitationRow.project_id)
        .join(User, User.id == InvitationRow.created_by)
        .join(
            MemberRow,
            (MemberRow.project_id == InvitationRow.project_id) & (MemberRow.user_id == InvitationRow.created_by),
        )
        .where(
            which,
            InvitationRow.expires_at > utc_now(),
            User.is_active,
            Project.deleted_at.is_(None),
        )
    )


def _to_invitation(row: Record) -> Invitation:
    return Invitation(
        id=row.id,
        project_id=row.project_id,
        email=row.email,
        role=row.role,
        created_at=row.created_at,
        expires_at=row.expires_at,
        token=None,
        url=None,
    )
