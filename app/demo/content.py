"""The texts of the demo, read from `content.json` and checked, so that a slip of the pen is named and not played.

They show a team at work. The page has texts of its own for a first board that explains itself to whoever is alone on it
(frontend/src/lib/board/sample-board.ts).
"""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.permissions import Role, Visibility
from app.schemas.tasks import Priority

CONTENT: Final = Path(__file__).with_name("content.json")
_MARKS: Final = {"[x] ": True, "[ ] ": False}
_NAMES: Final = re.compile(r"\{([^}]*)\}")
_NEEDS: Final = {"comment": "text", "assign": "to", "move": "column"}
Action = Literal["look", "type", "comment", "assign", "move", "check", "change", "look_away", "trash", "restore"]


class Part(BaseModel):
    """Base of everything in the file: an unknown word is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(Part):
    """Somebody who works on the board."""

    id: str
    name: str
    email: str
    language: Literal["en", "ru"]
    time_zone: str
    role: Role


class Line(Part):
    """One line of a checklist, written `[x] text` or `[ ] text`."""

    text: str
    done: bool


def _read_line(value: object) -> object:
    if not isinstance(value, str):
        return value
    mark, text = value[:4], value[4:]
    if mark not in _MARKS:
        message = f"a line begins with [x] or [ ]: {value!r}"
        raise ValueError(message)
    return {"text": text, "done": _MARKS[mark]}


class Remark(Part):
    """A comment."""

    who: str
    text: str


class Card(Part):
    """A task as the file tells it. `due` counts days from today, `at` is a time of that day, UTC."""

    title: str
    column: str
    by: str = "anna"
    description: str = ""
    priority: Priority = Priority.NONE
    labels: tuple[str, ...] = ()
    who: tuple[str, ...] = ()
    due: int | None = None
    at: Annotated[str, Field(pattern=r"^\d\d:\d\d$")] | None = None
    checklist: tuple[Annotated[Line, BeforeValidator(_read_line)], ...] = ()
    comments: tuple[Remark, ...] = ()
    archived: bool = False

    def due_text(self, now: datetime) -> str | None:
        """Return the due date as the API takes it."""
        if self.due is None:
            return None
        day = due_day(self.due, now)
        return f"{day}T{self.at}:00Z" if self.at else day


class BoardColumn(Part):
    """A column and the key that its name gives it."""

    key: str
    name: str
    wip_limit: int | None = None
    is_done: bool = False


class Label(Part):
    """A label."""

    name: str
    color: str


class View(Part):
    """A filter that somebody keeps. In its query `{anna}` stands for that person's id, `{label}` for that label's."""

    who: str
    name: str
    query: str


class Project(Part):
    """A board."""

    key: str
    name: str
    description: str
    visibility: Visibility
    columns: tuple[BoardColumn, ...]
    labels: tuple[Label, ...]
    tasks: tuple[Card, ...]
    views: tuple[View, ...] = ()


class Step(Part):
    """One thing that somebody does to the card of the story."""

    who: str
    do: Action
    text: str | None = None
    to: tuple[str, ...] = ()
    column: str | None = None
    top: bool = False
    title: str | None = None
    priority: Priority | None = None
    labels: tuple[str, ...] | None = None
    due: int | None = None

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        needed = _NEEDS.get(self.do)
        if needed is not None and not getattr(self, needed):
            message = f"a step that does {self.do!r} needs {needed!r}"
            raise ValueError(message)
        return self


class Story(Part):
    """What happens to one card, a new one or any of a column."""

    model_config = ConfigDict(populate_by_name=True)

    new: Card | None = None
    taken_from: str | None = Field(default=None, alias="from")
    steps: tuple[Step, ...]

    @model_validator(mode="after")
    def _one_card(self) -> Self:
        if (self.new is None) == (self.taken_from is None):
            message = "a story has either `new` or `from`"
            raise ValueError(message)
        return self


class Day(Part):
    """What is played on the first project."""

    about: str
    stories: tuple[Story, ...]


class Content(Part):
    """The whole file."""

    about: str
    people: tuple[Person, ...]
    projects: tuple[Project, ...]
    day: Day

    @model_validator(mode="after")
    def _only_known_names(self) -> Self:
        people = {person.id for person in self.people}
        for project in self.projects:
            labels, columns = {label.name for label in project.labels}, {column.key for column in project.columns}
            for card in project.tasks:
                _check_card(card, people, labels, columns)
            for view in project.views:
                _require({view.who}, people, "person")
                _require(set(_NAMES.findall(view.query)), people | labels, "person or label")
        board = self.projects[0]
        labels, columns = {label.name for label in board.labels}, {column.key for column in board.columns}
        for story in self.day.stories:
            _require({story.taken_from} - {None}, columns, "column")
            if story.new is not None:
                _check_card(story.new, people, labels, columns)
            for step in story.steps:
                _require({step.who, *step.to}, people, "person")
                _require(set(step.labels or ()), labels, "label")
                _require({step.column} - {None}, columns, "column")
        return self


def load_content(path: Path = CONTENT) -> Content:
    """Read the file.

    Raises:
        pydantic.ValidationError: it says something that cannot be; the message names the place.
    """
    return Content.model_validate(orjson.loads(path.read_bytes()))


def due_day(days: int, now: datetime) -> str:
    """Return the date so many days from now."""
    return (now + timedelta(days=days)).date().isoformat()


def _check_card(card: Card, people: set[str], labels: set[str], columns: set[str]) -> None:
    _require({card.by, *card.who, *(remark.who for remark in card.comments)}, people, "person")
    _require(set(card.labels), labels, "label")
    _require({card.column}, columns, "column")


def _require(names: set[str] | set[str | None], known: set[str], noun: str) -> None:
    unknown = names - known
    if unknown:
        message = f"no such {noun}: {', '.join(map(str, unknown))}"
        raise ValueError(message)
