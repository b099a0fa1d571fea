"""Reminding people of what is due, once each, whatever the number of servers."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import ColumnElement, Select, delete, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now, zone_of
from app.domain.notifying import Kind, Why
from app.domain.reminding import Reminder, find_due, find_windows, reminders_of
from app.models import BoardColumn, NotificationSettings, Project, ReminderLook, SentReminder, Task, TaskAssignee, User
from app.schemas import tasks as schemas
from app.services.access import Record
from app.services.notifying import News, tell
from app.services.wishes import to_wishes

LATE: Final = timedelta(days=7)
"""What could not be told for so long is told no more."""
GRACE: Final = timedelta(minutes=5)
"""What was past for so long at the last look is told no more: its card has come back since, or a wish was changed."""
PORTION: Final = 200
"""Rows looked at before others get their turn."""
NOTED_EVERY: Final = timedelta(minutes=1)
"""A look is noted so often: an idle board writes nothing else."""
_log = structlog.get_logger(__name__)


async def last_look(uow: UnitOfWork) -> datetime:
    """Return until when everybody was reminded, if not a minute longer."""
    return (await uow.fetch(select(ReminderLook.looked_at))).scalar_one()


async def note_look(uow: UnitOfWork, now: datetime) -> None:
    """Note that everybody whose time had come was reminded."""
    await uow.execute(update(ReminderLook).where(ReminderLook.looked_at < now).values(looked_at=now))


async def find_tasks(
    uow: UnitOfWork, now: datetime, looked_at: datetime, project_id: UUID | None = None
) -> dict[UUID, list[UUID]]:
    """Return by project the tasks of which somebody is to be reminded now, of all projects or of one."""
    habits = await _find_habits(uow)
    earliest = _earliest(now, looked_at)
    windows = find_windows({(habit.zone, habit.before) for habit in habits.values()}, earliest, now)
    found: defaultdict[UUID, dict[UUID, None]] = defaultdict(dict)
    for first, last in windows:
        tasks = select(Task.id).where(Task.due.between(first, last)).order_by(Task.id).limit(PORTION)
        if project_id is not None:
            tasks = tasks.where(Task.project_id == project_id)
        after: list[ColumnElement[bool]] = []
        while ids := list((await uow.fetch(tasks.where(*after))).scalars()):
            rows = (await uow.fetch(_open_tasks(ids))).all()
            for row, _ in _due_of(rows, habits, now, earliest):
                found[row.project_id][row.task_id] = None
            after = [Task.id > ids[-1]]
    return {id_: list(task_ids) for id_, task_ids in found.items()}


async def remind(
    uow: UnitOfWork, project_id: UUID, task_ids: Sequence[UUID], now: datetime, looked_at: datetime
) -> int:
    """Remind everybody of a few tasks of one project whose time has come; return how many reminders that were.

    Under the project's lock, so that of two servers the second finds it done.
    """
    await uow.lock(select(Project.id).where(Project.id == project_id))
    rows = (await uow.fetch(_open_tasks(task_ids))).all()
    habits = await _find_habits(uow, {row.user_id for row in rows})
    due = list(_due_of(rows, habits, now, _earliest(now, looked_at)))
    await _note(uow, due)
    told: defaultdict[tuple[UUID, Kind, str], dict[UUID, Why]] = defaultdict(dict)
    for row, reminder in due:
        told[row.task_id, reminder.kind, row.due][row.user_id] = Why.REMINDER
    for (task_id, kind, day), recipients in told.items():
        await tell(uow, News(kind, project_id, task_id, details={"due": day}), recipients)
    return len(due)


async def start_over(uow: UnitOfWork, task: schemas.Task) -> None:
    """Remind a task's assignees of what lies ahead alone: its due date, or who they are, was changed just now."""
    await uow.execute(delete(SentReminder).where(SentReminder.task_id == task.id))
    now = utc_now()
    rows = [
        {"user_id": user_id, "task_id": task.id, "due": task.due, "since": now, "told_min": None}
        for user_id in task.assignee_ids
    ]
    if rows and task.due is not None:
        await uow.execute(insert(SentReminder), rows)


