"""Searching over projects: the card that was named, cards by title, other cards, comments; newest first in each."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, case, or_, select

from app.db.unit_of_work import UnitOfWork
from app.domain.folding import excerpt, words_of
from app.models import Comment as CommentRow
from app.models import Member, Project
from app.models import Task as TaskRow
from app.permissions import Action
from app.schemas.base import Page, decode_cursor, make_page
from app.schemas.finding import Hit, ProjectRef, SearchQuery
from app.schemas.tasks import Task
from app.services.access import Actor, Record, open_project
from app.services.comments import select_comments, to_comment
from app.services.task_rows import build_tasks, select_tasks, to_card
from app.services.text_search import has_words, in_title, is_named

_NAMED, _BY_TITLE, _BY_DESCRIPTION, _BY_COMMENT = range(4)
_Key = tuple[int, UUID]
_FIRST: Final[_Key] = (-1, UUID(int=0))


async def search(uow: UnitOfWork, actor: Actor, query: SearchQuery) -> Page[Hit]:
    """Return a page of what has every word of the query in a task or a comment.

    Raises:
        NotFound: the project that is to be searched does not exist for the actor.
    """
    projects = await _find_projects(uow, actor, query.project_id)
    words = words_of(query.q)
    last: Sequence[Any] = decode_cursor(query.cursor, int, UUID) or _FIRST
    wanted = query.limit + 1
    found: list[tuple[_Key, Hit]] = []
    if last[0] < _BY_COMMENT:
        found = await _find_tasks(uow, projects, query.q, words, (last[0], last[1]), wanted)
    if len(found) < wanted:
        before = last[1] if last[0] == _BY_COMMENT else None
        found += await _find_comments(uow, projects, words, before, wanted - len(found))
    page = make_page(found, query.limit, lambda item: item[0])
    return Page(items=[hit for _, hit in page.items], next_cursor=page.next_cursor)


async def _find_projects(uow: UnitOfWork, actor: Actor, project_id: UUID | None) -> dict[UUID, ProjectRef]:
    if project_id is not None:
        rows: Sequence[Record] = [(await open_project(uow, actor, project_id, Action.READ)).row]
    else:
        statement = (
            select(Project.id, Project.key, Project.name)
            .join(Member, Member.project_id == Project.id)
            .where(Member.user_id == actor.user_id, Project.deleted_at.is_(None))
        )
        rows = (await uow.fetch(statement)).all()
    return {row.id: ProjectRef(id=row.id, key=row.key, name=row.name) for row in rows}


async def _find_tasks(
    uow: UnitOfWork, projects: Mapping[UUID, ProjectRef], query: str, words: list[str], last: _Key, limit: int
) -> list[tuple[_Key, Hit]]:
    named = is_named(query, {id_: project.key for id_, project in projects.items()})
    rank = case((named, _NAMED), (in_title(words), _BY_TITLE), else_=_BY_DESCRIPTION)
    statement = (
        select(TaskRow.id, rank.label("rank"))
        .where(TaskRow.project_id.in_(projects), TaskRow.deleted_at.is_(None))
        .where(or_(named, has_words(TaskRow.search_text, words)))
        .order_by(rank, TaskRow.id.desc())
        .limit(limit)
    )
    if last != _FIRST:  # to ask every row for its rank takes as long as searching
        statement = statement.where(or_(rank > last[0], and_(rank == last[0], TaskRow.id < last[1])))
    ranks = {row.id: row.rank for row in (await uow.fetch(statement)).all()}
    tasks = await _load(uow, projects, list(ranks))
    return [
        (
            (rank, id_),
            Hit(
                kind="task",
                project=projects[tasks[id_].project_id],
                task=to_card(tasks[id_]),
                comment=None,
                excerpt=excerpt(tasks[id_].description, words),
            ),
        )
        for id_, rank in ranks.items()
    ]


async def _find_comments(
    uow: UnitOfWork, projects: Mapping[UUID, ProjectRef], words: list[str], before: UUID | None, limit: int
) -> list[tuple[_Key, Hit]]:
    statement = (
        select_comments()
        .join(TaskRow, TaskRow.id == CommentRow.task_id)
        .where(CommentRow.project_id.in_(projects), CommentRow.deleted_at.is_(None), TaskRow.deleted_at.is_(None))
        .where(has_words(CommentRow.search_text, words))
        .order_by(CommentRow.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(CommentRow.id < before)
    comments = [to_comment(row) for row in (await uow.fetch(statement)).all()]
    tasks = await _load(uow, projects, [comment.task_id for comment in comments])
    return [
        (
            (_BY_COMMENT, comment.id),
            Hit(
                kind="comment",
                project=projects[comment.project_id],
                task=to_card(tasks[comment.task_id]),
                comment=comment,
                excerpt=excerpt(comment.body, words),
            ),
        )
        for comment in comments
    ]


async def _load(uow: UnitOfWork, projects: Mapping[UUID, ProjectRef], ids: Sequence[UUID]) -> dict[UUID, Task]:
    if not ids:
        return {}
    rows = (await uow.fetch(select_tasks().where(TaskRow.id.in_(ids)))).all()
    keys = {id_: project.key for id_, project in projects.items()}
    return {task.id: task for task in await build_tasks(uow, keys, rows)}
