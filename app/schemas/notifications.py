"""Notifications as the API and the user's stream show them, and how one wants to be told."""

from datetime import time, timedelta
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool

from app.domain.notifying import DEFAULTS, Channel, Kind, ProjectWishes, QuietHours, Watching, Why, Wishes
from app.schemas.base import GivenTime, Page, PageQuery, RequestModel, ResponseModel, UtcTime

MAX_REMINDERS = 5
MAX_PROJECTS = 1000
MINUTES_OF_30_DAYS = 30 * 24 * 60


class NotificationFilter(StrEnum):
    """Which notifications to list; all but `archived` leave out the archived ones."""

    ALL = "all"
    UNREAD = "unread"
    MENTIONS = "mentions"
    ASSIGNED = "assigned"
    ARCHIVED = "archived"


class NotificationQuery(PageQuery):
    """Which notifications to list."""

    filter: NotificationFilter = NotificationFilter.ALL


class Notification(ResponseModel):
    """One row of the inbox."""

    id: UUID
    kind: Kind
    why: Why
    """What the reader has to do with it."""
    project_id: UUID
    project_name: str
    task_id: UUID | None
    task_key: str | None
    task_title: str | None
    comment_id: UUID | None
    excerpt: str | None
    """The beginning of the comment."""
    actor_id: UUID | None
    actor_name: str
    actor_color: str | None
    """The colour of their avatar; null where nobody did it."""
    count: int
    """How many changes of one task this row stands for."""
    details: dict[str, Any]
    """What the kind needs: `column` (status_changed), `role`, `due` (due_soon, overdue)."""
    created_at: UtcTime
    updated_at: UtcTime
    read_at: UtcTime | None
    archived_at: UtcTime | None
    snoozed_until: UtcTime | None
    seq: int
    """Place of its last change in the user's stream."""


class NotificationPage(Page[Notification]):
    """A page of the inbox, and how much of all of it is unread, counted up to 1,000."""

    unread: int


class NotificationUpdate(RequestModel):
    """What to change of a notification; fields that are left out stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"read": True}]})

    read: StrictBool = False
    archived: StrictBool = False
    snoozed_until: GivenTime | None = None
    """Hide it until then; null: show it again."""


class ProjectRead(RequestModel):
    """Which notifications to mark; without a project all."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"project_id": "0199f3a0-1c00-7000-8000-000000000001"}, {}]}
    )

    project_id: UUID | None = None


class Unread(ResponseModel):
    """How much of the inbox is unread, counted up to 1,000."""

    unread: int


class Watch(RequestModel):
    """What one wants to hear of a task: `default` leaves it to what one has to do with it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"state": "watching"}]})

    state: Watching


class ChannelChoice(RequestModel):
    """On which ways to be told of one kind."""

    in_app: StrictBool
    push: StrictBool
    email: StrictBool


MatrixChoice = dict[Kind, ChannelChoice]


class ProjectSettings(RequestModel):
    """What is different for one project."""

    matrix: MatrixChoice = {}
    muted: StrictBool = False
    """Tell only what is meant for oneself: mentions and assignments."""
    watched: StrictBool = False
    """Tell of every task, as if one watched it."""


class Quiet(RequestModel):
    """When nothing may ring, in one's own time."""

    begins: time = Field(alias="from")
    ends: time = Field(alias="to")


class PlainSettings(RequestModel):
    """What one wants of all kinds and projects alike."""

    quiet: Quiet | None = None
    remind_before_min: Annotated[
        list[Annotated[int, Field(ge=1, le=MINUTES_OF_30_DAYS)]], Field(max_length=MAX_REMINDERS)
    ] = [1440, 60]
    """Minutes before a due time."""
    digest_after_h: Annotated[int, Field(ge=1, le=7 * 24)] | None = 8
    """Hours after which what is unread is sent by e-mail; null: never."""


