"""The way to the mail server (RFC 5321): one connection, for one mail after the other.

What the server says of a mail is that mail's outcome; whatever keeps us from being heard at all is the administrator's
to repair, and said in a sentence that names the setting.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.policy import Policy
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import aiosmtplib
from email_validator import EmailNotValidError, validate_email

from app.config import Settings, SmtpSecurity, parse_sender
from app.mail.letters import Letter, fold, to_html, to_text

COMMANDS: Final = 5
"""Answers that one mail waits for, at most."""
GOODBYE_S: Final = 2.0
"""How long an answer to our goodbye is waited for."""


class _Whole(BaseHeader, UnstructuredHeader):
    """A header of addresses of the web: folded like other text it would be encoded, and no reader of mail know it."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS: Final = HeaderRegistry()
_HEADERS.map_to_type("List-Unsubscribe", _Whole)
_POLICY: Final = SMTP_POLICY.clone(cte_type="7bit", header_factory=_HEADERS)
"""Every mail server takes that."""


_ENCODED: Final = "=?"
"""Begins an encoded word (RFC 2047). The library decodes one that somebody chose as a name, line ends included."""


class MailServerError(Exception):
    """The mail server cannot be used now; the text says why, and what to look at."""


class Outcome(StrEnum):
    """What became of a mail."""

    SENT = "sent"
    LATER = "later"
    """Not now (4xx), or the connection broke."""
    REFUSED = "refused"
    """It will not be taken the next time either (5xx)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome, and why if it was not sent."""

    outcome: Outcome
    reason: str = ""


class Line:
    """An open connection to the mail server."""

    def __init__(self, client: aiosmtplib.SMTP, sender: Address, timeout_s: float) -> None:
        self._client = client
        self._sender = sender
        self._timeout_s = timeout_s

    @property
    def is_open(self) -> bool:
        """Whether another mail can go this way."""
        return self._client.is_connected

    async def send(self, letter: Letter, id_: UUID) -> Answer:
        """Hand over a mail. One that was handed over before has the same `Message-ID`, by which readers know it."""
        try:
            recipient = to_ascii(letter.address)
            message = build(letter, id_, self._sender, recipient)
            async with asyncio.timeout(COMMANDS * self._timeout_s):
                await self._client.send_message(message, sender=self._sender.addr_spec, recipients=[recipient])
        except aiosmtplib.SMTPSenderRefused as error:
            return Answer(Outcome.LATER, _quote(error))  # the fault is not this mail's
        except aiosmtplib.SMTPRecipientsRefused as error:
            return _read_refusal(error.recipients[0])
        except aiosmtplib.SMTPResponseException as error:
            return _read_refusal(error)
        except (aiosmtplib.SMTPNotSupported, EmailNotValidError, ValueError) as error:
            return Answer(Outcome.REFUSED, str(error))
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            self._client.close()
            return Answer(Outcome.LATER, f"{type(error).__name__}: {error}")
        return Answer(Outcome.SENT)

    async def try_sender(self) -> None:
        """Ask whether the mail server takes mails from us at all, sending none."""
        await self._client.mail(self._sender.addr_spec)
        await self._client.rset()


