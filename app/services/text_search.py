"""Looking into texts that were folded when they were written (docs/decisions/0015): every word must be in there."""

import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, and_, false, or_, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from app.domain.folding import words_of
from app.models import Task

_KEY: Final = re.compile(r"(?:([a-z][a-z0-9]{0,9})-|#)?([0-9]{1,9})\Z")
"""What people type for a card: its key, its number, or its number as they say it."""


class position_of(GenericFunction[int]):  # noqa: N801 - the name of a function of SQL
    """Where in a text another one begins, from 1; 0 when nowhere. By code points: nothing is folded."""

    type = Integer()
    inherit_cache = True


@compiles(position_of)
def _in_sqlite(element: position_of, compiler: SQLCompiler, **options: Any) -> str:
    return f"instr{compiler.process(element.clause_expr, **options)}"


@compiles(position_of, "postgresql")
def _in_postgres(element: position_of, compiler: SQLCompiler, **options: Any) -> str:
    return f"strpos{compiler.process(element.clause_expr, **options)}"


def has_words(text: InstrumentedAttribute[str], words: list[str]) -> ColumnElement[bool]:
    """Whether every one of some folded words is in a folded text."""
    return and_(true(), *(position_of(text, word) > 0 for word in words))


def in_title(words: list[str]) -> ColumnElement[bool]:
    """Whether every word is in the title of a task."""
    title_ends = position_of(Task.search_text, "\n")
    return and_(true(), *(position_of(Task.search_text, word).between(1, title_ends) for word in words))


def is_named(query: str, project_keys: Mapping[UUID, str]) -> ColumnElement[bool]:
    """Whether a task is one that a query like `WEB-12`, `#12` or `12` names; the keys are those of its project."""
    match = _KEY.match(query.strip().lower())
    if match is None:
        return false()
    named = Task.number == int(match[2])
    if match[1] is None:
        return named
    return named & Task.project_id.in_([id_ for id_, key in project_keys.items() if key == match[1].upper()])


def matches_task(query: str, project_id: UUID, project_key: str) -> ColumnElement[bool]:
    """Whether a task of a project has the words of a query in its title or description, or is named by it."""
    return or_(is_named(query, {project_id: project_key}), has_words(Task.search_text, words_of(query)))
