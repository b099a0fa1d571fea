"""Who may come in, asked for many at once: when a server restarts, everybody comes back in the same second.

The same rules as `app.services.access`, each answered for a list of questions by one constant statement a portion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, String, and_, bindparam, cast, func, literal_column, select

from app.db.among import Among, KeyedSelect
from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.models import Member, Project, Session, User
from app.permissions import Action, Role, Visibility, may, may_see
from app.services.history import LogHead
from app.services.standing import is_good

KNOWN_IDS: Final = 10_000
"""Projects whose id is remembered as an object: people come in crowds that share their projects."""
_NOBODY: Final = UUID(int=0)
_to_id = lru_cache(KNOWN_IDS)(UUID)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose session is good: their name, and the projects they are a member of."""

    name: str
    project_ids: list[UUID]


@dataclass(frozen=True, slots=True)
class Entry:
    """A project somebody may read: their role in it (None: it is public), and where its log stands."""

    role: Role | None
    head: LogHead


async def find_people(uow: UnitOfWork, asked: Sequence[tuple[UUID, UUID]]) -> list[Person | None]:
    """Return who is behind each (session, user); None where the session is not, or no longer, good for them."""
    keys = {"session": list({session_id for session_id, _ in asked})}
    found = {
        (session_id, user_id): Person(name, [_to_id(text) for text in project_ids.split(",")] if project_ids else [])
        for session_id, user_id, name, project_ids in await _PEOPLE.find(uow, keys, {"now": utc_now()})
    }
    return [found.get(question) for question in asked]


async def find_entries(uow: UnitOfWork, asked: Sequence[tuple[UUID | None, UUID]]) -> list[Entry | None]:
    """Return for each (user or None, project) how they may read it; None when it does not exist for them."""
    pairs = list(dict.fromkeys(asked))
    keys = {"user": [user or _NOBODY for user, _ in pairs], "project": [project for _, project in pairs]}
    projects: dict[UUID, tuple[Visibility, LogHead]] = {}
    roles: dict[tuple[UUID | None, UUID], Role] = {}
    for project_id, visibility, epoch, seq, floor, user_id, role in await _ENTRIES.find(uow, keys):
        projects[project_id] = Visibility(visibility), LogHead(epoch, seq, floor)
        if user_id is not None:
            roles[user_id, project_id] = Role(role)
    return [_entry(projects.get(project_id), roles.get((user_id, project_id))) for user_id, project_id in asked]


def _entry(project: tuple[Visibility, LogHead] | None, role: Role | None) -> Entry | None:
    if project is None:
        return None
    visibility, head = project
    return Entry(role, head) if may_see(role, visibility) and may(role, Action.READ) else None


def _select_people(among: Among) -> Select[*tuple[Any, ...]]:
    comma: Any = literal_column("','")
    projects = (  # as one text: a row for each project would cost most of what an arrival costs
        select(func.aggregate_strings(cast(Member.project_id, String), comma))
        .join(Project, Project.id == Member.project_id)
        .where(Member.user_id == User.id, Project.deleted_at.is_(None))
        .scalar_subquery()
    )
    return select(Session.id, User.id, User.name, projects).where(
        among(Session.id, "session"), is_good(bindparam("now"))
    )


def _select_entries(among: Among) -> Select[*tuple[Any, ...]]:
    head = (Project.id, Project.visibility, Project.epoch, Project.event_seq, Project.event_floor)
    membership = and_(Member.project_id == Project.id, among(Member.user_id, "user"))
    return (
        select(*head, Member.user_id, Member.role)
        .outerjoin(Member, membership)
        .where(among(Project.id, "project"), Project.deleted_at.is_(None))
    )


_PEOPLE: Final = KeyedSelect(_select_people)
_ENTRIES: Final = KeyedSelect(_select_entries)
