"""A worker that looks again and again."""

import asyncio
import contextlib

import structlog

from app.workers.periodic import PeriodicWorker


class Clumsy(PeriodicWorker):
    """Fails at its first look."""

    name = "clumsy"

    def __init__(self) -> None:
        super().__init__(interval_s=0)
        self.looks = 0
        self.has_looked_again = asyncio.Event()

    async def look(self) -> None:
        self.looks += 1
        if self.looks == 1:
            message = "the database is away"
            raise ConnectionError(message)
        self.has_looked_again.set()


async def test_look_that_fails_is_told_and_followed_by_the_next() -> None:
    """Until the worker is stopped; one that never began is stopped, too."""
    worker = Clumsy()
    await worker.stop()
    with structlog.testing.capture_logs() as logs:
        worker.start()
        await asyncio.wait_for(worker.has_looked_again.wait(), 5)
        await worker.stop()
    assert [entry["event"] for entry in logs] == ["clumsy_failed"]
    looks = worker.looks
    await asyncio.sleep(0)
    assert worker.looks == looks


class Woken(PeriodicWorker):
    """Looks when it is woken."""

    name = "woken"

    async def look(self) -> None: ...


async def test_worker_that_is_woken_while_it_is_stopped_stops() -> None:
    """The alarm takes nothing from the stop that comes in the same turn of the loop."""
    alarm = asyncio.Event()
    worker = Woken(60, alarm)
    worker.start()
    for _ in range(3):
        await asyncio.sleep(0)  # it waits
    alarm.set()
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await worker.stop()


class Deaf(PeriodicWorker):
    """Does not hear that it is cancelled, as what it calls may do."""

    name = "deaf"

    def __init__(self) -> None:
        super().__init__(60)
        self.is_looking = asyncio.Event()

    async def look(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self.is_looking.set()
            await asyncio.Event().wait()


async def test_worker_whose_look_swallows_the_cancellation_stops() -> None:
    """It does not rest first, nor look once more."""
    worker = Deaf()
    worker.start()
    async with asyncio.timeout(5):
        await worker.is_looking.wait()
        await worker.stop()
