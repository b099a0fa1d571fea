"""Forgets what is past its time, every ten minutes by default."""

from app.config import Settings
from app.db.unit_of_work import Database
from app.services import retention
from app.workers.periodic import PeriodicWorker


class RetentionWorker(PeriodicWorker):
    """Runs the sweep again and again. Two servers sweeping at once only find less to do."""

    name = "retention"

    def __init__(self, database: Database, settings: Settings) -> None:
        super().__init__(settings.retention_interval_s)
        self._database = database
        self._settings = settings

    async def look(self) -> None:
        """Forget it."""
        await retention.sweep(self._database, self._settings)
