"""A board with 5,000 cards, and everything that must stay as it is while others work on it."""

import asyncio
import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.board import BoardWindow, box
from tests.e2e.conftest import SignIn
from tests.e2e.seeing import violations
from tests.e2e.test_story import listen
from tests.support.bulk import fill_board
from tests.support.people import Json
from tests.support.site import Account, Site

CARDS = 5_000
LAYOUT = """() => [...document.querySelectorAll('[data-column], [data-card]')].map((element) => {
  const { x, y, width, height } = element.getBoundingClientRect();
  return [element.dataset.card ?? element.dataset.column, x, y, width, height].join(' ');
})"""


async def test_few_of_many_cards_are_drawn_and_all_can_be_reached(
    site: Site, sign_in: SignIn, anna: Account, project: Json
) -> None:
    """Of 5,000 cards a screenful is drawn; the end of a column is a scroll away, and keys go on past what is drawn."""
    await fill_board(site, anna, project, CARDS)
    board = await BoardWindow.of(sign_in, anna, project)
    await expect(board.column("To do")).to_contain_text("1,667 cards")
    await expect(cards_of(board, "To do").locator('[aria-posinset="1"]')).to_be_in_viewport()
    assert await board.page.locator("[data-card]").count() < 200
    todo = cards_of(board, "To do")
    await todo.evaluate("(list) => list.scrollTo(0, list.scrollHeight)")
    last = todo.locator('[aria-posinset="1667"]')
    await expect(last).to_be_in_viewport()
    await expect(last).to_have_attribute("aria-setsize", "1667")
    await last.get_by_role("link").focus()
    await todo.evaluate("(list) => list.scrollTo(0, 0)")
    await expect(todo.locator('[aria-posinset="1"]')).to_be_in_viewport()
    await expect(last.get_by_role("link")).to_be_focused()
    await board.page.keyboard.press("ArrowUp")
    before_last = todo.locator('[aria-posinset="1666"]')
    await expect(before_last.get_by_role("link")).to_be_focused()
    await expect(before_last).to_be_in_viewport()
    await board.page.keyboard.press("ArrowRight")
    await expect(cards_of(board, "In progress").locator("a:focus")).to_be_in_viewport()
    assert await violations(board.page) == []


