"""Reminds of what is due, looking every half minute by default."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from app.config import Settings
from app.db.unit_of_work import Database
from app.domain.clock import utc_now
from app.services import reminders

_log = structlog.get_logger(__name__)


class ReminderWorker:
    """Looks again and again; several servers may look at once."""

    def __init__(self, database: Database, settings: Settings, *, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._interval_s = settings.reminder_interval_s
        self._now = now
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; the first look is at once."""
        self._task = asyncio.create_task(self._run(), name="reminders")

    async def stop(self) -> None:
        """Stop, in the middle of a project if need be: it is one transaction."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> int:
        """Remind everybody whose time has come; return how many reminders that were."""
        now = self._now()
        async with self._database.read() as uow:
            projects = await reminders.find_projects(uow, now)
        count = 0
        for project_id in projects:
            async with self._database.write() as uow:
                count += await reminders.remind(uow, project_id, now)
        return count

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - the database may be away for a moment
                _log.exception("reminders_failed")
            await asyncio.sleep(self._interval_s)
