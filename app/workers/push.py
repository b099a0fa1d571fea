"""Sends what is to be pushed: at once what this server has written, every few seconds what others left."""

import asyncio
import random
import time
from collections import Counter
from functools import partial
from typing import Final
from uuid import UUID

import structlog

from app.config import Settings
from app.db.unit_of_work import Database, UnitOfWork
from app.push.keys import PushKey
from app.push.metrics import DELIVERIES, DROPPED, PENDING
from app.push.sending import Answer, Outcome, PushSender
from app.services import push
from app.services.deliveries import PUSH
from app.services.notifications import find_snoozed_due, wake_snoozed
from app.services.push import Parcel
from app.workers.periodic import PeriodicWorker

AT_ONCE: Final = 64
"""Requests under way."""
A_SERVICE: Final = 8
"""Nothing more is claimed for a push service with so many under way: one that hangs never takes the others' places."""
REST_S: Final = 600.0
"""For so long at most no push service is asked because it was busy for one device: it does not say whom it means."""
_log = structlog.get_logger(__name__)


class PushWorker(PeriodicWorker):
    """Claims due pushes and sends them; several servers share the work."""

    name = "push"

    def __init__(self, database: Database, key: PushKey, settings: Settings) -> None:
        super().__init__(settings.push_interval_s, database.alarm(PUSH))
        self._database = database
        self._sender = PushSender(key, timeout_s=settings.push_timeout_s, allow_private=settings.push_allow_private)
        self._under_way: Counter[str] = Counter()
        """Requests for each push service."""
        self._rests_until: dict[str, float] = {}
        """Push services that have asked to be left alone, by `time.monotonic`."""
        self._sending: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """Stop; what is under way is taken up again when its lease ends."""
        await super().stop()
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def look(self) -> None:
        """Show again what was snoozed until now, then start to send all that is due and may be sent now."""
        async with self._database.read() as uow:
            waiting, sleepers = await push.count_waiting(uow), await find_snoozed_due(uow)
        PENDING.set(waiting)
        for user_id in sleepers:
            await self.apart(self._wake(user_id), user_id=str(user_id))
        has_more = bool(waiting or sleepers)
        while has_more:
            has_more = await self._send_some()

    async def _wake(self, user_id: UUID) -> None:
        async with self._database.write() as uow:
            await wake_snoozed(uow, user_id)

    async def _send_some(self) -> bool:
        """Start to send what is due; return whether there may be more."""
        async with self._database.write() as uow:
            has_more = await push.address(uow)
            parcels = await self._claim(uow)
        for parcel in parcels:
            self._start(parcel)
        return has_more or len(parcels) == A_SERVICE

    async def _claim(self, uow: UnitOfWork) -> list[Parcel]:
        limit = min(A_SERVICE, AT_ONCE - self._under_way.total())
        full = [service for service, count in self._under_way.items() if count >= A_SERVICE]
        now = time.monotonic()
        self._rests_until = {service: until for service, until in self._rests_until.items() if until > now}
        return await push.claim(uow, limit=limit, except_to=[*full, *self._rests_until]) if limit else []

    def _start(self, parcel: Parcel) -> None:
        self._under_way[parcel.service] += 1
        task = asyncio.create_task(self._send(parcel))
        self._sending.add(task)
        task.add_done_callback(partial(self._sent, parcel.service))

    def _sent(self, service: str, task: asyncio.Task[None]) -> None:
        if self._under_way[service] >= A_SERVICE or self._under_way.total() == AT_ONCE:
            self._alarm.set()  # what was left for want of a place
        self._under_way[service] -= 1
        if not self._under_way[service]:
            del self._under_way[service]
        self._sending.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("push_not_noted", exc_info=error)

    async def _send(self, parcel: Parcel) -> None:
        answer = await self._sender.send(parcel.push) if parcel.push else Answer(Outcome.REFUSED, "nothing to say")
        if parcel.push is not None:
            DELIVERIES.labels(answer.outcome.value).inc()
            if answer.outcome is Outcome.REFUSED or (
                answer.outcome is not Outcome.SENT and parcel.attempts >= push.MAX_ATTEMPTS
            ):
                DROPPED.inc()
            if answer.retry_after_s:
                self._rests_until[parcel.service] = time.monotonic() + min(answer.retry_after_s, REST_S)
            if answer.outcome is not Outcome.SENT:
                _log.info("push_not_sent", outcome=answer.outcome.value, reason=answer.reason)
        async with self._database.write() as uow:
            await push.finish(uow, parcel, answer, jitter=random.random())  # noqa: S311 - a spread, not a secret
