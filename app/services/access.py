"""Who is asking, and may they: the way every service reaches a project.

A child is never loaded by its bare id; it is found through its project, after the project's permission was asked.
What may not be seen and what does not exist get the same answer.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import InstrumentedAttribute

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.errors import Forbidden, NotFound, Unauthorized
from app.models import Comment, Member, Project, Session, Task, User
from app.permissions import Action, Role, Visibility, may, may_see

Record = Row[*tuple[Any, ...]]
"""A row of a table; its columns are attributes."""

_NO_PROJECT = "no such project, or you may not see it"
_ACTION_PHRASE = {
    Action.READ: "read this project",
    Action.SEE_MEMBERS_LIST: "see who its members are",
    Action.SIGNAL: "show others what you are doing here",
    Action.COMMENT: "comment here",
    Action.EDIT_TASKS: "change tasks here",
    Action.EDIT_LABELS: "change labels here",
    Action.MODERATE_COMMENTS: "change other people's comments",
    Action.EDIT_COLUMNS: "change columns here",
    Action.EDIT_PROJECT: "change this project",
    Action.MANAGE_MEMBERS: "manage its members",
    Action.MANAGE_OWNERS: "change who owns it",
    Action.DELETE_PROJECT: "delete this project",
}


@dataclass(frozen=True, slots=True)
class Actor:
    """The signed-in person a request acts for."""

    user_id: UUID
    session_id: UUID
    name: str
    is_admin: bool


@dataclass(frozen=True, slots=True)
class ProjectAccess:
    """A project in which the actor may do what was asked. `row` has the columns of `Project`."""

    id: UUID
    key: str
    role: Role | None
    row: Record


async def load_actor(uow: UnitOfWork, user_id: UUID, session_id: UUID) -> Actor:
    """Return the person behind a session that is still good.

    Raises:
        Unauthorized: the session has ended or the account was deactivated.
    """
    statement = (
        select(User.id, User.name, User.is_admin)
        .join(Session, Session.user_id == User.id)
        .where(
            Session.id == session_id,
            User.id == user_id,
            User.is_active,
            Session.ended_at.is_(None),
            Session.expires_at > utc_now(),
        )
    )
    row = (await uow.fetch(statement)).one_or_none()
    if row is None:
        message = "this session has ended; sign in again"
        raise Unauthorized(message)
    return Actor(row.id, session_id, row.name, row.is_admin)


async def open_project(
    uow: UnitOfWork, actor: Actor | None, project_id: UUID, action: Action, *, lock: bool = False
) -> ProjectAccess:
    """Return the project if the actor may do `action` in it; with `lock`, hold its row until the transaction ends.

    Raises:
        NotFound: no such project, or not visible to the actor.
        Forbidden: visible, but the actor's role does not suffice.
    """
    return await _open(uow, actor, Project.id == project_id, action, lock=lock, missing=_NO_PROJECT)


async def open_task(
    uow: UnitOfWork, actor: Actor | None, task_id: UUID, action: Action, *, lock: bool = False
) -> ProjectAccess:
    """Return the project of a task, like `open_project`; the task itself is then loaded within it."""
    return await _open_parent(uow, actor, Task.project_id, Task.id == task_id, action, "task", lock=lock)


async def open_comment(
    uow: UnitOfWork, actor: Actor | None, comment_id: UUID, action: Action, *, lock: bool = False
) -> ProjectAccess:
    """Return the project of a comment, like `open_project`."""
    return await _open_parent(uow, actor, Comment.project_id, Comment.id == comment_id, action, "comment", lock=lock)


def require(project: ProjectAccess, action: Action) -> None:
    """Ask for one more right in a project already open.

    Raises:
        Forbidden: the role does not suffice.
    """
    if not may(project.role, action):
        message = f"your role does not let you {_ACTION_PHRASE[action]}; ask an owner or admin of the project"
        raise Forbidden(message)


async def _open_parent(
    uow: UnitOfWork,
    actor: Actor | None,
    project_id: InstrumentedAttribute[UUID],
    child: ColumnElement[bool],
    action: Action,
    noun: str,
    *,
    lock: bool,
) -> ProjectAccess:
    condition = Project.id == select(project_id).where(child).scalar_subquery()
    return await _open(uow, actor, condition, action, lock=lock, missing=f"no such {noun}, or you may not see it")


async def _open(
    uow: UnitOfWork,
    actor: Actor | None,
    which: ColumnElement[bool],
    action: Action,
    *,
    lock: bool,
    missing: str,
) -> ProjectAccess:
    user_id = actor.user_id if actor else None
    if lock:
        await uow.lock(select(Project.id).where(which))
    statement = (
        select(Project, Member.role)
        .outerjoin(Member, (Member.project_id == Project.id) & (Member.user_id == user_id))
        .where(which, Project.deleted_at.is_(None))
    )
    row = (await uow.fetch(statement)).one_or_none()
    role = Role(row.role) if row is not None and row.role is not None else None
    if row is None or not may_see(role, Visibility(row.visibility)):
        raise NotFound(missing)
    project = ProjectAccess(row.id, row.key, role, row)
    require(project, action)
    return project