@dataclass(frozen=True, slots=True)
class _Habit:
    """Where somebody lives, and how long before they want to be reminded."""

    zone: ZoneInfo
    before: tuple[timedelta, ...]


async def _find_habits(uow: UnitOfWork, user_ids: Collection[UUID] | None = None) -> dict[UUID, _Habit]:
    """Return the habits of some people, or of everybody, whose wishes can be read."""
    statement = (
        select(User.id, User.time_zone, NotificationSettings.settings)
        .outerjoin(NotificationSettings, NotificationSettings.user_id == User.id)
        .where(User.is_active)
        .order_by(User.id)
        .limit(PORTION)
    )
    if user_ids is not None:
        statement = statement.where(User.id.in_(user_ids))
    habits: dict[UUID, _Habit] = {}
    after: list[ColumnElement[bool]] = []
    while rows := (await uow.fetch(statement.where(*after))).all():
        for row in rows:
            try:
                habits[row.id] = _Habit(zone_of(row.time_zone), to_wishes(row.settings).remind_before)
            except Exception:  # noqa: BLE001 - whose wishes cannot be read keeps no reminder from the others
                _log.exception("reminder_failed", user_id=str(row.id))
        after = [User.id > rows[-1].id]
    return habits


def _open_tasks(task_ids: Sequence[UUID]) -> Select[*tuple[Any, ...]]:
    """Return a SELECT of who is assigned to which of these tasks, if it is open, and what they were reminded of."""
    sent = (SentReminder.task_id == Task.id) & (SentReminder.user_id == User.id) & (SentReminder.due == Task.due)
    return (
        select(
            Task.id.label("task_id"),
            Task.project_id,
            Task.due,
            Task.created_at,
            User.id.label("user_id"),
            SentReminder.since,
            SentReminder.told_min,
        )
        .select_from(Task)
        .join(Project, Project.id == Task.project_id)
        .join(BoardColumn, (BoardColumn.project_id == Task.project_id) & (BoardColumn.key == Task.status))
        .join(TaskAssignee, TaskAssignee.task_id == Task.id)
        .join(User, User.id == TaskAssignee.user_id)
        .outerjoin(SentReminder, sent)
        .where(
            Task.id.in_(task_ids),
            Task.due.is_not(None),
            Task.deleted_at.is_(None),
            Task.archived_at.is_(None),
            BoardColumn.is_done.is_(False),
            Project.deleted_at.is_(None),
        )
    )


def _due_of(
    rows: Iterable[Record], habits: Mapping[UUID, _Habit], now: datetime, earliest: datetime
) -> Iterator[tuple[Record, Reminder]]:
    """Return who is to be reminded of which of these tasks, and of what, for the first time."""
    for row in rows:
        habit = habits.get(row.user_id)
        if habit is not None:
            reminders = reminders_of(row.due, habit.zone, habit.before)
            after = max(row.since or row.created_at, earliest)
            reminder = find_due(reminders, now, after=after, told_min=row.told_min)
            if reminder is not None:
                yield row, reminder


def _earliest(now: datetime, looked_at: datetime) -> datetime:
    return max(now - LATE, looked_at - GRACE)


async def _note(uow: UnitOfWork, due: Sequence[tuple[Record, Reminder]]) -> None:
    for row, _ in due:
        mine = (SentReminder.user_id == row.user_id, SentReminder.task_id == row.task_id)
        await uow.execute(delete(SentReminder).where(*mine))
    rows = [
        {
            "user_id": row.user_id,
            "task_id": row.task_id,
            "due": row.due,
            "since": row.since or row.created_at,
            "told_min": reminder.lead_min,
        }
        for row, reminder in due
    ]
    if rows:
        await uow.execute(insert(SentReminder), rows)
