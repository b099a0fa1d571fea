"""A mail server on this machine, with the mailboxes behind it; plain, or encrypted by a certificate of its own."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from sqlalchemy import select, update

from app.domain.clock import utc_now
from app.models import OutgoingMail
from app.services.outbox import MAIL
from tests.support.people import Json, Person
from tests.support.realtime import eventually, eventually_found
from tests.support.server import TestServer

SENDER = "Time to DO <board@example.org>"
LOGIN = ("board", "hunter2-mail")
Start = Callable[..., Awaitable[TestServer]]
"""Starts a server that mails through this machine."""


@dataclass(frozen=True)
class Received:
    """A mail as it came: the envelope and what is in it."""

    sender: str
    recipients: list[str]
    message: EmailMessage

    def text(self, kind: str = "plain") -> str:
        """Return the plain text, or the HTML."""
        part = self.message.get_body((kind,))
        assert part is not None
        return str(part.get_content())

    @property
    def link(self) -> str:
        """The first address in the plain text."""
        found = re.search(r"https?://\S+", self.text())
        assert found is not None
        return found[0]


class MailServer:
    """Takes every mail, unless told otherwise: `answers` are given to the next mails instead, one to each."""

    def __init__(self) -> None:
        self.mails: list[Received] = []
        self.answers: list[str] = []
        """`451 …`, `550 …`: the answer to the mail; `hang`: none; `drop`: the connection ends."""
        self.recipient_answers: dict[str, str] = {}
        """Answers to single recipients."""
        self.greetings: list[str] = []
        """Who said hello."""
        self.logins: list[str] = []
        self.refuses_sender = False
        self.port = 0
        self._server: asyncio.Server | None = None
        self._sessions: set[SMTP] = set()
        self._options: dict[str, Any] = {}
        self._tls: ssl.SSLContext | None = None

    async def start(
        self, context: ssl.SSLContext | None = None, security: str = "none", *, login: bool = False
    ) -> None:
        """Listen, encrypted as the settings of the board call it."""
        starttls = context if security == "starttls" else None
        self._tls = context if security == "tls" else None
        self._options = {"tls_context": starttls, "require_starttls": starttls is not None}
        if login:  # aiosmtpd does not see that a connection was encrypted from the start
            required = starttls is not None
            self._options |= {"authenticator": self._authenticate}
            self._options |= {"auth_required": required, "auth_require_tls": required}
        await self.resume()

    async def resume(self) -> None:
        """Listen again, on the same port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._make_session, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hang up, and listen no more."""
        if self._server is not None:
            self._server.close()
            for session in self._sessions:
                if session.transport is not None:
                    session.transport.close()
            await self._server.wait_closed()
            self._server = None

    def to(self, address: str) -> list[Received]:
        """What came for one address."""
        return [mail for mail in self.mails if address in mail.recipients]

    def _make_session(self) -> SMTP:
        loop = asyncio.get_running_loop()
        session = SMTP(self, loop=loop, hostname="mail.example.org", enable_SMTPUTF8=False, **self._options)
        self._sessions.add(session)
        return session

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.logins.append(data.login.decode())
        return AuthResult(success=(data.login.decode(), data.password.decode()) == LOGIN, handled=False)

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Note who says hello."""
        self.greetings.append(hostname)
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take every sender, or none."""
        if self.refuses_sender:
            return "550 not from here"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, or answer what is to be answered."""
        if (answer := self.recipient_answers.get(address)) is not None:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Put the mail into its mailboxes."""
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer in {"hang", "drop"}:
            assert server.transport is not None
            if answer == "drop":
                server.transport.close()
            await asyncio.Event().wait()  # until the connection ends
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            message = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(message, EmailMessage)
            self.mails.append(Received(str(envelope.mail_from), list(envelope.rcpt_tos), message))
        return answer


def mail_settings(port: int, **changes: Any) -> Json:
    """Return settings of mail for a test, in which nothing waits long."""
    quick = {"smtp_timeout_s": 5, "mail_interval_s": 0.1, "public_url": "https://board.example.org"}
    return {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "smtp_from": SENDER} | quick | changes


async def arrived(server: MailServer, count: int = 1) -> list[Received]:
    """Return the mails once there are so many."""
    await eventually(lambda: len(server.mails) >= count)
    return server.mails


async def outbox(server: TestServer) -> list[Any]:
    """Return the rows of what is not sent yet."""
    async with server.database.read() as uow:
        return list((await uow.fetch(select(OutgoingMail).order_by(OutgoingMail.id))).all())


async def drained(server: TestServer) -> None:
    """Wait until everything is sent or given up."""
    await eventually_found(lambda: outbox(server), lambda rows: not rows)


async def hurry(server: TestServer) -> None:
    """Let what waits to be tried again be due now."""
    async with server.database.write() as uow:
        await uow.execute(update(OutgoingMail).values(next_at=utc_now()))
        uow.wake(MAIL)


async def invite(anna: Person, project: Json, email: str, role: str = "editor") -> Json:
    """Make an invitation for an address."""
    path = f"/projects/{project['id']}/invitations"
    made: Json = (await anna.call("POST", path, json={"role": role, "email": email}, expect=201)).json()
    return made


async def waiting_once_tried(server: TestServer, attempts: int = 1) -> Any:
    """Return the row of the outbox that waits to be tried again after so many attempts."""

    async def look() -> list[Any]:
        return [row for row in await outbox(server) if row.attempts == attempts and row.leased_until is None]

    return (await eventually_found(look))[0]
