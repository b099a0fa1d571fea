"""Members and their roles. The last owner who can sign in stays: somebody can always do everything."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.domain.events import EventType
from app.domain.notifying import Kind, Why
from app.errors import Forbidden, LastOwner, NotFound
from app.models import Member as MemberRow
from app.models import Task, TaskAssignee, User
from app.permissions import Action, Role, may_set_role
from app.schemas.base import Page, decode_cursor, make_page
from app.schemas.projects import Member, MemberUpdate
from app.schemas.users import User as Account
from app.services import facts, notifications
from app.services.access import Actor, ProjectAccess, Record, open_project
from app.services.notifying import News, tell


async def list_members(
    uow: UnitOfWork, actor: Actor, project_id: UUID, *, cursor: str | None, limit: int
) -> Page[Member]:
    """Return a page of a project's members."""
    project = await open_project(uow, actor, project_id, Action.SEE_MEMBERS_LIST)
    found = await fetch_members(uow, project.id, after=decode_cursor(cursor, UUID), limit=limit + 1)
    return make_page(found, limit, lambda member: (member.user_id,))


async def join(uow: UnitOfWork, actor: Actor, project_id: UUID, user: Record | Account, role: Role) -> Member:
    """Make a user (or a row with their id, name, avatar_color) a member, under the project's lock."""
    member = Member(user_id=user.id, name=user.name, avatar_color=user.avatar_color, role=role, joined_at=utc_now())
    row = {"project_id": project_id, "user_id": user.id, "role": role.value, "joined_at": member.joined_at}
    await uow.execute(insert(MemberRow).values(row))
    await facts.record(uow, project_id, EventType.PROJECT_MEMBER_ADDED, "member", member, [])
    await _tell(uow, actor, Kind.PROJECT_ADDED, project_id, member)
    return member


async def change_role(uow: UnitOfWork, actor: Actor, project_id: UUID, user_id: UUID, body: MemberUpdate) -> Member:
    """Give a member another role."""
    project = await open_project(uow, actor, project_id, Action.MANAGE_MEMBERS, lock=True)
    member = await _get_member(uow, project, user_id)
    check_may_set(project, member.role, body.role)
    if member.role is body.role:
        return member
    await _check_owner_remains(uow, project, member)
    where = (MemberRow.project_id == project.id, MemberRow.user_id == user_id)
    await uow.execute(update(MemberRow).where(*where).values(role=body.role.value))
    changed = member.model_copy(update={"role": body.role})
    await facts.record(uow, project.id, EventType.PROJECT_MEMBER_UPDATED, "member", changed, ["role"])
    await _tell(uow, actor, Kind.ROLE_CHANGED, project.id, changed)
    return changed


async def remove(uow: UnitOfWork, actor: Actor, project_id: UUID, user_id: UUID) -> None:
    """Remove a member, or leave (oneself). Their assignments in this project end with it."""
    leaving = actor.user_id == user_id
    action = Action.SEE_MEMBERS_LIST if leaving else Action.MANAGE_MEMBERS
    project = await open_project(uow, actor, project_id, action, lock=True)
    member = await _get_member(uow, project, user_id)
    if not leaving:
        check_may_set(project, member.role, None)
    await _check_owner_remains(uow, project, member)
    tasks = select(Task.id).where(Task.project_id == project.id)
    await uow.execute(delete(TaskAssignee).where(TaskAssignee.user_id == user_id, TaskAssignee.task_id.in_(tasks)))
    await uow.execute(delete(MemberRow).where(MemberRow.project_id == project.id, MemberRow.user_id == user_id))
    await facts.record(uow, project.id, EventType.PROJECT_MEMBER_REMOVED, "member", member, [])
    await notifications.forget_project(uow, user_id, project.id)
    await _tell(uow, actor, Kind.PROJECT_REMOVED, project.id, member)


async def fetch_members(
    uow: UnitOfWork, project_id: UUID, *, after: list[UUID] | None = None, limit: int | None = None
) -> list[Member]:
    """Return members by user id."""
    statement = _members(project_id).order_by(MemberRow.user_id).limit(limit)
    if after:
        statement = statement.where(MemberRow.user_id > after[0])
    return [_to_member(row) for row in (await uow.fetch(statement)).all()]


async def find_member(uow: UnitOfWork, project_id: UUID, user_id: UUID) -> Member | None:
    """Return one member, or None."""
    row = (await uow.fetch(_members(project_id).where(MemberRow.user_id == user_id))).one_or_none()
    return _to_member(row) if row is not None else None


def check_may_set(project: ProjectAccess, target: Role | None, new: Role | None) -> None:
    """See that the actor may turn one role into another; None: no member.

    Raises:
        Forbidden: only owners make and unmake owners.
    """
    if project.role is None or not may_set_role(project.role, target, new):
        message = "only an owner of the project can add, change or remove an owner"
        raise Forbidden(message)


def _members(project_id: UUID) -> Select[*tuple[Any, ...]]:
    columns = (User.name, User.avatar_color, MemberRow.user_id, MemberRow.role, MemberRow.joined_at)
    return select(*columns).join(User, User.id == MemberRow.user_id).where(MemberRow.project_id == project_id)


def _to_member(row: Record) -> Member:
    return Member(
        user_id=row.user_id,
        name=row.name,
        avatar_color=row.avatar_color,
        role=row.role,
        joined_at=row.joined_at,
    )


async def _get_member(uow: UnitOfWork, project: ProjectAccess, user_id: UUID) -> Member:
    member = await find_member(uow, project.id, user_id)
    if member is None:
        message = "no such member in this project"
        raise NotFound(message)
    return member


async def _tell(uow: UnitOfWork, actor: Actor, kind: Kind, project_id: UUID, member: Member) -> None:
    """Tell somebody of their place in a project."""
    details = {} if kind is Kind.PROJECT_REMOVED else {"role": member.role.value}
    news = News(kind, project_id, actor_id=actor.user_id, actor_name=actor.name, details=details)
    await tell(uow, news, {member.user_id: Why.MEMBER})


async def _check_owner_remains(uow: UnitOfWork, project: ProjectAccess, member: Member) -> None:
    if member.role is not Role.OWNER:
        return
    others = (
        select(MemberRow.user_id)
        .join(User, User.id == MemberRow.user_id)
        .where(MemberRow.project_id == project.id, MemberRow.role == Role.OWNER.value)
        .where(MemberRow.user_id != member.user_id, User.is_active)
        .limit(1)
    )
    if (await uow.fetch(others)).one_or_none() is None:
        message = "the last owner who can sign in stays; make somebody else an owner first, or delete the project"
        raise LastOwner(message)
