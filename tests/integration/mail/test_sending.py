"""The outbox is emptied by any server, once, whatever the mail server does meanwhile."""

import asyncio
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import update

from app.config import Settings
from app.doctor import diagnose
from app.domain.clock import utc_now
from app.models import OutgoingMail
from app.services import resets, retention
from app.services.outbox import MAIL, MailKind, post
from tests.support.mail import (
    MailServer,
    Start,
    arrived,
    drained,
    hurry,
    invite,
    mail_settings,
    outbox,
    waiting_once_tried,
)
from tests.support.people import Json, Person, register
from tests.support.ports import free_port
from tests.support.realtime import eventually
from tests.support.server import TestServer, run_server


def counted(name: str, **labels: str) -> float:
    """Return the value of a series."""
    return REGISTRY.get_sample_value(f"timetodo_mail_{name}", labels) or 0.0


async def test_mail_server_that_is_away_costs_only_time(
    server: TestServer, post_office: MailServer, anna: Person, project: Json, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody waits for it, no mail is tried in vain, and all go out when it is back."""
    await post_office.stop()
    for name in ("a", "b"):
        await invite(anna, project, f"{name}@example.org")
    await eventually(lambda: any("no mail server answers" in str(record.msg) for record in caplog.records))
    assert [row.attempts for row in await outbox(server)] == [0, 0]
    await post_office.resume()
    await arrived(post_office, 2)
    await drained(server)
    assert sorted(mail.recipients[0] for mail in post_office.mails) == ["a@example.org", "b@example.org"]


async def test_mail_that_is_put_off_is_tried_again_later(
    server: TestServer, post_office: MailServer, anna: Person, project: Json
) -> None:
    """A 4xx is tried again, later each time; the mail is the same one to its readers."""
    post_office.answers = ["451 greylisted", "451 greylisted"]
    before = counted("deliveries_total", outcome="later")
    await invite(anna, project, "clara@example.org")
    first = await waiting_once_tried(server)
    assert timedelta(seconds=25) < first.next_at - utc_now() < timedelta(seconds=95)
    await hurry(server)
    second = await waiting_once_tried(server, attempts=2)
    assert timedelta(seconds=55) < second.next_at - utc_now() < timedelta(seconds=185)
    await hurry(server)
    (mail,) = await arrived(post_office)
    await drained(server)
    assert mail.message["Message-ID"] == f"<{first.id}@example.org>"
    assert counted("deliveries_total", outcome="later") == before + 2


async def test_mail_that_is_refused_is_given_up_at_once(
    server: TestServer, post_office: MailServer, anna: Person, project: Json
) -> None:
    """A 5xx is the last word, and holds up nobody else's mail."""
    post_office.recipient_answers = {"nobody@example.org": "550 no such user"}
    before = counted("dropped_total")
    for name in ("nobody", "clara"):
        await invite(anna, project, f"{name}@example.org")
    (mail,) = await arrived(post_office)
    await drained(server)
    assert mail.recipients == ["clara@example.org"]
    assert counted("dropped_total") == before + 1


async def test_mail_of_an_unknown_kind_holds_up_nobody_elses(
    server: TestServer, post_office: MailServer, anna: Person, project: Json
) -> None:
    """A server of a later version left it: it waits for one, as long as mails wait."""
    async with server.database.write() as uow:
        await post(uow, MailKind.RESET, address="anna@example.org", language="en", data={})
        await uow.execute(update(OutgoingMail).values(kind="newsletter", data="<"))
    await invite(anna, project, "clara@example.org")
    assert [mail.recipients for mail in await arrived(post_office)] == [["clara@example.org"]]
    assert (await waiting_once_tried(server)).kind == "newsletter"


async def test_mail_that_comes_too_late_is_given_up(
    server: TestServer, post_office: MailServer, anna: Person, project: Json
) -> None:
    """After its time nobody is mailed, not even when the mail server is back."""
    await post_office.stop()
    await invite(anna, project, "clara@example.org")
    before = counted("dropped_total")
    async with server.database.write() as uow:
        await uow.execute(update(OutgoingMail).values(expires_at=utc_now()))
        uow.wake(MAIL)
    await drained(server)
    await post_office.resume()
    await invite(anna, project, "dora@example.org")
    assert [mail.recipients for mail in await arrived(post_office)] == [["dora@example.org"]]
    assert counted("dropped_total") == before + 1


async def test_mail_of_a_server_that_died_is_sent_by_another(
    server: TestServer, post_office: MailServer, anna: Person, project: Json
) -> None:
    """Not while the first one may still be at it."""
    async with server.database.write() as uow:
        await post(uow, MailKind.RESET, address="anna@example.org", language="en", data={})
        await uow.execute(update(OutgoingMail).values(leased_until=utc_now() + timedelta(hours=1)))
    await invite(anna, project, "clara@example.org")
    assert [mail.recipients for mail in await arrived(post_office)] == [["clara@example.org"]]
    async with server.database.write() as uow:
        await uow.execute(update(OutgoingMail).values(leased_until=utc_now() - timedelta(seconds=1)))
        uow.wake(MAIL)
    await drained(server)
    assert [mail.recipients[0] for mail in post_office.mails] == ["clara@example.org", "anna@example.org"]


async def test_mail_waits_for_no_lease_after_a_restart(settings: Settings, start: Start) -> None:
    """An administrator repairs the settings while a server waits for a mail server that says nothing."""
    called = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    wrong = mail_settings(silent.sockets[0].getsockname()[1])
    async with run_server(Settings(**(settings.model_dump() | wrong))) as first, await register(first, "Anna") as anna:
        await invite(anna, await anna.project(), "clara@example.org")
        await asyncio.wait_for(called.wait(), 5)
    silent.close()
    await drained(await start())


async def test_several_servers_send_each_mail_once(start: Start, post_office: MailServer) -> None:
    """Whoever comes first has it."""
    one = await start()
    two = await start(port=free_port())
    async with await register(one, "Anna") as anna:
        project = await anna.project()
        names = [f"p{number}@example.org" for number in range(12)]
        await asyncio.gather(*(invite(anna, project, name) for name in names))
        two.database.alarm(MAIL).set()
        await arrived(post_office, len(names))
        await drained(one)
    assert sorted(mail.recipients[0] for mail in post_office.mails) == sorted(names)


async def test_mail_that_cannot_be_written_holds_up_no_other(
    server: TestServer,
    post_office: MailServer,
    anna: Person,
    project: Json,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bug of ours in one letter is one letter's."""

    async def fail(*_: object) -> None:
        message = "a bug"
        raise RuntimeError(message)

    monkeypatch.setattr(resets, "prepare", fail)
    async with server.database.write() as uow:
        await post(uow, MailKind.RESET, address="anna@example.org", language="en", data={})
    await invite(anna, project, "clara@example.org")
    await arrived(post_office)
    assert (await waiting_once_tried(server)).address == "anna@example.org"


async def test_what_waits_is_forgotten_where_mail_was_turned_off(server: TestServer, post_office: MailServer) -> None:
    """Rows past their time go, also where nobody sends them."""
    late = timedelta(seconds=-1)
    async with server.database.write() as uow:
        await post(uow, MailKind.RESET, address="anna@example.org", language="en", data={}, kept=late)
    await retention.sweep(server.database, server.settings)
    assert await outbox(server) == []
    assert post_office.greetings == []


async def test_doctor_asks_the_mail_server(settings: Settings, post_office: MailServer) -> None:
    """Where there is one; what is wrong with it is said in a sentence."""
    assert "mail" not in await diagnose(settings)
    asked = Settings(**(settings.model_dump() | mail_settings(post_office.port)))
    assert (await diagnose(asked))["mail"] is None
    await post_office.stop()
    problem = (await diagnose(asked))["mail"]
    assert problem is not None
    assert problem.startswith(f"no mail server answers at 127.0.0.1:{post_office.port} (")
