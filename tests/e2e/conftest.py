"""A real Chromium in front of a real server."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.support.browser import browsing
from tests.support.people import PASSWORD, Json
from tests.support.site import Account, Site

FOLDER: Final = Path(__file__).parent
DEADLINE_MS = 20_000
SIGNED_IN = "localStorage.setItem('timetodo.signed-in', '')"
"""What the page remembers beside the cookie."""
PATIENT: Final = {"TIMETODO_AUTH_ATTEMPTS_PER_MINUTE": "10000", "TIMETODO_PRESENCE_GRACE_S": "1"}
"""A server to which every test signs in anew, and which does not wait long for who has left."""
OpenWindow = Callable[..., Awaitable[Page]]
SignIn = Callable[..., Awaitable[Page]]


expect.set_options(timeout=DEADLINE_MS)

browser_fixture: Final = pytest_asyncio.fixture(loop_scope="session")
"""Declares an async fixture of these tests: it and they run in the event loop of the one browser."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run every test of this folder in the event loop of the browser."""
    in_loop = pytest.mark.asyncio(loop_scope="session")
    for item in items:
        if item.path.is_relative_to(FOLDER) and pytest_asyncio.is_async_test(item):
            item.add_marker(in_loop, append=False)


@pytest.fixture(scope="session")
def sites() -> Iterator[list[Site]]:
    """The server that the last test has left, if it still runs."""
    left: list[Site] = []
    yield left
    for site in left:
        site.stop()


@browser_fixture
async def site(sites: list[Site], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A running server with nothing in it: that of the test before, emptied, or a new one where it was ended."""
    if sites:
        site = sites.pop()
        site.empty()
    else:
        site = Site(tmp_path_factory.mktemp("site") / "data", **PATIENT)
        await site.start()
    yield site
    if site.is_running:
        sites.append(site)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all; what a test does in its windows ends with them."""
    async with browsing() as browser:
        yield browser


@browser_fixture
async def page_errors() -> AsyncIterator[list[str]]:
    """What went wrong inside the pages; a test that leaves something here has failed."""
    errors: list[str] = []
    yield errors
    assert not errors, errors


@browser_fixture
async def window(browser: Browser, site: Site, page_errors: list[str]) -> AsyncIterator[OpenWindow]:
    """Open a window with a profile of its own, as on another computer; options are the browser context's."""
    contexts: list[BrowserContext] = []

    async def open_window(**options: Any) -> Page:
        context = await browser.new_context(**({"base_url": site.url, "locale": "en", "timezone_id": "UTC"} | options))
        contexts.append(context)
        context.set_default_timeout(DEADLINE_MS)
        page = await context.new_page()
        page.on("pageerror", lambda error: page_errors.append(str(error)))
        return page

    yield open_window
    for context in contexts:
        await context.close()


@browser_fixture
async def sign_in(window: OpenWindow) -> SignIn:
    """Open a page in a window of somebody who has signed in there before."""

    async def open_as(account: Account, path: str = "/", **options: Any) -> Page:
        page = await window(**options)
        body = {"email": account.user["email"], "password": PASSWORD, "use_cookie": True}
        answer = await page.context.request.post("/api/v1/auth/login", data=body)
        assert answer.ok, await answer.text()
        await page.goto("/healthz")  # where nothing runs yet
        await page.evaluate(SIGNED_IN)
        await page.goto(path)
        return page

    return open_as


@browser_fixture
async def anna(site: Site) -> Account:
    """The first user: the server's administrator."""
    return await site.account("Anna")


@browser_fixture
async def boris(anna: Account, site: Site) -> Account:
    """The second user."""
    del anna
    return await site.account("Boris")


@browser_fixture
async def project(anna: Account, boris: Account) -> Json:
    """A board of both."""
    return await anna.project("Website", boris)
