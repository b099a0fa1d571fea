"""Sends what is in the outbox: at once what this server has written, every few seconds what others left.

One mail after the other goes through one connection. Where the mail server cannot be reached, no mail is touched, and
the next look is put off for longer each time.
"""

import asyncio
import contextlib
import random
from typing import Final

import structlog

from app.config import Settings
from app.db.unit_of_work import Database
from app.mail.letters import Letter
from app.mail.metrics import DELIVERIES, DROPPED, PENDING
from app.mail.sending import COMMANDS, Answer, Line, Mailer, MailServerError, Outcome
from app.services import letters, outbox
from app.services.mailing import Mailing
from app.services.outbox import MAIL, Waiting
from app.workers.periodic import PeriodicWorker

MAX_PAUSE_S: Final = 300.0
"""A mail server that is back is found after so long at most."""
MAX_DOUBLINGS: Final = 30
A_CONNECTION: Final = 50
"""Mails after which another connection is made: many mail servers set a limit."""
_log = structlog.get_logger(__name__)


class MailWorker(PeriodicWorker):
    """Claims due mails and sends them; several servers share the work."""

    name = "mail"

    def __init__(self, database: Database, settings: Settings, mailing: Mailing) -> None:
        super().__init__(settings.mail_interval_s, database.alarm(MAIL))
        self._database = database
        self._mailing = mailing
        self._mailer = Mailer(settings)
        self._lease_s = 3 * COMMANDS * settings.smtp_timeout_s  # to connect, to send, and to spare
        self._failures = 0
        """How often in a row the mail server could not be reached."""

    async def look(self) -> None:
        """Send what is due."""
        try:
            while await self._send_some():
                pass
            self._failures = 0
        except MailServerError as error:
            self._failures += 1
            _log.warning("mail_server_failed", reason=str(error), times=self._failures)

    async def rest(self) -> None:
        """Wait as usual; for longer each time, whatever there is to send, while the mail server cannot be reached."""
        if self._failures:
            doublings = min(self._failures - 1, MAX_DOUBLINGS)
            await asyncio.sleep(min(self._interval_s * 2**doublings, MAX_PAUSE_S))
        else:
            await super().rest()

    async def _send_some(self) -> bool:
        """Send what is due, through one connection, made for the first mail; return whether there may be more.

        Raises:
            MailServerError: the mail server cannot be reached.
        """
        async with self._database.read() as uow:
            counts = await outbox.count(uow)
        PENDING.set(counts.waiting)
        if counts.expired:
            async with self._database.write() as uow:
                expired = await outbox.drop_expired(uow)
            DROPPED.inc(expired)
            _log.error("mail_expired", mails=expired)
        if not counts.due:
            return False
        async with contextlib.AsyncExitStack() as connection:
            line: Line | None = None
            for _ in range(A_CONNECTION):
                mail = await self._claim()
                if mail is None:
                    return False
                letter = await self._write(mail)
                if letter is None:
                    continue
                if line is None:
                    line = await self._connect(connection, mail)
                await self._finish(mail, await line.send(letter, mail.id))
                if not line.is_open:
                    return False
        return True

    async def _claim(self) -> Waiting | None:
        async with self._database.write() as uow:
            return await outbox.claim(uow, lease_s=self._lease_s)

    async def _write(self, mail: Waiting) -> Letter | None:
        """Return what to send; None when there is nothing to say any more, or it cannot be said."""
        try:
            async with self._database.write() as uow:
                letter = await letters.write(uow, self._mailing, mail) if await outbox.hold(uow, mail) else None
                if letter is None:
                    await outbox.drop(uow, mail.id)
        except Exception:  # noqa: BLE001 - one that cannot be written must not hold up the others
            _log.exception("mail_not_written", mail_id=str(mail.id), kind=mail.kind)
            await self._finish(mail, Answer(Outcome.LATER, "it cannot be written"))
            return None
        return letter

    async def _connect(self, connection: contextlib.AsyncExitStack, mail: Waiting) -> Line:
        """Open a connection for `mail` and those after it; if there is none, `mail` is as it was."""
        try:
            return await connection.enter_async_context(self._mailer.connect())
        except (MailServerError, asyncio.CancelledError):  # nothing was sent: whoever comes next need not wait
            async with self._database.write() as uow:
                await outbox.release(uow, mail)
            raise

    async def _finish(self, mail: Waiting, answer: Answer) -> None:
        DELIVERIES.labels(answer.outcome.value).inc()
        async with self._database.write() as uow:
            is_dropped = await outbox.finish(uow, mail, answer, jitter=random.random())  # noqa: S311 - a spread
        if is_dropped:
            DROPPED.inc()
        if answer.outcome is not Outcome.SENT:
            tell = _log.error if is_dropped else _log.warning
            tell("mail_not_sent", mail_id=str(mail.id), kind=mail.kind, gives_up=is_dropped, reason=answer.reason)
