"""Mail the whole way: asked for in the page, sent through a mail server, and its links opened in the browser."""

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

from playwright.async_api import expect

from tests.e2e.conftest import OpenWindow, SignIn, browser_fixture
from tests.e2e.seeing import violations
from tests.support.browser import fill_sign_in
from tests.support.mail import SENDER, MailServer, arrived
from tests.support.site import Account, Site

NEW_PASSWORD = "another horse entirely"
NINE_HOURS_AGO = "strftime('%Y-%m-%d %H:%M:%f000', {0}, '-9 hours')"


@browser_fixture
async def post_office() -> AsyncIterator[MailServer]:
    """A mail server on this machine."""
    server = MailServer()
    await server.start()
    yield server
    await server.stop()


@browser_fixture
async def site(tmp_path: Path, post_office: MailServer) -> AsyncIterator[Site]:
    """A server that mails through it."""
    site = Site(tmp_path / "data")
    site.environment |= {
        "TIMETODO_PUBLIC_URL": site.url,
        "TIMETODO_SMTP_HOST": "127.0.0.1",
        "TIMETODO_SMTP_PORT": str(post_office.port),
        "TIMETODO_SMTP_SECURITY": "none",
        "TIMETODO_SMTP_FROM": SENDER,
        "TIMETODO_MAIL_INTERVAL_S": "0.1",
    }
    await site.start()
    yield site
    site.stop()


def age(site: Site) -> None:
    """Let what was told have been told nine hours ago."""
    moved = ", ".join(f"{name} = {NINE_HOURS_AGO.format(name)}" for name in ("updated_at", "mail_at"))
    with closing(sqlite3.connect(site.data_dir / "timetodo.sqlite3", timeout=10)) as database:
        database.execute(f"UPDATE notifications SET {moved}")
        database.commit()


async def test_a_forgotten_password_is_replaced_by_mail(
    window: OpenWindow, post_office: MailServer, anna: Account
) -> None:
    """From the sign-in page over the mail to a new password, and in."""
    page = await window()
    await page.goto("/")
    await page.get_by_role("link", name="Forgot your password?").click()
    await expect(page.get_by_role("heading", level=1, name="Forgot your password?")).to_be_visible()
    assert await violations(page) == []
    await page.get_by_label("E-mail").fill(anna.user["email"])
    await page.get_by_role("button", name="Send me a link").click()
    await expect(page.get_by_role("status").filter(has_text="belongs to an account")).to_be_visible()
    (mail,) = await arrived(post_office)
    await page.goto(mail.link)
    await expect(page.get_by_role("heading", level=1, name="New password")).to_be_visible()
    assert await violations(page) == []
    await page.get_by_label("New password").fill(NEW_PASSWORD)
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_text("Sign in with the new one")).to_be_visible()
    await fill_sign_in(page, anna.user["email"], NEW_PASSWORD)
    await expect(page.get_by_role("heading", level=1, name="My work")).to_be_visible()
    await page.goto(mail.link)
    await page.get_by_label("New password").fill(NEW_PASSWORD)
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_text("This link is no longer valid")).to_be_visible()


async def test_the_link_in_a_digest_ends_them(
    sign_in: SignIn, post_office: MailServer, site: Site, anna: Account, boris: Account
) -> None:
    """What is mailed leads to its card; the last link asks, and a click on its button is remembered."""
    project = await anna.project("Website", boris)
    task = await boris.task(project, "Plan the launch", description="@Anna look")
    age(site)
    mails = await arrived(post_office, 2)
    (mail,) = [mail for mail in mails if mail.recipients == [anna.user["email"]]]
    page = await sign_in(anna, mail.link)
    await expect(page.get_by_role("dialog", name=task["title"])).to_be_visible()
    (link,) = re.findall(r"\S+/unsubscribe#\S+", mail.text())
    await page.goto(link)
    await expect(page.get_by_role("button", name="Stop these e-mails")).to_be_visible()
    assert await violations(page) == []
    await page.get_by_role("button", name="Stop these e-mails").click()
    await expect(page.get_by_role("status").filter(has_text="come no more")).to_be_visible()
    await page.get_by_role("link", name="Notification settings").click()
    await expect(page.get_by_label("E-mail what is still unread")).to_have_value("")
    await expect(page.get_by_role("checkbox", name="Somebody mentions me E-mail")).to_be_disabled()
    assert await violations(page) == []
