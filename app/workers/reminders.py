"""Reminds of what is due, looking every half minute by default."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from app.config import Settings
from app.db.unit_of_work import Database
from app.domain.clock import utc_now
from app.services import reminders
from app.workers.periodic import PeriodicWorker


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
            projects = {*await reminders.find_projects(uow, now, looked_at), *self._behind}
        total = 0
        for project_id in sorted(projects):
            since = self._behind.get(project_id, looked_at)
            count = await self.apart(self._remind(project_id, now, since), project_id=str(project_id))
            if count is None:
                self._behind[project_id] = since
            else:
                self._behind.pop(project_id, None)
                total += count
        if now - looked_at >= reminders.NOTED_EVERY:
            async with self._database.write() as uow:
                await reminders.note_look(uow, now)
        return total

    async def _remind(self, project_id: UUID, now: datetime, looked_at: datetime) -> int:
        async with self._database.write() as uow:
            return await reminders.remind(uow, project_id, now, looked_at)
