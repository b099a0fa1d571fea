"""What somebody is told, why, and on which way: the kinds, the reasons, everybody's wishes, and the one decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

BURST: Final = timedelta(minutes=1)
"""Changes of one task that follow each other within this are one row of the inbox."""


class Kind(StrEnum):
    """What somebody is told of."""

    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    MENTIONED = "mentioned"
    COMMENTED = "commented"
    STATUS_CHANGED = "status_changed"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    PROJECT_ADDED = "project_added"
    PROJECT_REMOVED = "project_removed"
    ROLE_CHANGED = "role_changed"
    INVITED = "invited"
    CHANGES = "changes"
    """Several of the others on one task within a short time; it is nobody's to choose."""


class Why(StrEnum):
    """What somebody has to do with it, the strongest reason first: they are told of one thing once."""

    MENTIONED = "mentioned"
    ASSIGNEE = "assignee"
    AUTHOR = "author"
    WATCHER = "watcher"
    COMMENTER = "commenter"
    REMINDER = "reminder"
    MEMBER = "member"
    INVITED = "invited"


class Channel(StrEnum):
    """A way to tell somebody."""

    IN_APP = "in_app"
    PUSH = "push"
    EMAIL = "email"


class Watching(StrEnum):
    """What somebody wants to hear of one task."""

    WATCHING = "watching"
    MUTED = "muted"
    DEFAULT = "default"


JOINS_A_BURST: Final = frozenset({Kind.ASSIGNED, Kind.UNASSIGNED, Kind.COMMENTED, Kind.STATUS_CHANGED})
"""What is told in one row when it comes in quick succession. A mention or a reminder stands for itself."""
PERSONAL: Final = frozenset({Kind.ASSIGNED, Kind.UNASSIGNED, Kind.MENTIONED})
"""What is meant for exactly this person: muting a project or a task does not hide a mention or an assignment."""
ABOUT_ONESELF: Final = frozenset({Kind.PROJECT_ADDED, Kind.PROJECT_REMOVED, Kind.ROLE_CHANGED, Kind.INVITED})
"""What concerns one's place in a project: muting the project does not hide it."""
MAILED_AT_ONCE: Final = frozenset({Kind.INVITED})
"""What has a mail of its own, and so is in no digest."""
_EVERYTHING: Final = frozenset(Channel)
_QUIETLY: Final = frozenset({Channel.IN_APP, Channel.EMAIL})
DEFAULTS: Final[Mapping[Kind, frozenset[Channel]]] = MappingProxyType(
    {
        Kind.ASSIGNED: _EVERYTHING,
        Kind.UNASSIGNED: frozenset({Channel.IN_APP}),
        Kind.MENTIONED: _EVERYTHING,
        Kind.COMMENTED: _EVERYTHING,
        Kind.STATUS_CHANGED: frozenset({Channel.IN_APP}),
        Kind.DUE_SOON: _EVERYTHING,
        Kind.OVERDUE: _EVERYTHING,
        Kind.PROJECT_ADDED: _QUIETLY,
        Kind.PROJECT_REMOVED: _QUIETLY,
        Kind.ROLE_CHANGED: frozenset({Channel.IN_APP}),
        Kind.INVITED: _QUIETLY,
    }
)
"""How somebody is told who has not said otherwise."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When nothing may ring, in the person's own time; over midnight when it begins later than it ends."""

    begins: time
    ends: time

    def end_after(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """Return when the quiet hours `moment` lies in end; None when it lies in none."""
        local = moment.astimezone(zone)
        at = local.time()
        wraps = self.begins > self.ends
        is_quiet = (at >= self.begins or at < self.ends) if wraps else self.begins <= at < self.ends
        if not is_quiet:
            return None
        day = local.date() + timedelta(days=int(wraps and at >= self.begins))
        return datetime.combine(day, self.ends, zone).astimezone(moment.tzinfo)


Matrix = Mapping[Kind, frozenset[Channel]]


@dataclass(frozen=True, slots=True)
class ProjectWishes:
    """What somebody wants to hear of one project, where it differs from the rest."""

    matrix: Matrix = field(default_factory=dict)
    muted: bool = False
    watched: bool = False


@dataclass(frozen=True, slots=True)
class Wishes:
    """How somebody wants to be told. What is missing in a matrix is as in `DEFAULTS`."""

    matrix: Matrix = field(default_factory=dict)
    projects: Mapping[UUID, ProjectWishes] = field(default_factory=dict)
    quiet: QuietHours | None = None
    remind_before: tuple[timedelta, ...] = (timedelta(days=1), timedelta(hours=1))
    digest_after: timedelta | None = timedelta(hours=8)


BY_DEFAULT: Final = Wishes()


def decide(kind: Kind, why: Why, wishes: Wishes, project_id: UUID, watching: Watching) -> frozenset[Channel]:
    """Return the ways on which somebody is told; none: they are not. Permission is asked elsewhere.

    Without a row in the inbox there is nothing that a push or an e-mail could point to: other ways need `IN_APP`.
    """
    project = wishes.projects.get(project_id, ProjectWishes())
    if why is Why.WATCHER and watching is Watching.DEFAULT and not project.watched:
        return frozenset()
    hears_only_personal = watching is Watching.MUTED or (project.muted and watching is not Watching.WATCHING)
    if hears_only_personal and kind not in PERSONAL | ABOUT_ONESELF:
        return frozenset()
    if kind in project.matrix:
        channels = project.matrix[kind]
    elif kind in wishes.matrix:
        channels = wishes.matrix[kind]
    else:
        channels = DEFAULTS[kind]
    return channels if Channel.IN_APP in channels else frozenset()


def wants_digest(kind: Kind, why: Why, wishes: Wishes, project_id: UUID, watching: Watching) -> bool:
    """Return whether somebody is to be mailed it in a digest; a burst is, if anything that joins one is."""
    if wishes.digest_after is None or kind in MAILED_AT_ONCE:
        return False
    kinds = JOINS_A_BURST if kind is Kind.CHANGES else {kind}
    return any(Channel.EMAIL in decide(one, why, wishes, project_id, watching) for one in kinds)
