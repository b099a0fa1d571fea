"""What is found across projects: one's own tasks, mentions, hits of a search. Each says where it is from."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from app.schemas.base import PageQuery, ResponseModel, Text, not_blank
from app.schemas.tasks import Card, Comment


class ProjectRef(ResponseModel):
    """As much of a project as a line of a list shows."""

    id: UUID
    key: str
    name: str


class ColumnRef(ResponseModel):
    """As much of a column as a line of a list shows."""

    key: str
    name: str
    is_done: bool


class TaskRef(ResponseModel):
    """As much of a task as a line of a list shows."""

    id: UUID
    key: str
    number: int
    title: str


class MyTask(Card):
    """An open task of one's own, and where it is."""

    project: ProjectRef
    column: ColumnRef


class MyMention(Comment):
    """A comment that mentions one, and where it is."""

    project: ProjectRef
    task: TaskRef


class SearchQuery(PageQuery):
    """What to look for, and where; which page of it."""

    q: Annotated[Text, Field(min_length=1, max_length=200), AfterValidator(not_blank)]
    """Words, which must all be there, or the key of a card."""
    project_id: UUID | None = None
    """Only there; without it in every project one is a member of."""


class Hit(ResponseModel):
    """A task, or a comment on one, that has the words."""

    kind: Literal["task", "comment"]
    project: ProjectRef
    task: Card
    comment: Comment | None
    excerpt: str
    """A line of the description or the comment, around the first of the words that is in it."""
