"""What a person sees when something is in the way: no network, a session that is over, a change that was refused."""

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.board import PATIENCE_MS, BoardWindow, box
from tests.e2e.conftest import SignIn, browser_fixture
from tests.e2e.seeing import violations
from tests.e2e.test_local_first import Tunnel
from tests.support.people import PASSWORD, Json
from tests.support.site import Account

# Narrower than the room that a task and a board need together.
NARROW: dict[str, Any] = {"viewport": {"width": 1000, "height": 700}}


@browser_fixture
async def project(anna: Account) -> Json:
    """A board with two cards."""
    project = await anna.project("Website")
    await anna.task(project, "Buy the domain")
    await anna.task(project, "Write the imprint")
    return project


@pytest.fixture
def tunnel() -> Tunnel:
    """A network that can be lost."""
    return Tunnel()


async def test_open_task_that_fills_the_page_says_how_current_it_is(
    sign_in: SignIn, tunnel: Tunnel, anna: Account, project: Json
) -> None:
    """Where a task hides the board it shows the connection, what is not sent yet, and what was refused, all legible."""
    page = await narrow_task(sign_in, tunnel, anna, project)
    task = page.get_by_role("dialog", name="Buy the domain")
    await expect(task.locator("[data-state=live]")).to_be_visible()
    await tunnel.enter()
    await expect(task.locator("[data-state=live]")).to_have_count(0)
    await choose_priority(page, task)
    bar = page.get_by_text("changes are kept on this device: 1")
    await expect(bar).to_be_visible()
    assert (await box(bar))["y"] < (await box(task.get_by_role("textbox", name="New comment")))["y"]
    assert await violations(page) == []
    tunnel.leave()
    await expect(task.locator("[data-state=live]")).to_be_visible(timeout=PATIENCE_MS)
    await expect(bar).to_have_count(0)


async def test_task_never_opened_here_is_one_sentence_without_network(
    sign_in: SignIn, tunnel: Tunnel, anna: Account, project: Json
) -> None:
    """Its card is all this device knows; one sentence says so, nothing looks broken, and it comes with the network."""
    page = await narrow_task(sign_in, tunnel, anna, project)
    await tunnel.enter()
    await page.get_by_role("button", name="Next card").click()
    task = page.get_by_role("dialog", name="Write the imprint")
    await expect(task.get_by_text("was not opened on this device before")).to_have_count(1)
    await expect(task.get_by_role("alert")).to_have_count(0)
    await expect(task.get_by_role("button", name="Try again")).to_have_count(1)
    assert await violations(page) == []
    tunnel.leave()
    await expect(task.get_by_role("textbox", name="New comment")).to_be_visible(timeout=PATIENCE_MS)


async def test_session_that_is_over_asks_over_the_page_and_loses_nothing(
    sign_in: SignIn, anna: Account, project: Json
) -> None:
    """What was written is kept, the page stays, and after the password both are where they were."""
    board = await BoardWindow.of(sign_in, anna, project)
    page = board.page
    await board.card("Buy the domain").get_by_role("link").click()
    task = page.get_by_role("dialog", name="Buy the domain")
    await task.get_by_role("textbox", name="New comment").fill("Half a thought")
    await end_other_sessions(anna)
    again = page.get_by_role("dialog", name="Please sign in again")
    await expect(again).to_be_visible()
    assert await page.evaluate("document.activeElement.type") == "password"
    assert await violations(page) == []
    await again.get_by_label("Password").fill(PASSWORD)
    await again.get_by_label("Password").press("Enter")
    await expect(again).to_have_count(0)
    await expect(task.get_by_role("textbox", name="New comment")).to_have_value("Half a thought")
    await board.is_live()


async def narrow_task(sign_in: SignIn, tunnel: Tunnel, anna: Account, project: Json) -> Page:
    """Open the first card's task on a board that has no room beside it."""
    board = BoardWindow(await sign_in(anna, **NARROW))
    await tunnel.dig(board.page.context)
    await board.open(project)
    await board.card("Buy the domain").get_by_role("link").click()
    await expect(board.page.get_by_role("textbox", name="New comment")).to_be_visible()
    return board.page


async def choose_priority(page: Page, task: Locator) -> None:
    """Change something of an open task."""
    await task.get_by_role("button", name="Priority").click()
    await page.get_by_role("dialog", name="Priority").get_by_role("option", name="High").click()


async def end_other_sessions(account: Account) -> None:
    """End every session of this person but the one of the API."""
    for session in (await account.call("GET", "/auth/sessions"))["items"]:
        if not session["current"]:
            await account.call("DELETE", f"/auth/sessions/{session['id']}")
