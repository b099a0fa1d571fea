"""The page is on the device: it opens without a network, and a new version takes over when it may."""

import re
import shutil
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from app.api import pages
from app.config import Settings
from tests.e2e.conftest import DEADLINE_MS, OpenWindow, browser_fixture
from tests.support.server import TestServer, run_server
from tests.support.site import Site

READY = """new Promise((done) => {
    const { serviceWorker } = navigator;
    if (serviceWorker.controller) done();
    else serviceWorker.addEventListener('controllerchange', () => done());
})"""
WAITING = """navigator.serviceWorker.ready.then(async (registration) => {
    await registration.update();
    const { installing } = registration;
    if (installing) await new Promise((done) => installing.addEventListener('statechange', done, { once: true }));
    return registration.waiting !== null;
})"""

KEPT = """caches.keys()
    .then((names) => Promise.all(names.map((name) => caches.open(name).then((cache) => cache.keys()))))
    .then((caches) => caches.flat().map((request) => new URL(request.url).pathname))"""


@pytest.fixture
def built_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the built page, which a test may replace by a newer one."""
    folder = tmp_path / "web"
    shutil.copytree(pages.PAGE, folder)
    monkeypatch.setattr(pages, "PAGE", folder)
    return folder


@browser_fixture
async def copy(built_page: Path, sqlite_settings: Settings) -> AsyncIterator[TestServer]:
    """A server with that page."""
    async with run_server(sqlite_settings) as server:
        yield server


def release(folder: Path) -> None:
    """Put a newer version of the page into place, whose title says so."""
    document = folder / "index.html"
    document.write_text(document.read_text().replace("<noscript>", '<meta name="release" content="new"><noscript>'))
    worker = folder / "service-worker.js"
    worker.write_text(re.sub(r'(version"?:"?)\w{16}', r"\g<1>ffffffffffffffff", worker.read_text(), count=1))
    for older in [*folder.glob("index.html.*"), *folder.glob("service-worker.js.*")]:
        older.unlink()


def is_new(page: Page) -> Awaitable[bool]:
    """Whether the page is the newer version."""
    return page.evaluate("document.querySelector('meta[name=release]') !== null")


async def test_page_opens_without_a_server(window: OpenWindow, site: Site) -> None:
    """After one visit the page opens at any of its addresses while the server is gone, and says what it waits for."""
    page = await window()
    await page.goto("/sign-in")
    await page.evaluate(READY)
    site.kill()
    await page.goto("/p/0199f3a0-1c00-7000-8000-0000000000a1")
    await expect(page).to_have_title(re.compile("Time to DO"))
    await expect(page.locator("#app")).not_to_be_empty()


async def test_what_is_the_servers_is_never_kept(window: OpenWindow) -> None:
    """The API, the client and the health checks come from the server, however often the page was opened."""
    page = await window()
    await page.goto("/sign-in")
    await page.evaluate(READY)
    for path in ("/readyz", "/api/v1/server", "/static/js/websocket.js"):
        answer = await page.goto(path)
        assert answer is not None
        assert not answer.from_service_worker, path
    await page.goto("/sign-in")
    kept = await page.evaluate(KEPT)
    assert "/" in kept
    assert not [path for path in kept if path.startswith(("/api", "/static"))]


async def test_new_version_is_announced_and_presses_nobody(
    browser: Browser, copy: TestServer, built_page: Path
) -> None:
    """Its notice can be put off, and what one is writing stands still; pressed, it brings the new page."""
    context = await browser.new_context(base_url=copy.url, locale="en")
    context.set_default_timeout(DEADLINE_MS)
    page = await context.new_page()
    await page.goto("/sign-in")
    await page.evaluate(READY)
    release(built_page)
    await page.reload()
    await page.locator("input[type=email]").fill("anna@exam")
    assert await page.evaluate(WAITING)
    notice = page.get_by_text("A new version is here")
    await expect(notice).to_be_visible()
    await expect(page.locator("input[type=email]")).to_be_focused()
    await expect(page.locator("input[type=email]")).to_have_value("anna@exam")
    await page.get_by_role("button", name="Later").click()
    await expect(notice).to_have_count(0)
    assert not await is_new(page)
    other = await context.new_page()
    await other.goto("/sign-in")
    await other.get_by_role("button", name="Reload").click()
    await expect(other.locator("meta[name=release]")).to_have_count(1)
    await context.close()


async def test_new_version_takes_over_while_nobody_looks(browser: Browser, copy: TestServer, built_page: Path) -> None:
    """A new version waits beside the page one works with, and is there once the tab was hidden."""
    context = await browser.new_context(base_url=copy.url, locale="en")
    context.set_default_timeout(DEADLINE_MS)
    page = await context.new_page()
    await page.goto("/sign-in")
    await page.evaluate(READY)
    release(built_page)
    await page.reload()
    assert await page.evaluate(WAITING)
    assert not await is_new(page)
    async with page.expect_navigation():
        await page.evaluate(
            """Object.defineProperty(document, 'visibilityState', { get: () => 'hidden', configurable: true });
            document.dispatchEvent(new Event('visibilitychange'))"""
        )
    assert await is_new(page)
    await context.close()
