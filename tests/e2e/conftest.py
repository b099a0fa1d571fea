"""A real Chromium in front of a real server."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.support.people import PASSWORD, Json
from tests.support.site import Account, Site

ARGUMENTS = [
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
]
DEADLINE_MS = 10_000
SignIn = Callable[..., Awaitable[Page]]


def chromium() -> str:
    """Return the path of the browser."""
    for name in (os.environ.get("TIMETODO_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        if name and (path := shutil.which(name)):
            return path
    pytest.fail("no Chromium: apt-get install chromium, or set TIMETODO_CHROMIUM=/path/to/chrome")


@pytest.fixture(scope="session")
def sites() -> Iterator[list[Site]]:
    """The server that the last test has left, if it still runs."""
    left: list[Site] = []
    yield left
    for site in left:
        site.stop()


@pytest.fixture
async def site(sites: list[Site], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A running server with nothing in it: that of the test before, emptied, or a new one where it was ended."""
    if sites:
        site = sites.pop()
        site.empty()
    else:
        site = Site(tmp_path_factory.mktemp("site") / "data", TIMETODO_AUTH_ATTEMPTS_PER_MINUTE="10000")
        await site.start()
    yield site
    if site.is_running:
        sites.append(site)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A browser of the test's own."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=[*ARGUMENTS, *sandbox])
        yield browser
        await browser.close()


@pytest.fixture
async def page_errors() -> AsyncIterator[list[str]]:
    """What went wrong inside the pages; a test that leaves something here has failed."""
    errors: list[str] = []
    yield errors
    assert not errors, errors


@pytest.fixture
async def window(browser: Browser, site: Site, page_errors: list[str]) -> Callable[..., Awaitable[Page]]:
    """Open a window with a profile of its own, as on another computer; options are the browser context's."""

    async def open_window(**options: Any) -> Page:
        context: BrowserContext = await browser.new_context(**({"base_url": site.url, "locale": "en"} | options))
        context.set_default_timeout(DEADLINE_MS)
        page = await context.new_page()
        page.on("pageerror", lambda error: page_errors.append(str(error)))
        return page

    return open_window


@pytest.fixture
async def sign_in(window: Callable[..., Awaitable[Page]]) -> SignIn:
    """Open a window and sign somebody in through the page."""

    async def open_as(account: Account, path: str = "/", **options: Any) -> Page:
        page = await window(**options)
        await page.goto(path)
        await page.locator("input[type=email]").fill(account.user["email"])
        await page.locator("input[type=password]").fill(PASSWORD)
        await page.locator("input[type=password]").press("Enter")
        return page

    return open_as


@pytest.fixture
async def anna(site: Site) -> Account:
    """The first user: the server's administrator."""
    return await site.account("Anna")


@pytest.fixture
async def boris(anna: Account, site: Site) -> Account:
    """The second user."""
    del anna
    return await site.account("Boris")


@pytest.fixture
async def project(anna: Account, boris: Account) -> Json:
    """A board of both."""
    return await anna.project("Website", boris)
