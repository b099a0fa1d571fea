"""Who is online, over all servers: a person is, while one of their connections is open anywhere.

Each server knows its own people and tells the others by signals; nothing is stored. Somebody whose last connection has
gone stays online for a grace period, so a reload is not seen. A server that falls silent takes its people with it.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson

from app.websocket.events import EventType, UserEvent

ANNOUNCE_S: Final = 10.0
"""How often a server tells the others who is connected to it."""
SERVER_SILENT_S: Final = 20.0
"""A server not heard of for this long is gone. Looked at with every announcement, so found out within 30 s."""

Announce = Callable[[dict[str, Any]], None]
Show = Callable[[UUID, UserEvent], Any]


@dataclass(slots=True)
class Person:
    """Somebody connected to one server: how often, and which card they look at in which project."""

    name: str
    projects: set[UUID]
    devices: int = 0
    viewing: dict[UUID, UUID | None] = field(default_factory=dict)


@dataclass(slots=True)
class _Listed:
    """Somebody who is online, as lists show them."""

    user_id: UUID
    encoded: bytes | None = None
    """Their entry where they look at nothing; None when it has changed since somebody asked."""
    views: bool = False
    projects: set[UUID] = field(default_factory=set)


@dataclass(slots=True)
class _List:
    """Who is online in one project."""

    people: dict[UUID, _Listed] = field(default_factory=dict)
    encoded: bytes | None = None
    """What whoever joins is given; None when it has changed since somebody asked."""


@dataclass(slots=True)
class _Server:
    people: dict[UUID, Person] = field(default_factory=dict)
    heard_at: float = 0.0


class Presence:
    """Knows who is online and shows changes to the rooms of their projects.

    `announce` tells the other servers; None where there are none. `is_watched` says whether anybody here reads a room.
    """

    def __init__(
        self,
        server_id: str,
        show: Show,
        announce: Announce | None,
        *,
        grace_s: float,
        is_watched: Callable[[UUID], bool] = lambda _: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server_id = server_id
        self._show = show
        self._announce = announce
        self._grace_s = grace_s
        self._is_watched = is_watched
        self._clock = clock
        self._own: dict[UUID, Person] = {}
        self._others: dict[str, _Server] = {}
        self._leaving: dict[UUID, asyncio.TimerHandle] = {}
        self._listed: dict[UUID, _Listed] = {}
        self._lists: defaultdict[UUID, _List] = defaultdict(_List)

    def arrive(self, user_id: UUID, name: str, projects: Iterable[UUID]) -> None:
        """One more connection of a user is open on this server."""
        self._cancel_leaving(user_id)
        was_online = self._is_online(user_id)
        person = self._own.setdefault(user_id, Person(name, set()))
        person.name, person.projects = name, set(projects)
        person.devices += 1
        self._tell(user_id)
        if not was_online:
            self._show_change(user_id, person, EventType.USER_ONLINE)

    def depart(self, user_id: UUID, *, at_once: bool = False) -> None:
        """One connection of a user has closed; with `at_once` (logout) there is no grace."""
        person = self._own.get(user_id)
        if person is None:
            return
        person.devices = max(0, person.devices - 1)
        if person.devices:
            self._tell(user_id)
            return
        self._cancel_leaving(user_id)
        if at_once or self._grace_s == 0:
            self._leave(user_id)
        else:
            loop = asyncio.get_running_loop()
            self._leaving[user_id] = loop.call_later(self._grace_s, self._leave, user_id)

    def view(self, user_id: UUID, project_id: UUID, task_id: UUID | None) -> None:
        """A user looks at a card, or at none."""
        person = self._own.get(user_id)
        if person is not None:
            person.viewing[project_id] = task_id
            self._tell(user_id)

    def set_member(self, user_id: UUID, project_id: UUID, *, is_member: bool) -> None:
        """A user has joined or left a project: whoever is in its room sees them come or go."""
        known = self._everywhere(user_id)
        if all((project_id in person.projects) == is_member for person in known):
            return  # as a rule: who joins is known as a member already
        was_member = any(project_id in person.projects for person in known)
        own = self._own.get(user_id)
        own_changes = own is not None and (project_id in own.projects) != is_member
        for person in known:
            (person.projects.add if is_member else person.projects.discard)(project_id)
            if not is_member:
                person.viewing.pop(project_id, None)
        self._relist(user_id)
        if own_changes:
            self._tell(user_id)
        if was_member != is_member:
            type_ = EventType.USER_ONLINE if is_member else EventType.USER_OFFLINE
            self._show(project_id, self._event(user_id, known[0], project_id, type_))

    def online(self, project_id: UUID) -> bytes:
        """Return the members of a project who are online, as `project_joined` lists them: a JSON array.

        Everybody who joins gets the list, so it is made once for all who come between two changes of it.
        """
        list_ = self._lists.get(project_id)
        if list_ is None:
            return b"[]"
        if list_.encoded is None:
            list_.encoded = b"[%b]" % b",".join([self._entry(listed, project_id) for listed in list_.people.values()])
        return list_.encoded

    def announce_all(self) -> None:
        """Tell the other servers everybody who is connected here, and forget servers that fell silent."""
        if self._announce is not None:
            self._announce({"people": [self._encode(user_id) for user_id in self._own], "whole": True})
        for server_id, server in list(self._others.items()):
            if self._clock() - server.heard_at > SERVER_SILENT_S:
                self._replace(server_id, {})
                del self._others[server_id]

    def on_signal(self, origin: str, data: dict[str, Any]) -> None:
        """Take another server's announcement."""
        if origin == self._server_id:
            return
        server = self._others.setdefault(origin, _Server())
        server.heard_at = self._clock()
        told = dict(_decode(entry) for entry in data["people"])
        gone = [UUID(id_) for id_ in data.get("gone", [])]
        people = told if data.get("whole") else server.people | told
        self._replace(origin, {id_: person for id_, person in people.items() if id_ not in gone})

    def stop(self) -> None:
        """Forget the timers."""
        for handle in self._leaving.values():
            handle.cancel()
        self._leaving.clear()

    def _replace(self, server_id: str, people: dict[UUID, Person]) -> None:
        """Set who is connected to another server, and show who came and who went by that."""
        server = self._others[server_id]
        before, server.people = server.people, {}
        still = {id_ for id_ in before.keys() | people.keys() if self._is_online(id_)}
        server.people = people
        for user_id in before.keys() | people.keys():
            self._relist(user_id)
        for user_id in people.keys() - before.keys() - still:
            self._show_change(user_id, people[user_id], EventType.USER_ONLINE)
        for user_id in before.keys() - people.keys() - still:
            self._show_change(user_id, before[user_id], EventType.USER_OFFLINE)

    def _leave(self, user_id: UUID) -> None:
        self._leaving.pop(user_id, None)
        person = self._own.pop(user_id)
        self._relist(user_id)
        if self._announce is not None:
            self._announce({"people": [], "gone": [str(user_id)]})
        if not self._is_online(user_id):
            self._show_change(user_id, person, EventType.USER_OFFLINE)

    def _cancel_leaving(self, user_id: UUID) -> None:
        handle = self._leaving.pop(user_id, None)
        if handle is not None:
            handle.cancel()

    def _relist(self, user_id: UUID) -> None:
        """Have somebody listed anew in all their projects, and no more in those they have left."""
        people = self._everywhere(user_id)
        listed = self._listed.setdefault(user_id, _Listed(user_id))
        listed.encoded = None
        listed.views = any(person.viewing for person in people)
        projects: set[UUID] = set().union(*(person.projects for person in people))
        for project_id in projects:
            list_ = self._lists[project_id]
            list_.people[user_id], list_.encoded = listed, None
        for project_id in listed.projects - projects:
            list_ = self._lists[project_id]
            del list_.people[user_id]
            list_.encoded = None
            if not list_.people:
                del self._lists[project_id]
        listed.projects = projects
        if not people:
            del self._listed[user_id]

    def _entry(self, listed: "_Listed", project_id: UUID) -> bytes:
        """Return how somebody is listed: encoded once for all projects, unless they look at a card somewhere."""
        if listed.views:
            return orjson.dumps(self._describe(listed.user_id, project_id))
        if listed.encoded is None:
            listed.encoded = orjson.dumps(self._describe(listed.user_id, project_id))
        return listed.encoded

    def _tell(self, user_id: UUID) -> None:
        self._relist(user_id)
        if self._announce is not None:
            self._announce({"people": [self._encode(user_id)]})

    def _show_change(self, user_id: UUID, person: Person, type_: EventType) -> None:
        for project_id in filter(self._is_watched, person.projects):
            self._show(project_id, self._event(user_id, person, project_id, type_))

    def _event(self, user_id: UUID, person: Person, project_id: UUID, type_: EventType) -> UserEvent:
        data: dict[str, Any] = {"user_id": str(user_id), "name": person.name}
        if type_ is EventType.USER_ONLINE:
            data = self._describe(user_id, project_id)
        return UserEvent(type_, data, project_id, user_id)

    def _describe(self, user_id: UUID, project_id: UUID) -> dict[str, Any]:
        people = self._everywhere(user_id)
        viewing = [task for person in people if (task := person.viewing.get(project_id)) is not None]
        return {
            "user_id": str(user_id),
            "name": people[0].name,
            "devices": max(1, sum(person.devices for person in people)),  # within the grace period nobody is gone
            "viewing": str(viewing[0]) if viewing else None,
        }

    def _is_online(self, user_id: UUID) -> bool:
        return bool(self._everywhere(user_id))

    def _everywhere(self, user_id: UUID) -> list[Person]:
        return [people[user_id] for people in self._all_people() if user_id in people]

    def _all_people(self) -> list[dict[UUID, Person]]:
        return [self._own, *(server.people for server in self._others.values())]

    def _encode(self, user_id: UUID) -> dict[str, Any]:
        person = self._own[user_id]
        return {
            "id": str(user_id),
            "name": person.name,
            "devices": person.devices,
            "projects": [str(id_) for id_ in person.projects],
            "viewing": {str(project): str(task) for project, task in person.viewing.items() if task is not None},
        }


def _decode(entry: dict[str, Any]) -> tuple[UUID, Person]:
    viewing: dict[UUID, UUID | None] = {UUID(project): UUID(task) for project, task in entry["viewing"].items()}
    projects = {UUID(id_) for id_ in entry["projects"]}
    return UUID(entry["id"]), Person(entry["name"], projects, entry["devices"], viewing)
