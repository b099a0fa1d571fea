"""What the sockets ask the rest of the product: who is this, may they, where does the log stand."""

from dataclasses import dataclass
from uuid import UUID

from app.db.unit_of_work import Database
from app.domain.events import Event
from app.permissions import Action, Role
from app.security import AccessTokens
from app.services import history, sessions
from app.services.access import Actor, load_actor, open_project
from app.services.history import LogHead
from app.services.projects import member_project_ids
from app.websocket.connection import SocketUser


@dataclass(frozen=True, slots=True)
class Entry:
    """A project somebody may read: their role in it (None: it is public), and where its log stands."""

    role: Role | None
    head: LogHead


class Directory:
    """Answers from the database, each in one short transaction."""

    def __init__(self, database: Database, tokens: AccessTokens) -> None:
        self._database = database
        self._tokens = tokens

    async def identify(self, token: str) -> SocketUser:
        """Return who an access token speaks for.

        Raises:
            Unauthorized: nobody, or (TokenExpired) nobody any more.
        """
        claims = self._tokens.verify(token)
        async with self._database.read() as uow:
            actor = await load_actor(uow, claims.user_id, claims.session_id)
        return SocketUser(actor.user_id, actor.name, actor.session_id, claims.expires_at)

    async def redeem(self, ticket: str) -> SocketUser:
        """Return who a ticket speaks for, and use it up. It is good for as long as an access token would be.

        Raises:
            Unauthorized: nobody.
        """
        async with self._database.write() as uow:
            user_id, session_id = await sessions.redeem_ticket(uow, ticket)
            actor = await load_actor(uow, user_id, session_id)
        return SocketUser(actor.user_id, actor.name, session_id, self._tokens.expiry_from_now())

    async def enter(self, user: SocketUser | None, project_id: UUID) -> Entry:
        """Return the project as somebody who wants to read its room finds it.

        Raises:
            NotFound: it does not exist for them.
        """
        actor = Actor(user.id, user.session_id, user.name, is_admin=False) if user else None
        async with self._database.read() as uow:
            project = await open_project(uow, actor, project_id, Action.READ)
        head = LogHead(project.row.epoch, project.row.event_seq, project.row.event_floor)
        return Entry(project.role, head)

    async def find_role(self, user: SocketUser | None, project_id: UUID) -> Role | None:
        """Return somebody's role in a project they may read.

        Raises:
            NotFound: they may not.
        """
        return (await self.enter(user, project_id)).role

    async def projects_of(self, user: SocketUser) -> list[UUID]:
        """Return the projects somebody is a member of.

        Raises:
            Unauthorized: their session has ended meanwhile.
        """
        async with self._database.read() as uow:
            await load_actor(uow, user.id, user.session_id)
            return await member_project_ids(uow, user.id)

    async def read_log(self, project_id: UUID, since: int, limit: int) -> list[Event]:
        """Return events after `since`, in order."""
        async with self._database.read() as uow:
            return await history.read_events(uow, project_id, since, limit)

    async def read_heads(self, project_ids: list[UUID]) -> dict[UUID, LogHead]:
        """Return where some logs stand."""
        async with self._database.read() as uow:
            return await history.read_heads(uow, project_ids)

    async def find_dead_sessions(self, session_ids: list[UUID]) -> set[UUID]:
        """Return those of some sessions that have ended."""
        async with self._database.read() as uow:
            return await sessions.find_dead_sessions(uow, session_ids)
