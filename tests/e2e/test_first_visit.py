"""What the page asks for before anybody has signed in here, and after."""

from playwright.async_api import expect

from tests.e2e.conftest import OpenWindow, SignIn
from tests.support import browser
from tests.support.site import Site

NO_STORAGE = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('forbidden'); } })"


async def test_first_visit_asks_for_no_session(window: OpenWindow, site: Site) -> None:
    """There can be none, and the answer would be an error in the console."""
    await site.account("Anna")
    page = await window()
    errors: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    await page.goto("/")
    await expect(page.locator("input[type=email]")).to_be_visible()
    assert not errors
    assert not [url for url in asked if url.endswith("/auth/refresh")]


async def test_who_signed_in_stays_signed_in(window: OpenWindow, site: Site) -> None:
    """Also where this device has lost all but the mark of it."""
    page = await window()
    await browser.sign_in(page, await site.account("Anna"))
    await page.evaluate("localStorage.removeItem('timetodo.session')")
    await page.reload()
    await expect(page.get_by_role("navigation").first).to_be_visible()
    await expect(page.locator("input[type=email]")).to_have_count(0)


async def test_browser_that_may_keep_nothing_stays_signed_in(sign_in: SignIn, site: Site) -> None:
    """Where nothing can be remembered, anybody may have been here, and is asked about."""
    page = await sign_in(await site.account("Anna"))
    await expect(page.get_by_role("navigation").first).to_be_visible()
    await page.add_init_script(NO_STORAGE)
    await page.reload()
    await expect(page.get_by_role("navigation").first).to_be_visible()
    await expect(page.locator("input[type=email]")).to_have_count(0)
