"""Forgets what is past its time, every ten minutes by default."""

import asyncio

import structlog

from app.config import Settings
from app.db.unit_of_work import Database
from app.services import retention

_log = structlog.get_logger(__name__)


class RetentionWorker:
    """Runs the sweep again and again. Two servers sweeping at once only find less to do."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; the first sweep is at once."""
        self._task = asyncio.create_task(self._run(), name="retention")

    async def stop(self) -> None:
        """Stop, in the middle of a sweep if need be: it is one transaction."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                async with self._database.write() as uow:
                    await retention.sweep(uow, self._settings)
            except Exception:  # noqa: BLE001 - the database may be away for a moment
                _log.exception("retention_failed")
            await asyncio.sleep(self._settings.retention_interval_s)