class Mailer:
    """Knows the way to the mail server that the settings name."""

    def __init__(self, settings: Settings) -> None:
        assert settings.smtp_from is not None
        self._settings = settings
        self._sender = parse_sender(settings.smtp_from)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Line]:
        """Open a connection, encrypted and signed in as the settings say.

        Raises:
            MailServerError: it did not come about.
        """
        client = self._client()
        try:
            async with asyncio.timeout(COMMANDS * self._settings.smtp_timeout_s):
                await client.connect()
                if client.is_ehlo_or_helo_needed:
                    await client.ehlo()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            client.close()
            raise MailServerError(self._explain(error)) from error
        try:
            yield Line(client, self._sender, self._settings.smtp_timeout_s)
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=GOODBYE_S)
        finally:
            client.close()

    async def check(self) -> None:
        """See that mails would be taken, sending none.

        Raises:
            MailServerError: they would not.
        """
        async with self.connect() as line:
            try:
                await line.try_sender()
            except (aiosmtplib.SMTPException, OSError) as error:
                message = f"{self._place} takes no mails from TIMETODO_SMTP_FROM ({_quote(error)})"
                raise MailServerError(message) from error

    @property
    def _place(self) -> str:
        return f"{self._settings.smtp_host}:{self._settings.resolved_smtp_port}"

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.resolved_smtp_port,
            username=settings.smtp_username,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            use_tls=settings.smtp_security is SmtpSecurity.TLS,
            start_tls=settings.smtp_security is SmtpSecurity.STARTTLS,
            timeout=settings.smtp_timeout_s,
            local_hostname=_host_name(settings.base_url),
        )

    def _explain(self, error: Exception) -> str:
        """Return what is wrong and what to look at."""
        cause = error if isinstance(error, ssl.SSLError) else error.__cause__
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"the certificate of {self._place} is not to be trusted: {cause.verify_message}; TIMETODO_SMTP_HOST "
                "must be the name in it, and SSL_CERT_FILE name the certificate of an authority of your own"
            )
        if isinstance(cause, ssl.SSLError):
            return f"{self._place} does not speak TLS at once; try TIMETODO_SMTP_SECURITY=starttls"
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            return f"{self._place} refuses TIMETODO_SMTP_USERNAME or TIMETODO_SMTP_PASSWORD ({_quote(error)})"
        if isinstance(error, aiosmtplib.SMTPConnectError | OSError) or not isinstance(error, aiosmtplib.SMTPException):
            return (
                f"no mail server answers at {self._place} ({_quote(error)}); check TIMETODO_SMTP_HOST, "
                "TIMETODO_SMTP_PORT, TIMETODO_SMTP_SECURITY (tls is port 465) and the firewall"
            )
        return (
            f"{self._place} cannot be used as the settings say ({_quote(error)}); check TIMETODO_SMTP_SECURITY and "
            "TIMETODO_SMTP_USERNAME"
        )


def build(letter: Letter, id_: UUID, sender: Address, recipient: str) -> EmailMessage:
    """Return the mail as it travels."""
    message = EmailMessage(_POLICY)
    message["From"] = sender
    user, _, domain = recipient.rpartition("@")
    message["To"] = Address(username=user, domain=domain)
    message["Subject"] = fold(letter.subject).replace(_ENCODED, "= ?")
    message["Date"] = datetime.now(UTC)
    message["Message-ID"] = f"<{id_}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # nobody's absence is told to a machine (RFC 3834)
    for name, value in letter.headers.items():
        message[name] = value
    message.set_content(to_text(letter))
    message.add_alternative(to_html(letter), subtype="html")
    return message


def to_ascii(address: str) -> str:
    """Return an address as every mail server takes it, where there is such a form.

    Raises:
        EmailNotValidError: no mail can go there.
    """
    if _ENCODED in address:
        message = "an address that could be read as an encoded word gets no mail"
        raise EmailNotValidError(message)
    found = validate_email(address, check_deliverability=False, test_environment=True)
    return found.ascii_email or found.normalized


def _host_name(url: str) -> str | None:
    """Return by which name we greet; an address is none, and the system is asked."""
    name = urlsplit(url).hostname or ""
    return name if name.isascii() and any(sign.isalpha() for sign in name) and ":" not in name else None


def _read_refusal(error: aiosmtplib.SMTPResponseException) -> Answer:
    return Answer(Outcome.REFUSED if 500 <= error.code < 600 else Outcome.LATER, _quote(error))


def _quote(error: Exception) -> str:
    """Return what the other side said, as one line of bearable length."""
    said = f"{error.code} {error.message}" if isinstance(error, aiosmtplib.SMTPResponseException) else str(error)
    return fold(said or type(error).__name__)[:200]
