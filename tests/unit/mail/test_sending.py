"""The way to a real mail server: what it answers is understood, and what keeps us away is said with what to do."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.config import Settings
from app.mail.letters import Letter, Paragraph
from app.mail.sending import Answer, Mailer, MailServerError, Outcome, to_ascii
from tests.support.mail import LOGIN, MailServer, mail_settings
from tests.support.ports import free_port
from tests.support.tls import Authority

ID = UUID("0199f3a0-1c00-7000-8000-0000000000a1")


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    """A mail server that a test starts."""
    server = MailServer()
    yield server
    await server.stop()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Signs certificates, and is trusted."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


def mailer(server: MailServer, **changes: Any) -> Mailer:
    """Return a mailer that goes there."""
    return Mailer(Settings(**mail_settings(server.port, **changes)))


def letter(address: str = "anna@example.org", subject: str = "Привет", **headers: str) -> Letter:
    """Return a short letter."""
    return Letter(address, "ru", subject, [Paragraph("Всё хорошо. " * 20)], headers=headers)


async def send(server: MailServer, *letters: Letter, **changes: Any) -> list[Answer]:
    """Send letters through one connection."""
    async with mailer(server, **changes).connect() as line:
        return [await line.send(one, ID) for one in letters]


async def test_mail_travels_in_what_every_mail_server_takes(server: MailServer) -> None:
    """Seven bits, a name for the mail that stays, and headers of one's own."""
    await server.start()
    headers = {"List-Unsubscribe": "<https://board.example.org/api/v1/mail/unsubscribe/TOKEN>"}
    assert await send(server, letter(**headers)) == [Answer(Outcome.SENT)]
    (mail,) = server.mails
    assert mail.message.as_bytes().isascii()
    assert mail.message["Message-ID"] == f"<{ID}@example.org>"
    assert (mail.message["Subject"], mail.message["To"]) == ("Привет", "anna@example.org")
    assert mail.message["List-Unsubscribe"] == headers["List-Unsubscribe"]
    assert mail.text().split() == ["Всё", "хорошо."] * 20
    assert mail.message["Date"].datetime.tzinfo is not None
    assert server.greetings == ["board.example.org"]


async def test_one_connection_carries_many_mails_and_their_answers(server: MailServer) -> None:
    """A mail that is refused, for now or for good, spoils nothing for the next one."""
    await server.start()
    server.answers = ["451 try again later", "554 this is spam"]
    server.recipient_answers = {"nobody@example.org": "550 no such user", "busy@example.org": "450 mailbox busy"}
    people = ("a", "b", "nobody", "busy", "c")
    answers = await send(server, *(letter(f"{name}@example.org") for name in people))
    assert answers == [
        Answer(Outcome.LATER, "451 try again later"),
        Answer(Outcome.REFUSED, "554 this is spam"),
        Answer(Outcome.REFUSED, "550 no such user"),
        Answer(Outcome.LATER, "450 mailbox busy"),
        Answer(Outcome.SENT),
    ]
    assert [mail.recipients for mail in server.mails] == [["c@example.org"]]
    assert len(server.greetings) == 1


async def test_sender_who_is_refused_is_no_fault_of_the_mail(server: MailServer) -> None:
    """The administrator can repair that within a day; the doctor says it too."""
    await server.start()
    server.refuses_sender = True
    assert await send(server, letter()) == [Answer(Outcome.LATER, "550 not from here")]
    with pytest.raises(MailServerError, match=r"takes no mails from TIMETODO_SMTP_FROM \(550 not from here\)"):
        await mailer(server).check()


@pytest.mark.parametrize("behaviour", ["hang", "drop"])
async def test_connection_that_breaks_is_tried_again_later(server: MailServer, behaviour: str) -> None:
    """A mail server that says nothing, or goes, in the middle of a mail, took nothing."""
    await server.start()
    server.answers = [behaviour]
    async with mailer(server, smtp_timeout_s=0.2).connect() as line:
        answer = await line.send(letter(), ID)
        assert not line.is_open
    assert answer.outcome is Outcome.LATER
    assert answer.reason


async def test_address_that_cannot_travel_is_refused(server: MailServer) -> None:
    """Domains in other scripts have an ASCII form; a local part needs a mail server that knows SMTPUTF8."""
    assert to_ascii("anna@пример.рф") == "anna@xn--e1afmkfd.xn--p1ai"
    await server.start()
    bad, foreign, good = await send(server, letter("no address"), letter("анна@example.org"), letter("a@пример.рф"))
    assert [bad.outcome, foreign.outcome, good.outcome] == [Outcome.REFUSED, Outcome.REFUSED, Outcome.SENT]
    assert "SMTPUTF8" in foreign.reason


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_connection_is_encrypted_and_signed_in(server: MailServer, authority: Authority, security: str) -> None:
    """By both ways of encryption; the password goes nowhere else."""
    await server.start(authority.context("127.0.0.1"), security, login=True)
    username, password = LOGIN
    login = {"smtp_security": security, "smtp_username": username, "smtp_password": password}
    assert await send(server, letter(), **login) == [Answer(Outcome.SENT)]
    assert server.logins == [username]
    await mailer(server, **login).check()
    assert len(server.mails) == 1


