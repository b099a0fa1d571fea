"""The board in a hand: one column at a time, a thumb, and the keys on the screen."""

import re
from typing import Any

import pytest
from playwright.async_api import CDPSession, expect

from tests.e2e.board import BoardWindow, box
from tests.e2e.conftest import SignIn, browser_fixture
from tests.e2e.seeing import stands_still, violations
from tests.support.people import Json
from tests.support.site import Account

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# What can be seen and reaches over an edge of the screen, but for what is meant to scroll sideways. A page that clips
# what is too wide does not grow by it, so that its own width would tell nothing.
CUT_OFF = """() => [...document.body.querySelectorAll('*')]
    .filter((element) => element.checkVisibility({ visibilityProperty: true }))
    .filter((element) => !element.parentElement.closest('.board, nav:not(.bottom-bar), pre'))
    .filter((element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return width > 1 && (left < -0.5 || right > innerWidth + 0.5);
    })
    .map((element) => element.outerHTML.slice(0, 120))"""


@browser_fixture
async def project(anna: Account) -> Json:
    """A board with two cards."""
    project = await anna.project("Website")
    await anna.task(project, "Buy the domain")
    await anna.task(project, "Write the imprint")
    return project


@browser_fixture
async def board(sign_in: SignIn, anna: Account, project: Json) -> BoardWindow:
    """That board on a phone."""
    return await BoardWindow.of(sign_in, anna, project, **PHONE)


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
    """A finger that rests lifts a card; held at the edge of the screen it comes to the next column, and on."""
    start = await box(board.card("Buy the domain"))
    finger = Finger(await board.page.context.new_cdp_session(board.page))
    await finger.touch("touchStart", start["x"] + 60, start["y"] + 20)
    await expect(board.page.locator(".lifted")).to_have_count(1)
    await finger.touch("touchMove", 300, 400)
    await finger.touch("touchMove", 385, 400)
    tabs = board.page.get_by_role("navigation", name="Columns")
    await expect(tabs.locator("[aria-current]")).not_to_contain_text("To do")
    await finger.touch("touchMove", 200, 400)  # which is too late for one column, where the machine is busy
    later = board.page.get_by_role("region", name=re.compile("^(In progress|Done)$"))
    await expect(later.locator(".gap")).to_have_count(1)
    async with board.page.expect_response("**/move"):
        await finger.end()
    await expect(later.get_by_role("listitem").filter(has_text="Buy the domain")).to_have_count(1)
    await expect(board.page.locator(".lifted")).to_have_count(0)
    cards = (await anna.call("GET", f"/projects/{project['id']}/board"))["tasks"]
    assert {card["title"]: card["status"] for card in cards}["Buy the domain"] in {"in_progress", "done"}


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


async def test_everything_is_large_enough_and_stays_on_the_screen(
    board: BoardWindow, anna: Account, project: Json
) -> None:
    """Whatever a thumb touches on the board is 44 pixels high; nothing is wider than the screen; axe finds nothing."""
    page = board.page
    await board.card("Buy the domain").get_by_role("link").tap()
    await expect(page.get_by_role("textbox", name="New comment")).to_be_visible()
    (task, _) = (await anna.call("GET", f"/projects/{project['id']}/board"))["tasks"]
    await anna.call("POST", f"/tasks/{task['id']}/comments", json={"body": f"```\n{'wide ' * 60}\n```"})
    code = page.get_by_role("article").locator("pre")
    assert (await box(code))["x"] + (await box(code))["width"] <= 390
    assert await page.evaluate("[innerWidth, innerHeight]") == [390, 844]  # a page that was too wide once stays wide
    await stands_still(page)
    assert await page.evaluate(CUT_OFF) == []
    await page.get_by_role("button", name="Close task").tap()
    await expect(page.get_by_role("button", name="Close task")).to_be_hidden()
    await stands_still(page)
    assert await page.evaluate(CUT_OFF) == []
    small = await page.evaluate(
        """() => [...document.querySelectorAll('main button, main a, nav.bottom-bar *:is(a, button)')]
          .filter((element) => element.offsetParent && element.getBoundingClientRect().height < 44)
          .map((element) => element.outerHTML.slice(0, 120))"""
    )
    assert small == []
    assert await violations(page) == []
    await page.get_by_role("button", name="Filter", exact=True).tap()
    await expect(page.get_by_role("dialog", name="Filter")).to_be_visible()
    await stands_still(page)
    sheet = await box(page.get_by_role("dialog", name="Filter"))
    assert sheet["x"] == 0
    assert sheet["width"] == 390
    assert sheet["y"] + sheet["height"] == pytest.approx(844, abs=1)
    assert await violations(page) == []


async def test_pickers_are_sheets(board: BoardWindow, anna: Account, project: Json) -> None:
    """What a task's line opens is a sheet of large rows; a tap beside it opens nothing, one in it chooses."""
    page = board.page
    await board.card("Buy the domain").get_by_role("link").tap()
    task = page.get_by_role("dialog", name="Buy the domain")
    await task.get_by_role("button", name="Priority").tap()
    sheet = page.get_by_role("dialog", name="Priority")
    await expect(sheet).to_be_visible()
    await stands_still(page)
    place = await box(sheet)
    assert (place["x"], place["width"]) == (0, 390)
    assert place["y"] + place["height"] == pytest.approx(844, abs=1)
    for row in await sheet.get_by_role("option").all():
        assert (await box(row))["height"] >= 44
    assert await violations(page) == []
    await page.touchscreen.tap(320, 28)
    await expect(sheet).to_have_count(0)
    await expect(task).to_be_visible()
    await task.get_by_role("button", name="Priority").tap()
    await sheet.get_by_role("option", name="High").tap()
    await expect(sheet).to_have_count(0)
    await expect(task.get_by_role("button", name="Priority")).to_contain_text("High")


async def test_messages_stand_above_what_is_at_the_lower_edge(board: BoardWindow) -> None:
    """A passing message covers neither the bar of the phone, nor the line for a comment, nor the notices."""
    page = board.page
    await board.card("Write the imprint").get_by_role("link").tap()
    task = page.get_by_role("dialog", name="Write the imprint")
    composer = task.get_by_role("textbox", name="New comment")
    await expect(composer).to_be_visible()
    await task.get_by_role("button", name="copy link").tap()
    toast = page.get_by_role("region", name="Messages").get_by_text("copied").locator("..")
    await expect(toast).to_be_visible()
    await stands_still(page)
    above = await box(toast)
    assert above["y"] + above["height"] <= (await box(composer))["y"]
    await task.get_by_role("button", name="Close task").tap()
    bar = await box(page.get_by_role("navigation", name="Main"))
    await expect(toast).to_be_visible()
    assert (await box(toast))["y"] + above["height"] <= bar["y"]


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
