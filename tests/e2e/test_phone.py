"""The board in a hand: one column at a time, a thumb, and the keys on the screen."""

from typing import Any

import pytest
from playwright.async_api import CDPSession, expect

from tests.e2e.board import BoardWindow, box
from tests.e2e.conftest import SignIn
from tests.e2e.test_page import violations
from tests.support.people import Json
from tests.support.site import Account, Site

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
async def anna(site: Site) -> Account:
    """The first user."""
    return await site.account("Anna")


@pytest.fixture
async def project(anna: Account) -> Json:
    """A board with two cards."""
    project = await anna.project("Website")
    await anna.task(project, "Buy the domain")
    await anna.task(project, "Write the imprint")
    return project


@pytest.fixture
async def board(sign_in: SignIn, anna: Account, project: Json) -> BoardWindow:
    """That board on a phone."""
    board = BoardWindow(await sign_in(anna, **PHONE))
    await board.open(project)
    return board


async def test_swipe_and_tabs_go_from_column_to_column(board: BoardWindow) -> None:
    """A swipe shows the next column and its tab; a tab leads to its column."""
    tabs = board.page.get_by_role("navigation", name="Columns")
    await expect(tabs.locator("[aria-current]")).to_contain_text("To do")
    finger = Finger(await board.page.context.new_cdp_session(board.page))
    await finger.touch("touchStart", 340, 500)
    for x in range(325, 60, -15):
        await finger.touch("touchMove", x, 500)
    await finger.end()
    await expect(tabs.locator("[aria-current]")).to_contain_text("In progress")
    await expect(board.column("In progress")).to_be_in_viewport(ratio=0.9)
    await tabs.get_by_role("button", name="Done").tap()
    await expect(board.column("Done")).to_be_in_viewport(ratio=0.9)


async def test_long_press_carries_a_card_over_the_edge(board: BoardWindow, anna: Account, project: Json) -> None:
    """A finger that rests lifts a card; held at the edge of the screen it comes to the next column."""
    start = await box(board.card("Buy the domain"))
    finger = Finger(await board.page.context.new_cdp_session(board.page))
    await finger.touch("touchStart", start["x"] + 60, start["y"] + 20)
    await expect(board.page.locator(".lifted")).to_have_count(1)
    await finger.touch("touchMove", 300, 400)
    await finger.touch("touchMove", 385, 400)
    tabs = board.page.get_by_role("navigation", name="Columns")
    await expect(tabs.locator("[aria-current]")).to_contain_text("In progress")
    await finger.touch("touchMove", 200, 400)
    await expect(board.column("In progress").locator(".gap")).to_have_count(1)
    await finger.end()
    await expect(board.card("Buy the domain", column="In progress")).to_be_visible()
    await expect(board.page.locator(".lifted")).to_have_count(0)
    cards = (await anna.call("GET", f"/projects/{project['id']}/board"))["tasks"]
    assert {card["title"]: card["status"] for card in cards}["Buy the domain"] == "in_progress"


async def test_bottom_bar_leads_everywhere_and_writes_into_the_column_one_sees(board: BoardWindow) -> None:
    """The bar below writes a card into the column on the screen, leads to one's own work and back to the board."""
    page = board.page
    bar = page.get_by_role("navigation", name="Main")
    await page.get_by_role("navigation", name="Columns").get_by_role("button", name="Done").tap()
    await expect(page.get_by_role("navigation", name="Columns").locator("[aria-current]")).to_contain_text("Done")
    await bar.get_by_role("button", name="New card").tap()
    field = board.column("Done").get_by_role("textbox")
    await expect(field).to_be_focused()
    assert float((await field.evaluate("(field) => getComputedStyle(field).fontSize")).removesuffix("px")) >= 16
    await field.fill("Thought of on the way")
    await field.press("Enter")
    await expect(board.card("Thought of on the way", column="Done")).to_be_visible()
    await field.press("Escape")
    await bar.get_by_role("link", name="My work").tap()
    await expect(bar.get_by_role("link", name="My work")).to_have_attribute("aria-current", "page")
    await bar.get_by_role("link", name="Board").tap()
    await expect(board.card("Buy the domain")).to_be_visible()
    await bar.get_by_role("button", name="Menu").tap()
    await expect(page.get_by_role("dialog")).to_be_visible()


async def test_everything_is_large_enough_and_stays_on_the_screen(board: BoardWindow) -> None:
    """Whatever a thumb touches on the board is 44 pixels high; nothing is wider than the screen; axe finds nothing."""
    page = board.page
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    small = await page.evaluate(
        """() => [...document.querySelectorAll('main button, main a, nav.bottom-bar *:is(a, button)')]
          .filter((element) => element.offsetParent && element.getBoundingClientRect().height < 44)
          .map((element) => element.outerHTML.slice(0, 120))"""
    )
    assert small == []
    assert await violations(page) == []
    await page.get_by_role("button", name="Filter", exact=True).tap()
    await expect(page.get_by_role("dialog", name="Filter")).to_be_visible()
    await page.evaluate("Promise.all(document.getAnimations().map((animation) => animation.finished))")
    sheet = await box(page.get_by_role("dialog", name="Filter"))
    assert sheet["x"] == 0
    assert sheet["width"] == 390
    assert sheet["y"] + sheet["height"] == pytest.approx(844, abs=1)
    assert await violations(page) == []


class Finger:
    """One finger on the screen."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    async def touch(self, kind: str, x: float, y: float) -> None:
        """Put it down, or move it."""
        await self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})

    async def end(self) -> None:
        """Take it off."""
        await self._session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
