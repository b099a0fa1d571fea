"""Who may come in, asked for many at once: when a server restarts, everybody comes back in the same second.

The same rules as `app.services.access`, each answered for a list of questions by a fixed number of queries.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.models import Member, Project, Session, User
from app.permissions import Action, Role, Visibility, may, may_see
from app.services.history import LogHead


@dataclass(frozen=True, slots=True)
class Entry:
    """A project somebody may read: their role in it (None: it is public), and where its log stands."""

    role: Role | None
    head: LogHead


async def find_people(uow: UnitOfWork, session_ids: Sequence[UUID]) -> dict[tuple[UUID, UUID], str]:
    """Return the name of the person behind each of the sessions that are still good, by session and user id."""
    statement = (
        select(Session.id, User.id, User.name)
        .join(User, User.id == Session.user_id)
        .where(Session.id.in_(session_ids), User.is_active, Session.ended_at.is_(None), Session.expires_at > utc_now())
    )
    return {(session_id, user_id): name for session_id, user_id, name in (await uow.fetch(statement)).all()}


async def find_memberships(uow: UnitOfWork, user_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Return the projects each of some users is a member of."""
    statement = (
        select(Member.user_id, Member.project_id)
        .join(Project, Project.id == Member.project_id)
        .where(Member.user_id.in_(user_ids), Project.deleted_at.is_(None))
    )
    found: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for user_id, project_id in (await uow.fetch(statement)).all():
        found[user_id].append(project_id)
    return found


async def find_entries(uow: UnitOfWork, asked: Sequence[tuple[UUID | None, UUID]]) -> list[Entry | None]:
    """Return for each (user or None, project) how they may read it; None when it does not exist for them."""
    project_ids = {project_id for _, project_id in asked}
    columns = (Project.id, Project.visibility, Project.epoch, Project.event_seq, Project.event_floor)
    statement = select(*columns).where(Project.id.in_(project_ids), Project.deleted_at.is_(None))
    projects = {
        id_: (Visibility(visibility), LogHead(epoch, seq, floor))
        for id_, visibility, epoch, seq, floor in (await uow.fetch(statement)).all()
    }
    members = select(Member.user_id, Member.project_id, Member.role).where(
        Member.project_id.in_(project_ids), Member.user_id.in_({user_id for user_id, _ in asked if user_id})
    )
    roles: dict[tuple[UUID | None, UUID], Role] = {
        (user_id, project_id): Role(role) for user_id, project_id, role in (await uow.fetch(members)).all()
    }
    return [_entry(projects.get(project_id), roles.get((user_id, project_id))) for user_id, project_id in asked]


def _entry(project: tuple[Visibility, LogHead] | None, role: Role | None) -> Entry | None:
    if project is None:
        return None
    visibility, head = project
    return Entry(role, head) if may_see(role, visibility) and may(role, Action.READ) else None
