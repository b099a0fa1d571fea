"""Mails people what stayed unread, looking as often as for mails that are due."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from app.config import Settings
from app.db.unit_of_work import Database
from app.domain.clock import utc_now
from app.services import digests
from app.workers.periodic import PeriodicWorker


class DigestWorker(PeriodicWorker):
    """Looks again and again; several servers may look at once."""

    name = "digests"

    def __init__(self, database: Database, settings: Settings, *, now: Callable[[], datetime] = utc_now) -> None:
        super().__init__(settings.mail_interval_s)
        self._database = database
        self._now = now

    async def look(self) -> int:
        """Put what is due to somebody into a mail, person by person; return how many mails that were."""
        now = self._now()
        async with self._database.read() as uow:
            due = await digests.find_due(uow, now)
        return sum([await self.apart(self._gather(user_id, now), user_id=str(user_id)) or 0 for user_id in due])

    async def _gather(self, user_id: UUID, now: datetime) -> bool:
        async with self._database.write() as uow:
            return await digests.gather(uow, user_id, now)
