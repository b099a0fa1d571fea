"""Makes the demo's people and boards in an empty database, through the services, so that every row has its event.

All of it is one transaction: a start that was interrupted has made nothing. A database that holds other people is never
touched: the data directory of a demo carries a mark, and one without it must be empty.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from app.db.unit_of_work import Database, UnitOfWork
from app.demo.content import BoardColumn, Card, Content, Person, Project
from app.domain.clock import utc_now
from app.errors import Conflict, NotFound
from app.permissions import Role
from app.schemas.projects import ColumnCreate, ColumnUpdate, LabelCreate, ProjectCreate
from app.schemas.tasks import ChecklistItemInput, CommentWrite, TaskCreate
from app.schemas.users import Language, Register, User
from app.schemas.views import SavedViewCreate
from app.security import Passwords
from app.services import columns, comments, labels, members, projects, task_shelves, tasks, users, views
from app.services.access import Actor

MARK: Final = "this-is-a-demo"
"""A file in the data directory that says the board in it may be played with."""
PASSWORD_BYTES: Final = 9


@dataclass(frozen=True, slots=True)
class Account:
    """How somebody of the demo signs in, until the next start."""

    person: Person
    password: str


def claim(data_dir: Path) -> None:
    """Make the demo's directory, or take the one of an earlier demo.

    Raises:
        Conflict: there is something in it, and no mark that it is a demo's.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    mark = data_dir / MARK
    if not mark.exists() and any(data_dir.iterdir()):
        message = f"{data_dir} holds something that is no demo; give the demo another folder with --data"
        raise Conflict(message)
    mark.touch()


async def prepare(database: Database, content: Content, passwords: Passwords | None = None) -> list[Account]:
    """Fill an empty database, or take the demo that is there; give everybody a new password either way.

    Raises:
        Conflict: somebody of the file is not in the demo that is there.
    """
    passwords = passwords or Passwords()
    async with database.read() as uow:
        is_empty = await users.needs_admin(uow)
    accounts = [Account(person, secrets.token_urlsafe(PASSWORD_BYTES)) for person in content.people]
    if is_empty:
        hashes = {account.person.id: await passwords.hash(account.password) for account in accounts}
        async with database.write() as uow:
            await fill(uow, content, hashes)
    else:
        for account in accounts:
            await _renew_password(database, passwords, account)
    return accounts


async def fill(uow: UnitOfWork, content: Content, hashes: Mapping[str, str]) -> None:
    """Make every account and every board of the file."""
    people: dict[str, User] = {}
    for person in content.people:
        register = Register(
            email=person.email,
            password=secrets.token_urlsafe(),
            name=person.name,
            language=Language(person.language),
            time_zone=person.time_zone,
        )
        is_admin = person.role is Role.OWNER
        people[person.id] = await users.insert_user(uow, register, hashes[person.id], is_admin=is_admin)
    for project in content.projects:
        await _Builder(uow, content, people, utc_now()).build(project)


async def _renew_password(database: Database, passwords: Passwords, account: Account) -> None:
    try:
        async with database.read() as uow:
            user = await users.find_by_email(uow, account.person.email)
    except NotFound:
        message = f"{account.person.email} is not in this demo any more; delete its folder to have a new one"
        raise Conflict(message) from None
    password_hash = await passwords.hash(account.password)
    await database.change(lambda uow: users.store_password(uow, user.id, password_hash))  # who is signed in stays so


class _Builder:
    """Builds one board in one transaction, each change in the name of whoever makes it."""

    def __init__(self, uow: UnitOfWork, content: Content, people: Mapping[str, User], now: datetime) -> None:
        self._uow = uow
        self._content = content
        self._people = people
        self._now = now
        self._labels: dict[str, UUID] = {}

    async def build(self, project: Project) -> UUID:
        """Make the project with everything in it; return its id."""
        owner = self._act_as(next(person.id for person in self._content.people if person.role is Role.OWNER))
        body = ProjectCreate(
            name=project.name, key=project.key, description=project.description, visibility=project.visibility
        )
        project_id = (await projects.create(self._uow, owner, body)).id
        for person in self._content.people:
            if person.role is not Role.OWNER:
                await members.join(self._uow, owner, project_id, self._people[person.id], person.role)
        await self._set_columns(owner, project_id, project.columns)
        for label in project.labels:
            made = await labels.create(self._uow, owner, project_id, LabelCreate(name=label.name, color=label.color))
            self._labels[label.name] = made.id
        for card in project.tasks:
            await self._add_task(project_id, card)
        ids = {name: str(user.id) for name, user in self._people.items()}
        ids |= {name: str(label_id) for name, label_id in self._labels.items()}
        for view in project.views:
            wanted = SavedViewCreate(name=view.name, query=view.query.format_map(ids))
            await views.create(self._uow, self._act_as(view.who), project_id, wanted)
        return project_id

    async def _set_columns(self, owner: Actor, project_id: UUID, wanted: tuple[BoardColumn, ...]) -> None:
        """Bring the three columns every project begins with to those of the file."""
        usual = await columns.fetch_columns(self._uow, project_id)
        keys = {column.key for column in wanted}
        kept = {column.key: column for column in usual if column.key in keys}
        for column in wanted:
            fields = {"name": column.name, "wip_limit": column.wip_limit, "is_done": column.is_done}
            if column.key in kept:
                change = ColumnUpdate.model_validate(fields | await self._place_last(project_id, kept[column.key].id))
                made = await columns.update_column(self._uow, owner, project_id, kept[column.key].id, change)
            else:
                made = await columns.create(self._uow, owner, project_id, ColumnCreate.model_validate(fields))
            if made.key != column.key:
                message = f"the column {column.name!r} gets the key {made.key!r}; write that into the file"
                raise Conflict(message)
        for unwanted in usual:
            if unwanted.key not in keys:
                await columns.delete_column(self._uow, owner, project_id, unwanted.id)

    async def _place_last(self, project_id: UUID, column_id: UUID) -> dict[str, UUID]:
        """Return what moves a column to the end; nothing when it is there."""
        last = (await columns.fetch_columns(self._uow, project_id))[-1]
        return {} if last.id == column_id else {"after_id": last.id}

    async def _add_task(self, project_id: UUID, card: Card) -> None:
        body = TaskCreate(
            project_id=project_id,
            title=card.title,
            description=card.description,
            status=card.column,
            priority=card.priority,
            label_ids=[self._labels[name] for name in card.labels],
            assignee_ids=[self._people[name].id for name in card.who],
            due=card.due_text(self._now),
            checklist=[ChecklistItemInput(text=line.text, done=line.done) for line in card.checklist],
        )
        task = await tasks.create(self._uow, self._act_as(card.by), body)
        for remark in card.comments:
            await comments.create(self._uow, self._act_as(remark.who), task.id, CommentWrite(body=remark.text))
        if card.archived:
            await task_shelves.archive(self._uow, self._act_as(card.by), task.id)

    def _act_as(self, person: str) -> Actor:
        user = self._people[person]
        self._uow.actor_id = user.id
        return Actor(user.id, session_id=user.id, name=user.name, is_admin=user.is_admin)
