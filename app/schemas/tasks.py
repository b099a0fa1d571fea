"""Tasks and comments as the API shows them; the same objects are the `data` of their events."""

import re
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StrictBool, WithJsonSchema, model_validator

from app.domain.clock import format_time
from app.schemas.base import Line, PageQuery, RequestModel, ResponseModel, Text, UtcTime
from app.schemas.projects import Column, Label, Member, Placement, Project

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
MAX_CHECKLIST_ITEMS = 200
MAX_IDS = 100


class Priority(StrEnum):
    """How much it matters."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


def _due(text: str) -> str:
    """Bring a due date or time into the one written form, in which text order is time order."""
    message = "must be a date (2026-11-25) or a time with its offset (2026-11-25T15:00:00Z)"
    try:
        if _DATE.match(text):
            return date.fromisoformat(text).isoformat()
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(message)
        return format_time(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        raise ValueError(message) from None


Due = Annotated[
    str,
    Field(max_length=40),
    AfterValidator(_due),
    WithJsonSchema({"type": "string", "examples": ["2026-11-25", "2026-11-25T15:00:00.000Z"]}),
]
Title = Annotated[Line, Field(max_length=500)]
Body = Annotated[Text, Field(max_length=50_000)]
Status = Annotated[Text, Field(min_length=1, max_length=50)]
Ids = Annotated[list[UUID], Field(max_length=MAX_IDS)]


class ChecklistItem(ResponseModel):
    """One line of a checklist."""

    id: UUID
    text: str
    done: bool


class ChecklistItemInput(RequestModel):
    """One line of a checklist; a line that is kept carries its id."""

    id: UUID | None = None
    text: Annotated[Line, Field(max_length=500)]
    done: StrictBool = False


Checklist = Annotated[list[ChecklistItemInput], Field(max_length=MAX_CHECKLIST_ITEMS)]


class Card(ResponseModel):
    """A task as a board shows it: everything but the description."""

    id: UUID
    project_id: UUID
    number: int
    key: str
    title: str
    status: str
    priority: Priority
    label_ids: list[UUID]
    assignee_ids: list[UUID]
    due: str | None
    checklist: list[ChecklistItem]
    position: str
    version: int
    comment_count: int
    created_by: UUID | None
    created_at: UtcTime
    updated_at: UtcTime
    deleted_at: UtcTime | None
    archived_at: UtcTime | None


class Task(Card):
    """A task, whole."""

    description: str


class ShelvedTask(Task):
    """A task in the archive or the trash, and who put it there: null once the log has forgotten it."""

    put_away_by: UUID | None
    put_away_by_name: str | None


class TaskFields(RequestModel):
    """What a person can write into a task."""

    description: Body = ""
    priority: Priority = Priority.NONE
    label_ids: Ids = []
    assignee_ids: Ids = []
    due: Due | None = None
    checklist: Checklist = []


class TaskCreate(TaskFields, Placement):
    """A new task; without `status` it goes into the first column."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"project_id": "019392d4-7c00-7000-8000-000000000001", "title": "Купить билеты", "priority": "high"}
            ]
        }
    )

    project_id: UUID
    title: Title
    status: Status | None = None


class TaskUpdate(TaskFields):
    """Fields to change; the others stay. With `If-Match`, a field changed by others since then is a conflict."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Купить билеты на поезд"}]})

    title: Title = Field(default="", validate_default=False)
    status: Status = Field(default="", validate_default=False)


class TaskMove(Placement):
    """Where to: a column, and a place in it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "done"}]})

    status: Status


class TaskAssign(RequestModel):
    """Everybody the task is assigned to from now on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user_ids": ["019392d4-7c00-7000-8000-00000000000a"]}]})

    user_ids: Ids


class TaskFilter(PageQuery):
    """What to list, and which page of it; the parts must all hold."""

    status: Status | None = None
    assignee: UUID | None = None
    label: UUID | None = None
    priority: Priority | None = None
    due_before: Due | None = None
    due_after: Due | None = None
    q: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    """Words in the title or the description, or the key."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.due_after is not None and self.due_before is not None and self.due_after > self.due_before:
            message = "due_after must not be later than due_before"
            raise ValueError(message)
        return self


class ArchiveFilter(PageQuery):
    """Which page of the archive, and of what."""

    q: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    """Words in the title or the description, or the key."""


class Comment(ResponseModel):
    """A remark on a task, Markdown."""

    id: UUID
    project_id: UUID
    task_id: UUID
    author_id: UUID | None
    author_name: str
    body: str
    mentions: list[UUID]
    version: int
    created_at: UtcTime
    updated_at: UtcTime
    edited: bool


class CommentWrite(RequestModel):
    """The text of a comment; `@Name` mentions a member."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"body": "@Анна готово, посмотри"}]})

    body: Annotated[Text, Field(min_length=1, max_length=20_000)]


class Board(ResponseModel):
    """A project at one moment: apply the events after `seq` and it is the project now."""

    epoch: str
    seq: int
    role: str | None
    project: Project
    columns: list[Column]
    labels: list[Label]
    members: list[Member]
    tasks: list[Card]


class EventPage(ResponseModel):
    """A page of a project's log."""

    epoch: str
    seq: int
    """The head: number of the newest event."""
    floor: int
    """Number of the newest event that is no longer kept; 0 when all are."""
    items: list[dict[str, object]]
    next_since: int | None
