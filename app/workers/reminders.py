"""Reminds of what is due, looking every half minute by default."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from app.config import Settings
from app.db.unit_of_work import Database
from app.domain.clock import utc_now
from app.services import reminders
from app.workers.periodic import PeriodicWorker

TOLD_AT_ONCE: Final = 4
"""Tasks in one transaction: nobody waits for a whole board whose cards are all due."""


class ReminderWorker(PeriodicWorker):
    """Looks again and again; several servers may look at once."""

    name = "reminders"

    def __init__(self, database: Database, settings: Settings, *, now: Callable[[], datetime] = utc_now) -> None:
        super().__init__(settings.reminder_interval_s)
        self._database = database
        self._now = now
        self._behind: dict[UUID, datetime] = {}
        """Projects whose looks have failed, and until when everybody there was reminded."""

    async def look(self) -> int:
        """Remind everybody whose time has come; return how many reminders that were."""
        now = self._now()
        async with self._database.read() as uow:
            looked_at = await reminders.last_look(uow)
            due = await reminders.find_tasks(uow, now, looked_at)
            for project_id, since in self._behind.items():
                due[project_id] = (await reminders.find_tasks(uow, now, since, project_id)).get(project_id, [])
        total = 0
        for project_id, task_ids in sorted(due.items()):
            since = self._behind.get(project_id, looked_at)
            count = await self.apart(self._remind(project_id, task_ids, now, since), project_id=str(project_id))
            if count is None:
                self._behind[project_id] = since
            else:
                self._behind.pop(project_id, None)
                total += count
        if now - looked_at >= reminders.NOTED_EVERY:
            async with self._database.write() as uow:
                await reminders.note_look(uow, now)
        return total

    async def _remind(self, project_id: UUID, task_ids: Sequence[UUID], now: datetime, looked_at: datetime) -> int:
        count = 0
        for start in range(0, len(task_ids), TOLD_AT_ONCE):
            async with self._database.write() as uow:
                few = task_ids[start : start + TOLD_AT_ONCE]
                count += await reminders.remind(uow, project_id, few, now, looked_at)
        return count