async def test_wrong_password_is_told_without_it(server: MailServer, authority: Authority) -> None:
    """The sentence names the settings, not what is in them."""
    await server.start(authority.context("127.0.0.1"), "tls", login=True)
    login = {"smtp_security": "tls", "smtp_username": "board", "smtp_password": "hunter3-wrong"}
    with pytest.raises(MailServerError, match="refuses TIMETODO_SMTP_USERNAME or TIMETODO_SMTP_PASSWORD") as error:
        await mailer(server, **login).check()
    assert "hunter3" not in str(error.value)


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_certificate_that_is_not_right_is_not_taken(
    server: MailServer, authority: Authority, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    """One for another name, then one of an authority nobody knows."""
    await server.start(authority.context("elsewhere.example.org"), security)
    with pytest.raises(MailServerError, match=r"IP address mismatch.*TIMETODO_SMTP_HOST must be the name in it"):
        await mailer(server, smtp_security=security).check()
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(MailServerError, match=r"certificate .* is not to be trusted: .*; .*SSL_CERT_FILE"):
        await mailer(server, smtp_security=security).check()
    assert server.mails == []


async def test_way_of_encryption_that_does_not_fit_is_told(server: MailServer) -> None:
    """Never does a mail, or a password, go unencrypted where the settings say otherwise."""
    await server.start()
    with pytest.raises(MailServerError, match=r"STARTTLS extension not supported.*TIMETODO_SMTP_SECURITY"):
        await mailer(server, smtp_security="starttls").check()
    with pytest.raises(MailServerError, match="does not speak TLS at once; try TIMETODO_SMTP_SECURITY=starttls"):
        await mailer(server, smtp_security="tls").check()
    with pytest.raises(MailServerError, match=r"AUTH extension is not supported"):
        await mailer(server, smtp_username="board", smtp_password="x").check()


async def test_mail_server_that_is_not_there_is_told(server: MailServer, authority: Authority) -> None:
    """Nobody listens; there is no such name; somebody listens and says nothing, as a TLS port does to us."""
    server.port = free_port()
    for changes in ({}, {"smtp_host": "mail.invalid"}):
        with pytest.raises(MailServerError, match=r"no mail server answers at .*; check TIMETODO_SMTP_HOST"):
            await mailer(server, **changes).check()
    server.port = 0
    await server.start(authority.context("127.0.0.1"), "tls")
    with pytest.raises(MailServerError, match=r"no mail server answers at .* \(tls is port 465\)"):
        await mailer(server, smtp_timeout_s=0.2).check()


async def test_mail_server_that_hangs_up_at_the_goodbye_has_taken_the_mail(server: MailServer) -> None:
    """What was taken is taken."""
    await server.start()
    async with mailer(server).connect() as line:
        answer = await line.send(letter(), ID)
        await server.stop()
    assert (answer, len(server.mails)) == (Answer(Outcome.SENT), 1)


@pytest.mark.parametrize(
    "name",
    [
        "=?utf-8?q?E=0D=0A=0D=0APay_at_http=3A//evil.example?=",
        "=?utf-8?q?E=0D=0ABcc=3A_victim=40example.org?=",
        "x =?utf-8?b?DQpCY2M6IHZAZXhhbXBsZS5vcmc=?= y",
        "=?us-ascii?q?=ff?=",
        "=?utf-8?q?=E2=80=AE?=",
    ],
)
async def test_name_that_is_an_encoded_word_begins_no_header(server: MailServer, name: str) -> None:
    """Nobody writes headers or a text of their own into our mails by the name they chose (RFC 2047)."""
    await server.start()
    answers = await send(server, letter(), letter(subject=f"{name} invites you"))
    assert {answer.outcome for answer in answers} == {Outcome.SENT}
    usual, mail = server.mails
    subject = "".join(mail.message["Subject"].split())
    assert subject == "".join(f"{name} invites you".replace("=?", "= ?").split())
    assert mail.message.keys() == usual.message.keys()


async def test_address_that_is_an_encoded_word_gets_no_mail(server: MailServer) -> None:
    """It would begin a header like a name; no mailbox has one."""
    await server.start()
    (answer,) = await send(server, letter("=?utf-8?q?a=0d=0abcc=3a_v?=@example.org"))
    assert answer.outcome is Outcome.REFUSED
    assert "encoded word" in answer.reason
    assert server.mails == []
