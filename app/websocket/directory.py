"""What the sockets ask the rest of the product: who is this, may they, where does the log stand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from app.db.unit_of_work import Database
from app.domain.events import Event
from app.errors import NotFound, Unauthorized
from app.permissions import Role
from app.security import AccessTokens
from app.services import admission, history, notices, sessions
from app.services.admission import Entry
from app.services.history import LogHead
from app.services.inbox_rows import count_unread
from app.websocket.batcher import Batcher, Receiver
from app.websocket.connection import SocketUser

SESSION_ENDED: Final = "this session has ended; sign in again"


@dataclass(frozen=True, slots=True)
class Admission:
    """Somebody whose session is good, with their name, and the projects they are a member of."""

    user: SocketUser
    project_ids: list[UUID]


class Directory:
    """Answers from the database, in short transactions; questions asked at the same time share one."""

    answers_at_once = False
    """Whether an answer is there on the event loop's next turn: the database lives in this process."""

    def __init__(self, database: Database, tokens: AccessTokens) -> None:
        self._database = database
        self._tokens = tokens
        self._admissions = Batcher(self._find_admissions)
        self.answers_at_once = database.is_sqlite
        self._entries = Batcher(self._find_entries)
        self._own = Batcher(self._find_own)

    def verify(self, token: str) -> SocketUser:
        """Return who an access token speaks for, by the token alone: whether the session is still good is not known.

        Raises:
            Unauthorized: nobody, or (TokenExpired) nobody any more.
        """
        claims = self._tokens.verify(token)
        return SocketUser(claims.user_id, "", claims.session_id, claims.expires_at)

    async def admit(self, user: SocketUser) -> Admission:
        """Return a verified user with their name, and the projects they are a member of.

        Raises:
            Unauthorized: their session has ended.
        """
        found = await self._admissions.ask(user)
        if found is None:
            raise Unauthorized(SESSION_ENDED)
        return found

    def admit_soon(self, user: SocketUser, receiver: Receiver[Admission | None]) -> None:
        """Have `receiver` told what `admit` would return; None: their session has ended."""
        self._admissions.post(user, receiver)

    async def redeem(self, ticket: str) -> SocketUser:
        """Return who a ticket speaks for, and use it up. It is good for as long as an access token would be.

        Raises:
            Unauthorized: nobody.
        """
        async with self._database.write() as uow:
            user_id, session_id = await sessions.redeem_ticket(uow, ticket)
        return SocketUser(user_id, "", session_id, self._tokens.expiry_from_now())

    async def enter(self, user: SocketUser | None, project_id: UUID) -> Entry:
        """Return the project as somebody who wants to read its room finds it.

        Raises:
            NotFound: it does not exist for them.
        """
        entry = await self._entries.ask((user.id if user else None, project_id))
        if entry is None:
            message = "no such project, or you may not see it"
            raise NotFound(message)
        return entry

    async def find_own(self, user_id: UUID) -> tuple[LogHead, int]:
        """Return where somebody's own log stands, and how much of their inbox is unread.

        Raises:
            NotFound: their account is gone.
        """
        found = await self._own.ask(user_id)
        if found is None:
            message = "there is no such account any more"
            raise NotFound(message)
        return found

    async def find_role(self, user: SocketUser | None, project_id: UUID) -> Role | None:
        """Return somebody's role in a project they may read; in their own room there is none.

        Raises:
            NotFound: they may not.
        """
        if user is not None and user.id == project_id:
            return None
        return (await self.enter(user, project_id)).role

    async def read_log(self, project_id: UUID, since: int, limit: int) -> list[Event]:
        """Return events after `since` of a project's log or a user's, in order."""
        async with self._database.read() as uow:
            events = await history.read_events(uow, project_id, since, limit)
            return events or await notices.read_notices(uow, project_id, since, limit)

    async def read_heads(self, project_ids: list[UUID]) -> dict[UUID, LogHead]:
        """Return where some logs stand, of projects and of users."""
        async with self._database.read() as uow:
            heads = await history.read_heads(uow, project_ids)
            others = [id_ for id_ in project_ids if id_ not in heads]
            return heads | (await notices.read_heads(uow, others) if others else {})

    async def find_dead_sessions(self, session_ids: list[UUID], since: datetime) -> set[UUID]:
        """Return those of some sessions that let nobody in any more, and all that were ended since a moment."""
        async with self._database.read() as uow:
            ended = await sessions.find_ended_sessions(uow, since)
            return ended | await sessions.find_dead_sessions(uow, session_ids)

    async def _find_admissions(self, users: Sequence[SocketUser]) -> list[Admission | None]:
        async with self._database.read() as uow:
            people = await admission.find_people(uow, [(user.session_id, user.id) for user in users])
        return [
            None if person is None else Admission(replace(user, name=person.name), person.project_ids)
            for user, person in zip(users, people, strict=True)
        ]

    async def _find_entries(self, asked: Sequence[tuple[UUID | None, UUID]]) -> list[Entry | None]:
        async with self._database.read() as uow:
            return await admission.find_entries(uow, asked)

    async def _find_own(self, user_ids: Sequence[UUID]) -> list[tuple[LogHead, int] | None]:
        async with self._database.read() as uow:
            heads = await notices.read_heads(uow, user_ids)
            unread = await count_unread(uow, user_ids)
        return [(heads[id_], unread.get(id_, 0)) if id_ in heads else None for id_ in user_ids]
