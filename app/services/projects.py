"""Projects: list, create with the usual three columns, change, delete and take back."""

import re
import secrets
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain import ranking
from app.domain.clock import utc_now
from app.domain.events import EventType
from app.models import BoardColumn, Member, Notification, User
from app.models import Project as ProjectRow
from app.permissions import Action, Role
from app.schemas.base import Page, decode_cursor, make_page
from app.schemas.projects import DeletedProject, Project, ProjectCreate, ProjectUpdate, ProjectWithRole
from app.schemas.users import Language
from app.security import new_id
from app.services import facts
from app.services.access import Actor, Record, open_even_deleted, open_project
from app.services.deliveries import close_pushes
from app.services.notices import tell_of_change

DEFAULT_COLUMNS: Final = ("todo", "in_progress", "done")
DONE_COLUMN: Final = "done"
COLUMN_NAMES: Final = {
    Language.EN: ("To do", "In progress", "Done"),
    Language.RU: ("Сделать", "В работе", "Готово"),
}
MAX_KEY_LENGTH: Final = 10
_CYRILLIC: Final = dict(
    zip(
        "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ",
        "A B V G D E E ZH Z I Y K L M N O P R S T U F KH TS CH SH SCH _ Y _ E YU YA".replace("_", "").split(" "),
        strict=True,
    )
)


async def list_projects(uow: UnitOfWork, actor: Actor, *, cursor: str | None, limit: int) -> Page[ProjectWithRole]:
    """Return a page of the projects the actor is a member of, oldest first."""
    rows = (await uow.fetch(_select_own(actor, cursor, limit).where(ProjectRow.deleted_at.is_(None)))).all()
    return make_page([_with_role(row, Role(row.role)) for row in rows], limit, lambda project: (project.id,))


async def list_deleted(uow: UnitOfWork, actor: Actor, *, cursor: str | None, limit: int) -> Page[DeletedProject]:
    """Return a page of the deleted projects that the actor can take back, oldest first."""
    is_mine = (Member.role == Role.OWNER.value, ProjectRow.deleted_at.is_not(None))
    rows = (await uow.fetch(_select_own(actor, cursor, limit).where(*is_mine))).all()
    found = [DeletedProject(**to_project(row).model_dump(), deleted_at=row.deleted_at) for row in rows]
    return make_page(found, limit, lambda project: (project.id,))


async def get_project(uow: UnitOfWork, actor: Actor | None, project_id: UUID) -> ProjectWithRole:
    """Return one project."""
    project = await open_project(uow, actor, project_id, Action.READ)
    return _with_role(project.row, project.role)


async def create(uow: UnitOfWork, actor: Actor, body: ProjectCreate) -> ProjectWithRole:
    """Create a project owned by the actor, its columns named in their language.

    Its log begins empty: the first event will be number 1.
    """
    now = utc_now()
    language = (await uow.fetch(select(User.language).where(User.id == actor.user_id))).scalar_one()
    project = Project(
        id=new_id(),
        key=body.key or make_key(body.name),
        name=body.name,
        description=body.description,
        visibility=body.visibility,
        version=1,
        created_at=now,
        updated_at=now,
    )
    log = {"epoch": new_epoch(), "event_seq": 0, "event_floor": 0, "last_task_number": 0, "deleted_at": None}
    columns = project.model_dump() | {"visibility": project.visibility.value} | log
    await uow.execute(insert(ProjectRow).values(columns))
    owner = {"project_id": project.id, "user_id": actor.user_id, "role": Role.OWNER.value, "joined_at": now}
    await uow.execute(insert(Member).values(owner))
    await uow.execute(insert(BoardColumn), _default_columns(project.id, Language(language)))
    return ProjectWithRole(**project.model_dump(), role=Role.OWNER)


async def update_project(uow: UnitOfWork, actor: Actor, project_id: UUID, body: ProjectUpdate) -> ProjectWithRole:
    """Change the fields that are set in `body`."""
    opened = await open_project(uow, actor, project_id, Action.EDIT_PROJECT, lock=True)
    project = to_project(opened.row)
    changed = facts.changed_fields(project, {name: getattr(body, name) for name in body.model_fields_set})
    if changed:
        project = project.model_copy(update=changed | {"version": project.version + 1, "updated_at": utc_now()})
        columns = project.model_dump(exclude={"id", "key"}) | {"visibility": project.visibility.value}
        await uow.execute(update(ProjectRow).where(ProjectRow.id == project_id).values(columns))
        await _record(uow, project, EventType.PROJECT_UPDATED, list(changed))
    return ProjectWithRole(**project.model_dump(), role=opened.role)