async def test_what_is_looked_at_stays_when_cards_come_above(
    site: Site, sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """Cards that somebody else puts in and takes out above the visible part do not move it by a pixel."""
    await fill_board(site, anna, project, CARDS)
    board = await BoardWindow.of(sign_in, anna, project)
    todo = cards_of(board, "To do")
    first = await todo.locator("[data-card]").first.get_attribute("data-card")
    await todo.evaluate("(list) => list.scrollTo(0, 20_000)")
    await expect(todo.locator('[aria-posinset="1"]')).to_have_count(0)
    looked_at = await card_in_the_middle(todo)
    card = board.page.locator(f'[data-card="{looked_at}"]')
    before = await box(card)
    for number in range(5):
        await boris.task(project, f"Above {number}", before_id=first)
    await expect(board.column("To do")).to_contain_text("1,672 cards")
    assert (await box(card))["y"] == pytest.approx(before["y"], abs=1)
    await boris.call("DELETE", f"/tasks/{first}")
    await expect(board.column("To do")).to_contain_text("1,671 cards")
    assert (await box(card))["y"] == pytest.approx(before["y"], abs=1)


async def test_nothing_moves_during_a_drag_but_the_card(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """While a card is in somebody's hand, 20 changes of others move nothing; with the drop all of them are there."""
    tasks = [await anna.task(project, f"Card {number}") for number in range(8)]
    page = await sign_in(anna)
    heard = listen(page)
    board = BoardWindow(page)
    await board.open(project)
    mouse = board.page.mouse
    start, end = await box(board.card("Card 3")), await box(board.column("In progress"))
    await mouse.move(start["x"] + 60, start["y"] + 15)
    await mouse.down()
    await mouse.move(start["x"] + 80, start["y"] + 20, steps=4)
    await mouse.move(end["x"] + 100, end["y"] + 60, steps=8)
    await expect(board.page.locator(".lifted")).to_have_count(1)
    await expect(cards_of(board, "In progress").locator(".gap")).to_have_count(1)
    assert (await box(board.page.locator(".gap")))["height"] == pytest.approx(start["height"], abs=0.5)
    before = await board.page.evaluate(LAYOUT)
    for number in range(10):
        await boris.task(project, f"New {number}", before_id=tasks[0]["id"])
        await boris.call("PATCH", f"/tasks/{tasks[number % 3]['id']}", json={"title": f"A longer title {number} " * 4})
    await boris.call("DELETE", f"/tasks/{tasks[7]['id']}")
    async with asyncio.timeout(10):
        while not any(message["type"] == "task_deleted" for message in heard):
            await two_frames(page)
    await two_frames(board.page)
    assert await board.page.evaluate(LAYOUT) == before
    await mouse.up()
    await expect(board.card("Card 3", column="In progress")).to_be_visible()
    await expect(board.card("New 9", column="To do")).to_be_visible()
    await expect(board.card("Card 7")).to_have_count(0)


async def test_drag_under_a_filter_lands_beside_its_neighbour(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """A card dropped among those a filter shows stands beside the same card in the whole list of another window."""
    for number in range(6):
        await anna.task(project, f"{'Even' if number % 2 == 0 else 'Odd'} {number}")
    first = await BoardWindow.of(sign_in, anna, project)
    second = await BoardWindow.of(sign_in, boris, project)
    await first.page.goto(f"/p/{project['id']}?q=even")
    await first.is_live()
    await expect(first.card("Odd 1")).to_have_count(0)
    await expect(first.column("To do")).to_contain_text("3 hidden by the filter")
    await drag(first.page, first.card("Even 0"), first.card("Even 4"), below=True)
    await expect(second.card("Even 0")).to_be_visible()
    await expect(cards_of(second, "To do").get_by_role("link")).to_contain_text(
        ["Odd 1", "Even 2", "Odd 3", "Even 4", "Even 0", "Odd 5"]
    )
    await first.page.keyboard.press("Shift+KeyQ")
    await expect(first.card("Odd 1")).to_be_visible()
    assert "q=" not in first.page.url


async def test_filter_is_chosen_kept_and_told_by_the_address(sign_in: SignIn, anna: Account, project: Json) -> None:
    """A filter is in the address, survives a reload and an opened task, and can be saved under a name."""
    await anna.task(project, "Mine", assignee_ids=[anna.user["id"]], priority="high")
    await anna.task(project, "Nobody's")
    board = await BoardWindow.of(sign_in, anna, project)
    page = board.page
    await page.keyboard.press("KeyF")
    choices = page.get_by_role("dialog", name="Filter")
    await choices.get_by_label("High").check()
    await expect(board.card("Nobody's")).to_have_count(0)
    await expect(page).to_have_url(re.compile(r"\?priority=high$"))
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    await page.reload()
    await expect(board.card("Mine")).to_be_visible()
    await expect(board.card("Nobody's")).to_have_count(0)
    await board.card("Mine").get_by_role("link").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Mine")
    await page.keyboard.press("Escape")
    await expect(board.card("Nobody's")).to_have_count(0)
    await page.get_by_role("button", name="Views").click()
    views = page.get_by_role("dialog", name="Views")
    await views.get_by_label("Name of this view").fill("Urgent things")
    await page.keyboard.press("Enter")
    await expect(views.get_by_role("button", name="Urgent things", exact=True)).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Clear filter").click()
    await expect(board.card("Nobody's")).to_be_visible()
    await page.get_by_role("button", name="Views").click()
    await views.get_by_role("button", name="Urgent things", exact=True).click()
    await expect(board.card("Nobody's")).to_have_count(0)


async def test_columns_fold_and_change_places(sign_in: SignIn, anna: Account, boris: Account, project: Json) -> None:
    """A folded column stays so, and takes what is dropped; a column dragged by its head changes places for all."""
    await anna.task(project, "Buy the domain")
    first = await BoardWindow.of(sign_in, anna, project)
    second = await BoardWindow.of(sign_in, boris, project)
    await first.column("Done").get_by_role("button", name="Menu of the column").click()
    await first.page.get_by_role("menuitem", name="Collapse column").click()
    await expect(first.column("Done")).to_have_css("width", "40px")
    await first.page.reload()
    await expect(first.card("Buy the domain")).to_be_visible()
    await expect(first.column("Done")).to_have_css("width", "40px")
    await first.drag_card("Buy the domain", "Done")
    await expect(second.card("Buy the domain", column="Done")).to_be_visible()
    head = first.column("To do").get_by_role("heading")
    start, end = await box(head), await box(first.column("In progress"))
    mouse = first.page.mouse
    await mouse.move(start["x"] + 5, start["y"] + 5)
    await mouse.down()
    await mouse.move(end["x"] + end["width"] - 40, end["y"] + 20, steps=10)
    await mouse.up()
    names = [re.compile("In progress"), re.compile("To do"), re.compile("Done")]
    await expect(first.page.get_by_role("region").get_by_role("heading")).to_have_text(["In progress", "To do"])
    await expect(second.page.get_by_role("region").get_by_role("heading")).to_have_text(names)


def cards_of(board: BoardWindow, column: str) -> Locator:
    """Return the list of a column's cards, which scrolls."""
    return board.column(column).get_by_role("list")


async def card_in_the_middle(cards: Locator) -> str:
    """Return the id of a card in the middle of what is seen of a list."""
    found: str = await cards.evaluate(
        """(list) => {
          const { x, y, width, height } = list.getBoundingClientRect();
          return document.elementFromPoint(x + width / 2, y + height / 2).closest('[data-card]').dataset.card;
        }"""
    )
    return found


async def drag(page: Page, card: Locator, onto: Locator, *, below: bool = False) -> None:
    """Drag a card with the mouse to the upper or lower edge of another one."""
    start, end = await box(card), await box(onto)
    await page.mouse.move(start["x"] + 60, start["y"] + 15)
    await page.mouse.down()
    await page.mouse.move(start["x"] + 70, start["y"] + 25, steps=4)
    await page.mouse.move(end["x"] + 70, end["y"] + (end["height"] - 10 if below else 4), steps=10)
    await page.mouse.up()


async def two_frames(page: Page) -> None:
    """Wait until whatever was to be drawn has been."""
    await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