class NotificationSettings(PlainSettings):
    """How one wants to be told. What a matrix leaves out is as by default."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "matrix": {"commented": {"in_app": True, "push": False, "email": False}},
                    "quiet": {"from": "22:00", "to": "08:00"},
                    "remind_before_min": [1440, 60],
                    "digest_after_h": 8,
                }
            ]
        }
    )

    matrix: MatrixChoice = {}
    projects: Annotated[dict[UUID, ProjectSettings], Field(max_length=MAX_PROJECTS)] = {}

    def to_wishes(self) -> Wishes:
        """Return it as what decides."""
        return Wishes(
            matrix=_to_matrix(self.matrix),
            projects={
                id_: ProjectWishes(_to_matrix(wanted.matrix), wanted.muted, wanted.watched)
                for id_, wanted in self.projects.items()
            },
            quiet=QuietHours(self.quiet.begins, self.quiet.ends) if self.quiet else None,
            remind_before=tuple(timedelta(minutes=minutes) for minutes in self.remind_before_min),
            digest_after=timedelta(hours=self.digest_after_h) if self.digest_after_h else None,
        )


class ChannelChange(RequestModel):
    """The ways to change of one kind; what is left out stays."""

    in_app: StrictBool = False
    push: StrictBool = False
    email: StrictBool = False


MatrixChange = dict[Kind, ChannelChange | None]


class ProjectSettingsChange(RequestModel):
    """What to change of one project; what is left out stays."""

    matrix: MatrixChange = {}
    muted: StrictBool = False
    watched: StrictBool = False

    def applied_to(self, before: ProjectSettings, everywhere: MatrixChoice) -> ProjectSettings:
        """Return `before` with the change."""
        plain = self.model_dump(include=self.model_fields_set - {"matrix"})
        matrix = _change_matrix(before.matrix, self.matrix, everywhere)
        return before.model_copy(update={**plain, "matrix": matrix})


class NotificationSettingsChange(PlainSettings):
    """What to change of how one wants to be told, a way, a kind or a project at a time.

    What is left out stays. A kind or a project that is null is as if nothing had been chosen for it.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "matrix": {"commented": {"push": False}, "mentioned": None},
                    "projects": {"0199f3a0-1c00-7000-8000-000000000001": {"muted": True}},
                }
            ]
        }
    )

    matrix: MatrixChange = {}
    projects: Annotated[dict[UUID, ProjectSettingsChange | None], Field(max_length=MAX_PROJECTS)] = {}

    def applied_to(self, before: NotificationSettings) -> NotificationSettings:
        """Return `before` with the change."""
        plain = {name: getattr(self, name) for name in self.model_fields_set & PlainSettings.model_fields.keys()}
        matrix = _change_matrix(before.matrix, self.matrix, {})
        projects = dict(before.projects)
        for id_, change in self.projects.items():
            project = projects.pop(id_, ProjectSettings())
            if change is not None:
                projects[id_] = change.applied_to(project, matrix)
        return before.model_copy(update={**plain, "matrix": matrix, "projects": projects})


class DigestsEnded(ResponseModel):
    """That no digest is mailed any more."""

    digest_after_h: None = None


def _to_matrix(choices: MatrixChoice) -> dict[Kind, frozenset[Channel]]:
    return {
        kind: frozenset(channel for channel in Channel if getattr(choice, channel.value))
        for kind, choice in choices.items()
    }


def _change_matrix(before: MatrixChoice, changes: MatrixChange, everywhere: MatrixChoice) -> MatrixChoice:
    """Return `before` with the changes; where one was not chosen yet, the other ways stay as `everywhere`."""
    after = dict(before)
    for kind, change in changes.items():
        choice = after.pop(kind, None) or everywhere.get(kind) or _by_default(kind)
        if change is not None:
            after[kind] = choice.model_copy(update=change.model_dump(exclude_unset=True))
    return after


def _by_default(kind: Kind) -> ChannelChoice:
    return ChannelChoice.model_validate({channel.value: channel in DEFAULTS[kind] for channel in Channel})