async def delete_project(uow: UnitOfWork, actor: Actor, project_id: UUID) -> None:
    """Hide a project from everybody, until it is taken back or forgotten. An event tells those who look at it."""
    opened = await open_project(uow, actor, project_id, Action.DELETE_PROJECT, lock=True)
    project = to_project(opened.row)
    await _record(uow, project, EventType.PROJECT_DELETED, [])
    now = utc_now()
    await uow.execute(update(ProjectRow).where(ProjectRow.id == project_id).values(deleted_at=now))
    await tell_of_change(uow, Notification.project_id == project_id)
    await close_pushes(uow, Notification.project_id == project_id, now)


async def restore(uow: UnitOfWork, actor: Actor, project_id: UUID) -> ProjectWithRole:
    """Take a deleted project back, with all that was in it; one that is there stays as it is.

    Its log goes on, under a new name: whoever reads on from before would meet the deletion, and forget their copy.
    """
    opened = await open_even_deleted(uow, actor, project_id)
    project = to_project(opened.row)
    if opened.row.deleted_at is not None:
        life = {"deleted_at": None, "epoch": new_epoch()}
        await uow.execute(update(ProjectRow).where(ProjectRow.id == project_id).values(life))
        await _record(uow, project, EventType.PROJECT_RESTORED, [])
        await tell_of_change(uow, Notification.project_id == project_id)
    return ProjectWithRole(**project.model_dump(), role=opened.role)


async def renew_epochs(uow: UnitOfWork) -> None:
    """Give every log a new name: the database is an earlier state, whose positions now mean something else."""
    for project_id in (await uow.fetch(select(ProjectRow.id))).scalars().all():
        await uow.execute(update(ProjectRow).where(ProjectRow.id == project_id).values(epoch=new_epoch()))
    await uow.execute(update(User).values(notice_epoch=new_epoch()))


def to_project(row: Record) -> Project:
    """Return the project of one row."""
    return Project(**{name: getattr(row, name) for name in Project.model_fields})


def make_key(name: str) -> str:
    """Return initials of the words, or the beginning of a single one, in Latin capitals: `Новый сайт` → `NS`."""
    latin = "".join(_CYRILLIC.get(letter, letter) for letter in name.upper())
    words = re.findall(r"[A-Z][A-Z0-9]*", latin)
    if not words:
        return "TASK"
    key = "".join(word[0] for word in words) if len(words) > 1 else words[0][:4]
    return key[:MAX_KEY_LENGTH]


def new_epoch() -> str:
    """Return a name for the life of a log."""
    return secrets.token_hex(6)


def _select_own(actor: Actor, cursor: str | None, limit: int) -> Select[*tuple[Any, ...]]:
    statement = (
        select(ProjectRow, Member.role)
        .join(Member, Member.project_id == ProjectRow.id)
        .where(Member.user_id == actor.user_id)
        .order_by(ProjectRow.id)
        .limit(limit + 1)
    )
    after = decode_cursor(cursor, UUID)
    return statement.where(ProjectRow.id > after[0]) if after else statement


def _default_columns(project_id: UUID, language: Language) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    position = None
    for key, name in zip(DEFAULT_COLUMNS, COLUMN_NAMES[language], strict=True):
        position = ranking.between(position, None)
        column = {"id": new_id(), "project_id": project_id, "key": key, "name": name, "is_done": key == DONE_COLUMN}
        rows.append(column | {"position": position, "wip_limit": None})
    return rows


async def _record(uow: UnitOfWork, project: Project, type_: EventType, changes: list[str]) -> None:
    """The envelope names the project, so its own id is left out of the data."""
    data = project.model_dump(mode="json", exclude={"id"})
    await uow.record(project.id, type_, data | {"changes": sorted(changes)})


def _with_role(row: Record, role: Role | None) -> ProjectWithRole:
    return ProjectWithRole(**to_project(row).model_dump(), role=role)
