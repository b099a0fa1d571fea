"""A real Chromium, with nobody or somebody in front of it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, async_playwright

from tests.e2e.conftest import ARGUMENTS, chromium
from tests.support.people import PASSWORD
from tests.support.site import Account


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """Yield a browser."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=[*ARGUMENTS, *sandbox])
        yield browser
        await browser.close()


async def sign_in(page: Page, account: Account) -> None:
    """Sign somebody in through the page."""
    await page.goto("/")
    await page.locator("input[type=email]").fill(account.user["email"])
    await page.locator("input[type=password]").fill(PASSWORD)
    await page.locator("input[type=password]").press("Enter")
    await page.get_by_role("navigation").first.wait_for()
