"""What looks again and again whether there is something to do. Several servers may look at once."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import TypeVar

import structlog

Result = TypeVar("Result")
_log = structlog.get_logger(__name__)


class PeriodicWorker(ABC):
    """Looks at once, and then every `interval_s`, or when its alarm is set (`Database.alarm`)."""

    name: str

    def __init__(self, interval_s: float, alarm: asyncio.Event | None = None) -> None:
        self._interval_s = interval_s
        self._alarm = alarm or asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_stopping = False

    @abstractmethod
    async def look(self) -> object:
        """Do what there is to do."""

    def start(self) -> None:
        """Begin; the first look is at once."""
        self._is_stopping = False
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Stop, in the middle of a look if need be: what it does, it does in transactions, or under a lease."""
        self._is_stopping = True  # what a look waits for may swallow the cancellation: a driver that is connecting
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def apart(self, part: Awaitable[Result], **whose: str) -> Result | None:
        """Do a part of a look; if it fails that is logged, with `whose` it was, and holds up no other: None."""
        try:
            return await part
        except Exception:  # noqa: BLE001 - whatever is wrong with one
            _log.exception(f"{self.name}_failed", **whose)
            return None

    async def _run(self) -> None:
        while not self._is_stopping:
            self._alarm.clear()
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - the database may be away for a moment
                _log.exception(f"{self.name}_failed")
            if not self._is_stopping:
                await self.rest()

    async def rest(self) -> None:
        """Wait until it is time to look again."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._interval_s):  # `wait_for` may swallow a cancellation (Python 3.11)
                await self._alarm.wait()
