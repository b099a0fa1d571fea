"""What a digest looks like, and the link in it that ends them."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.config import Settings
from app.domain.notifying import Kind, Why
from app.services.notifying import News, tell
from app.workers.digests import DigestWorker
from tests.support.mail import MailServer, Received, Start, arrived, drained, hurry, waiting_once_tried
from tests.support.people import Json, Person, register
from tests.support.realtime import Clock
from tests.support.routes import assert_problem
from tests.support.server import TestServer

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def settings(sqlite_settings: Settings) -> Settings:
    """The database is none of the subject."""
    return sqlite_settings


async def mail_of(server: TestServer, clock: Clock, post_office: MailServer) -> Received:
    """Let eight hours pass, and return the digest that comes."""
    clock.now += timedelta(hours=8.1)
    assert await DigestWorker(server.database, server.settings, now=clock).look() == 1
    return (await arrived(post_office))[0]


async def test_digest_is_by_project_and_task_in_the_readers_words_and_time(
    server: TestServer, post_office: MailServer, anna: Person, boris: Person, project: Json, clock: Clock
) -> None:
    """Each line says what happened, why it is told, and when; what a project hides is hidden."""
    await boris.call("PATCH", "/users/me", json={"language": "ru", "time_zone": "Asia/Tokyo"}, expect=200)
    secret = await anna.project("Secret")
    await anna.call("PATCH", f"/projects/{secret['id']}", json={"hide_titles_in_push": True}, expect=200)
    await anna.add(project, boris)
    await anna.add(secret, boris)
    first = await anna.task(project, "Pay", assignee_ids=[boris.id])
    hidden = await anna.task(secret, "Fire Clara", assignee_ids=[boris.id])
    await anna.comment(first, "@Boris when?")
    await anna.comment(hidden, "@Boris tomorrow")
    async with server.database.write() as uow:
        for kind, due in ((Kind.DUE_SOON, "2026-11-25T20:00:00.000Z"), (Kind.OVERDUE, "2026-11-24")):
            news = News(kind, UUID(project["id"]), UUID(first["id"]), details={"due": due})
            await tell(uow, news, {UUID(boris.id): Why.REMINDER})
    mail = await mail_of(server, clock, post_office)
    assert mail.message["Subject"] == "8 непрочитанных уведомлений"
    text = mail.text()
    assert text.count("== Website") == text.count("== Secret") == 1
    assert text.count(f"* {first['key']} Pay") == text.count(f"* {hidden['key']}\r\n") == 1
    assert "  Anna упоминает вас: «@Boris when?» (вас упомянули; " in text
    assert "  Anna упоминает вас (вас упомянули; " in text
    assert "  Скоро срок: 26.11, 05:00 (напоминание о сроке; " in text
    assert "  Срок прошёл: 24.11.2026 (напоминание о сроке; " in text
    assert "Fire" not in text
    assert "tomorrow" not in text + mail.text("html")
    assert '<html lang="ru">' in mail.text("html")
    assert "/p/" in text


async def test_long_digest_is_cut(
    server: TestServer, post_office: MailServer, anna: Person, boris: Person, project: Json, clock: Clock
) -> None:
    """The latest are named, the rest are counted."""
    await anna.add(project, boris)
    for number in range(22):
        await anna.task(project, f"Card {number:02}", assignee_ids=[boris.id])
    text = (await mail_of(server, clock, post_office)).text()
    assert text.count("assigned this to you") == 20
    assert ("Card 21" in text, "Card 02" in text, "Card 01" in text) == (True, True, False)
    assert "And 3 more." in text


async def test_one_click_ends_them(
    server: TestServer, post_office: MailServer, anna: Person, boris: Person, project: Json, clock: Clock
) -> None:
    """As readers of mail do it: a POST to the address in the header, without cookies, as often as they like."""
    await anna.add(project, boris)
    mail = await mail_of(server, clock, post_office)
    headers = dict(mail.message.raw_items())
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = headers["List-Unsubscribe"].strip("<>")
    path = url.removeprefix("https://board.example.org/api/v1")
    assert path.startswith("/mail/unsubscribe/")
    assert f"https://board.example.org/unsubscribe#{path.rpartition('/')[2]}" in mail.text()
    await anna.task(project, assignee_ids=[boris.id])
    async with server.client() as client:
        shown = await client.get(path)
        assert (shown.status_code, shown.headers["location"]) == (303, mail_page(path))
        assert (await boris.get("/users/me/notification_settings"))["digest_after_h"] == 8
        for _ in range(2):
            answer = await client.post(path, data=ONE_CLICK)
            assert (answer.status_code, answer.json()) == (200, {"digest_after_h": None})
    after = await boris.get("/users/me/notification_settings")
    assert (after["digest_after_h"], after["remind_before_min"]) == (None, [1440, 60])
    clock.now += timedelta(days=1)
    assert await DigestWorker(server.database, server.settings, now=clock).look() == 0


def mail_page(path: str) -> str:
    """Return where the link of a mail leads people."""
    return f"https://board.example.org/unsubscribe#{path.rpartition('/')[2]}"


async def test_what_waits_to_be_sent_is_not_sent_any_more(
    server: TestServer, post_office: MailServer, anna: Person, boris: Person, project: Json, clock: Clock
) -> None:
    """Whoever wants no more of them gets none that was on its way either."""
    await anna.add(project, boris)
    post_office.answers = ["451 come again"]
    clock.now += timedelta(hours=8.1)
    assert await DigestWorker(server.database, server.settings, now=clock).look() == 1
    await waiting_once_tried(server)
    token = server.context.mailing.unsubscribe_token(UUID(boris.id))
    async with server.client() as client:
        assert (await client.post(f"/mail/unsubscribe/{token}")).status_code == 200
    await hurry(server)
    await drained(server)
    assert post_office.mails == []


async def test_no_other_token_ends_them(server: TestServer, anna: Person) -> None:
    """It is the server's own, for this purpose and this person; anything else is refused alike."""
    mailing = server.context.mailing
    good = mailing.unsubscribe_token(UUID(anna.id))
    bad = [good[:-1], good.upper(), f"{UUID(int=1).hex}{good[32:]}", mailing.reset_token(UUID(anna.id)), "é" * 75, "."]
    gone = mailing.unsubscribe_token(UUID(int=1))
    async with server.client() as client:
        for token in [*bad, gone]:
            answer = await client.post(f"/mail/unsubscribe/{token}")
            assert_problem(answer, 404)
        assert_problem(await client.post(f"/mail/unsubscribe/{'a' * 300}"), 422)
    assert (await anna.get("/users/me/notification_settings"))["digest_after_h"] == 8


async def test_without_https_no_one_click_is_offered(start: Start, post_office: MailServer, clock: Clock) -> None:
    """RFC 8058 wants https; the link in the text is there all the same."""
    server = await start(public_url="http://board.example.org")
    async with await register(server, "Anna") as anna, await register(server, "Boris", code=None) as boris:
        await anna.add(await anna.project(), boris)
        mail = await mail_of(server, clock, post_office)
    assert mail.message["List-Unsubscribe"] is None
    assert "http://board.example.org/unsubscribe#" in mail.text()
