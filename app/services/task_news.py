"""Who is told of what happens to a task: its assignees, those who wrote, watch or commented it, whom a text names."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, literal, select, union_all

from app.db.unit_of_work import UnitOfWork
from app.domain.mentions import find_mentions
from app.domain.notifying import Kind, Watching, Why
from app.models import BoardColumn, Comment, Member, Notification, ProjectWatch, TaskAssignee, TaskWatch, User
from app.models import Task as TaskRow
from app.schemas.tasks import Task
from app.services.access import Actor, ProjectAccess
from app.services.notifying import News, tell

_STRONGEST: Final = {why: place for place, why in enumerate(Why)}
_TASK: Final[Any] = bindparam("task")
_PROJECT: Final[Any] = bindparam("project")
_WATCHING: Final = (TaskWatch.task_id == _TASK) & (TaskWatch.state == Watching.WATCHING.value)
_AUDIENCE: Final = (
    union_all(
        select(TaskAssignee.user_id, literal(Why.ASSIGNEE.value).label("why")).where(TaskAssignee.task_id == _TASK),
        select(TaskRow.created_by, literal(Why.AUTHOR.value)).where(TaskRow.id == _TASK),
        select(TaskWatch.user_id, literal(Why.WATCHER.value)).where(_WATCHING),
        select(ProjectWatch.user_id, literal(Why.WATCHER.value)).where(ProjectWatch.project_id == _PROJECT),
        select(Comment.author_id, literal(Why.COMMENTER.value)).where(
            Comment.task_id == _TASK, Comment.deleted_at.is_(None)
        ),
    )
).subquery()
_DISTINCT_AUDIENCE: Final = (
    select(_AUDIENCE.c.user_id, _AUDIENCE.c.why).where(_AUDIENCE.c.user_id.is_not(None)).distinct()
)


async def find_audience(uow: UnitOfWork, project_id: UUID, task_id: UUID) -> dict[UUID, Why]:
    """Return those whom a change of a task concerns, each with the strongest reason."""
    rows = (await uow.find(_DISTINCT_AUDIENCE, {"task": task_id, "project": project_id})).all()
    found: dict[UUID, Why] = {}
    for user_id, name in sorted(rows, key=lambda row: -_STRONGEST[Why(row[1])]):
        found[user_id] = Why(name)
    return found


async def find_mentioned(uow: UnitOfWork, project_id: UUID, text: str) -> list[UUID]:
    """Return the members of a project whom a text names."""
    if "@" not in text:
        return []
    statement = (
        select(User.id, User.name).join(Member, Member.user_id == User.id).where(Member.project_id == project_id)
    )
    people = [(row.id, row.name) for row in (await uow.fetch(statement)).all()]
    return sorted(find_mentions(text, people))


async def leave_out_told(uow: UnitOfWork, named: set[UUID], task_id: UUID, comment_id: UUID | None) -> set[UUID]:
    """Return those of `named` whose inbox does not say yet that a comment, or else the description, names them."""
    if not named:
        return named
    statement = select(Notification.user_id).where(
        Notification.user_id.in_(named),
        Notification.task_id == task_id,
        Notification.comment_id == comment_id,
        Notification.kind == Kind.MENTIONED.value,
    )
    return named - set((await uow.fetch(statement)).scalars())


async def tell_of_task(uow: UnitOfWork, actor: Actor, project: ProjectAccess, before: Task | None, after: Task) -> None:
    """Tell of a task that was created (`before` is None) or changed. Each person is told of one thing at most."""
    told: set[UUID] = {actor.user_id}
    if before is None or before.description != after.description:
        named = set(await find_mentioned(uow, project.id, after.description))
        if before is not None and named:
            named -= set(await find_mentioned(uow, project.id, before.description))
            named = await leave_out_told(uow, named, after.id, None)
        told |= await _tell(uow, actor, after, Kind.MENTIONED, dict.fromkeys(named, Why.MENTIONED), told)
    was, now = set(before.assignee_ids) if before else set(), set(after.assignee_ids)
    told |= await _tell(uow, actor, after, Kind.ASSIGNED, dict.fromkeys(now - was, Why.ASSIGNEE), told)
    told |= await _tell(uow, actor, after, Kind.UNASSIGNED, dict.fromkeys(was - now, Why.ASSIGNEE), told)
    if before is not None and before.status != after.status:
        audience = await find_audience(uow, project.id, after.id)
        if audience.keys() - told:
            details = {"column": await _column_name(uow, project.id, after.status), "status": after.status}
            await _tell(uow, actor, after, Kind.STATUS_CHANGED, audience, told, details=details)


async def tell_of_comment(
    uow: UnitOfWork, actor: Actor, *, project_id: UUID, task_id: UUID, comment_id: UUID, mentioned: Collection[UUID]
) -> None:
    """Tell of a new comment: those it names of that, the others whom the task concerns of the comment."""
    told = await tell_of_mentions(
        uow, actor, project_id=project_id, task_id=task_id, comment_id=comment_id, mentioned=mentioned
    )
    audience = await find_audience(uow, project_id, task_id)
    rest = {user_id: why for user_id, why in audience.items() if user_id not in told}
    news = News(Kind.COMMENTED, project_id, task_id, comment_id, actor.user_id, actor.name)
    await tell(uow, news, rest)


async def tell_of_mentions(
    uow: UnitOfWork, actor: Actor, *, project_id: UUID, task_id: UUID, comment_id: UUID, mentioned: Collection[UUID]
) -> set[UUID]:
    """Tell those whom a comment names; return who was told."""
    news = News(Kind.MENTIONED, project_id, task_id, comment_id, actor.user_id, actor.name)
    return await tell(uow, news, dict.fromkeys(mentioned, Why.MENTIONED))


async def _tell(
    uow: UnitOfWork,
    actor: Actor,
    task: Task,
    kind: Kind,
    recipients: Mapping[UUID, Why],
    told: Collection[UUID],
    *,
    details: Mapping[str, Any] | None = None,
) -> set[UUID]:
    news = News(kind, task.project_id, task.id, None, actor.user_id, actor.name, details or {})
    return await tell(uow, news, {user_id: why for user_id, why in recipients.items() if user_id not in told})


async def _column_name(uow: UnitOfWork, project_id: UUID, status: str) -> str:
    statement = select(BoardColumn.name).where(BoardColumn.project_id == project_id, BoardColumn.key == status)
    name: str = (await uow.fetch(statement)).scalar_one()
    return name
