"""Who is asking, and may they: the way every service reaches a project.

A child is never loaded by its bare id; it is found through its project, after the project's permission was asked.
What may not be seen and what does not exist get the same answer.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.errors import Forbidden, NotFound, Unauthorized
from app.models import Comment, Member, Project, Session, Task, User
from app.permissions import Action, Role, Visibility, may, may_see
from app.services.standing import is_good

Record = Row[*tuple[Any, ...]]
"""A row of a table; its columns are attributes."""

_ACTION_PHRASE = {
    Action.READ: "read this project",
    Action.SEE_MEMBERS_LIST: "see who its members are",
    Action.SIGNAL: "show others what you are doing here",
    Action.SAVE_VIEWS: "keep views of this project",
    Action.BE_TOLD: "be told of what happens here",
    Action.COMMENT: "comment here",
    Action.EDIT_TASKS: "change tasks here",
    Action.EDIT_LABELS: "change labels here",
    Action.MODERATE_COMMENTS: "change other people's comments",
    Action.EDIT_COLUMNS: "change columns here",
    Action.EDIT_PROJECT: "change this project",
    Action.MANAGE_MEMBERS: "manage its members",
    Action.MANAGE_OWNERS: "change who owns it",
    Action.DELETE_PROJECT: "delete this project or take it back",
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


_ACTOR = (
    select(User.id, User.name, User.is_admin)
    .join(Session, Session.user_id == User.id)
    .where(Session.id == bindparam("session"), User.id == bindparam("user"), is_good(bindparam("now")))
)


async def load_actor(uow: UnitOfWork, user_id: UUID, session_id: UUID) -> Actor:
    """Return the person behind a session that is still good.

    Raises:
        Unauthorized: the session has ended or the account was deactivated.
    """
    row = (await uow.find(_ACTOR, {"user": user_id, "session": session_id, "now": utc_now()})).one_or_none()
    if row is None:
        message = "this session has ended; sign in again"
        raise Unauthorized(message)
    return Actor(row.id, session_id, row.name, row.is_admin)


_IS_THERE = Project.deleted_at.is_(None)


class _Way:
    """A way to a project: the statements that lock it and read it, built once, and what is said when it leads nowhere.

    `which` finds the project by the parameter `id`; `there` is what else must be true of it.
    """

    def __init__(self, which: ColumnElement[bool], noun: str, there: ColumnElement[bool] = _IS_THERE) -> None:
        self.missing = f"no such {noun}, or you may not see it"
        self.lock = select(Project.id).where(which)
        membership = (Member.project_id == Project.id) & (Member.user_id == bindparam("user"))
        self.read = select(Project, Member.role).outerjoin(Member, membership).where(which, there)


def _parent(project_id: InstrumentedAttribute[UUID], child_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    return Project.id == select(project_id).where(child_id == bindparam("id")).scalar_subquery()


_BY_ID = _Way(Project.id == bindparam("id"), "project")
_BY_TASK = _Way(_parent(Task.project_id, Task.id), "task")
_BY_COMMENT = _Way(_parent(Comment.project_id, Comment.id), "comment")
_DELETED_OR_NOT = _Way(Project.id == bindparam("id"), "project", _IS_THERE | (Member.role == Role.OWNER.value))


async def open_project(
    uow: UnitOfWork, actor: Actor | None, project_id: UUID, action: Action, *, lock: bool = False
) -> ProjectAccess:
    """Return the project if the actor may do `action` in it; with `lock`, hold its row until the transaction ends.

    Raises:
        NotFound: no such project, or not visible to the actor.
        Forbidden: visible, but the actor's role does not suffice.
    """
    return await _open(uow, actor, _BY_ID, project_id, action, lock=lock)


async def open_task(
    uow: UnitOfWork, actor: Actor | None, task_id: UUID, action: Action, *, lock: bool = False
) -> ProjectAccess:
    """Return the project of a task, like `open_project`; the task itself is then loaded within it."""
    return await _open(uow, actor, _BY_TASK, task_id, action, lock=lock)


async def open_comment(
    uow: UnitOfWork, actor: Actor | None, comment_id: UUID, action: Action, *, lock: bool = False
) -> ProjectAccess:
    """Return the project of a comment, like `open_project`."""
    return await _open(uow, actor, _BY_COMMENT, comment_id, action, lock=lock)


async def open_even_deleted(uow: UnitOfWork, actor: Actor, project_id: UUID) -> ProjectAccess:
    """Return a project, its row held, for whoever may delete it; a deleted one is there for its owners alone."""
    return await _open(uow, actor, _DELETED_OR_NOT, project_id, Action.DELETE_PROJECT, lock=True)


def require(project: ProjectAccess, action: Action) -> None:
    """Ask for one more right in a project already open.

    Raises:
        Forbidden: the role does not suffice.
    """
    if not may(project.role, action):
        message = f"your role does not let you {_ACTION_PHRASE[action]}; ask an owner or admin of the project"
        raise Forbidden(message)


async def _open(
    uow: UnitOfWork, actor: Actor | None, way: _Way, id_: UUID, action: Action, *, lock: bool
) -> ProjectAccess:
    if lock:
        await uow.lock(way.lock, {"id": id_})
    row = (await uow.find(way.read, {"id": id_, "user": actor.user_id if actor else None})).one_or_none()
    role = Role(row.role) if row is not None and row.role is not None else None
    if row is None or not may_see(role, Visibility(row.visibility)):
        raise NotFound(way.missing)
    project = ProjectAccess(row.id, row.key, role, row)
    require(project, action)
    return project
