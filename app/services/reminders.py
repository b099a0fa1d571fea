"""Reminding people of what is due, once each, whatever the number of servers."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import delete, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now, zone_of
from app.domain.notifying import Kind, Why
from app.domain.reminding import Reminder, find_due, reminders_of
from app.models import BoardColumn, NotificationSettings, Project, ReminderLook, SentReminder, Task, TaskAssignee, User
from app.schemas import tasks as schemas
from app.services.access import Record
from app.services.notifying import News, tell
from app.services.wishes import to_wishes

AHEAD: Final = timedelta(days=31)
"""How long before a due date somebody may want to be reminded, and a day."""
LATE: Final = timedelta(days=7)
"""What could not be told for so long is told no more."""
GRACE: Final = timedelta(minutes=5)
"""What was past for so long at the last look is told no more: its card has come back since, or a wish was changed."""
NOTED_EVERY: Final = timedelta(minutes=1)
"""A look is noted so often: an idle board writes nothing else."""
_log = structlog.get_logger(__name__)


async def last_look(uow: UnitOfWork) -> datetime:
    """Return until when everybody was reminded, if not a minute longer."""
    return (await uow.fetch(select(ReminderLook.looked_at))).scalar_one()


async def note_look(uow: UnitOfWork, now: datetime) -> None:
    """Note that everybody whose time had come was reminded."""
    await uow.execute(update(ReminderLook).where(ReminderLook.looked_at < now).values(looked_at=now))


async def find_projects(uow: UnitOfWork, now: datetime, looked_at: datetime) -> list[UUID]:
    """Return the projects in which somebody is to be reminded now."""
    return sorted({row.project_id for row, _ in await _find_due(uow, now, looked_at, None)})


async def remind(uow: UnitOfWork, project_id: UUID, now: datetime, looked_at: datetime) -> int:
    """Remind everybody in one project whose time has come; return how many reminders that were.

    Under the project's lock, so that of two servers the second finds it done.
    """
    await uow.lock(select(Project.id).where(Project.id == project_id))
    due = await _find_due(uow, now, looked_at, project_id)
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


async def _find_due(
    uow: UnitOfWork, now: datetime, looked_at: datetime, project_id: UUID | None
) -> list[tuple[Record, Reminder]]:
    """Return who is to be reminded of which open task, and of what, for the first time."""
    sent = (SentReminder.task_id == Task.id) & (SentReminder.user_id == User.id) & (SentReminder.due == Task.due)
    statement = (
        select(
            Task.id.label("task_id"),
            Task.project_id,
            Task.due,
            Task.created_at,
            User.id.label("user_id"),
            User.time_zone,
            NotificationSettings.settings,
            SentReminder.since,
            SentReminder.told_min,
        )
        .select_from(Task)
        .join(Project, Project.id == Task.project_id)
        .join(BoardColumn, (BoardColumn.project_id == Task.project_id) & (BoardColumn.key == Task.status))
        .join(TaskAssignee, TaskAssignee.task_id == Task.id)
        .join(User, User.id == TaskAssignee.user_id)
        .outerjoin(NotificationSettings, NotificationSettings.user_id == User.id)
        .outerjoin(SentReminder, sent)
        .where(
            Task.due.between((now - LATE).date().isoformat(), (now + AHEAD).date().isoformat()),
            Task.deleted_at.is_(None),
            Task.archived_at.is_(None),
            BoardColumn.is_done.is_(False),
            Project.deleted_at.is_(None),
        )
    )
    if project_id is not None:
        statement = statement.where(Task.project_id == project_id)
    earliest = max(now - LATE, looked_at - GRACE)
    found = []
    for row in (await uow.fetch(statement)).all():
        try:
            reminders = reminders_of(row.due, zone_of(row.time_zone), to_wishes(row.settings).remind_before)
        except Exception:  # noqa: BLE001 - whose wishes cannot be read keeps no reminder from the others
            _log.exception("reminder_failed", user_id=str(row.user_id), task_id=str(row.task_id))
            continue
        after = max(row.since or row.created_at, earliest)
        reminder = find_due(reminders, now, after=after, told_min=row.told_min)
        if reminder is not None:
            found.append((row, reminder))
    return found


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
