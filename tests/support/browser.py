"""A real Chromium, from which nothing leaves the machine."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Browser, Page, async_playwright

from tests.support.people import PASSWORD
from tests.support.site import Account

ARGUMENTS: Final = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    # Nothing leaves the machine, whatever a page asks for.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]


def chromium() -> str:
    """Return the path of the browser."""
    for name in (os.environ.get("TIMETODO_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        if name and (path := shutil.which(name)):
            return path
    message = "no Chromium: apt-get install chromium, or set TIMETODO_CHROMIUM=/path/to/chrome"
    raise FileNotFoundError(message)


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """Yield a browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        await browser.close()


async def fill_sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Sign somebody in by the form that the page shows."""
    await page.locator("input[type=email]").fill(email)
    await page.locator("input[type=password]").fill(password)
    await page.locator("input[type=password]").press("Enter")


async def sign_in(page: Page, account: Account) -> None:
    """Sign somebody in as they do it themselves, and wait until the page is theirs."""
    await page.goto("/")
    await fill_sign_in(page, account.user["email"])
    await page.get_by_role("navigation").first.wait_for()
