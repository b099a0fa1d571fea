"""The frame of the page and its reading views: my work, list, calendar, search, archive, and the way back."""

import re
from datetime import UTC, datetime, timedelta

from playwright.async_api import Page, expect

from tests.e2e.board import BoardWindow
from tests.e2e.conftest import SignIn
from tests.e2e.seeing import violations
from tests.support.people import Json
from tests.support.realtime import eventually_found
from tests.support.site import Account

MANY = 60


def day(distance: int) -> str:
    """Return the day so many days from today, where the test's people live."""
    return (datetime.now(UTC) + timedelta(days=distance)).date().isoformat()


async def test_finished_from_my_work_is_done_for_everybody(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """A task ticked on one's home page goes to the done column on another's board; taken back, it returns."""
    await boris.task(project, "Assigned to Anna", assignee_ids=[anna.user["id"]], due=day(-1))
    home = await sign_in(anna)
    other = await BoardWindow.of(sign_in, boris, project)
    overdue = home.get_by_role("region", name="Overdue")
    await overdue.get_by_role("checkbox", name="WEBS-1 is done").check()
    await expect(other.card("Assigned to Anna", column="Done")).to_be_visible()
    await home.get_by_role("button", name="Undo").click()
    await expect(other.card("Assigned to Anna", column="To do")).to_be_visible()
    await expect(overdue.get_by_role("checkbox", name="WEBS-1 is done")).not_to_be_checked()


async def test_my_work_follows_what_others_do(sign_in: SignIn, anna: Account, boris: Account, project: Json) -> None:
    """A task assigned or a comment that mentions one appears by itself, and takes neither focus nor scroll."""
    await boris.task(project, "First", assignee_ids=[anna.user["id"]], due=day(0))
    page = await sign_in(anna)
    first = page.get_by_role("link", name="First")
    await first.focus()
    task = await boris.task(project, "Late and new", assignee_ids=[anna.user["id"]], due=day(-3))
    await boris.call("POST", f"/tasks/{task['id']}/comments", json={"body": "@Anna please look"})
    await expect(page.get_by_role("region", name="Overdue").get_by_text("Late and new")).to_be_visible()
    await expect(page.get_by_role("region", name="Mentioned").get_by_text("please look")).to_be_visible()
    await expect(first).to_be_focused()


async def test_task_opens_over_my_work_and_closes_to_it(sign_in: SignIn, anna: Account, project: Json) -> None:
    """A task opens beside one's list, goes on being edited there, and Back closes it with the focus on its row."""
    await anna.task(project, "Read me", assignee_ids=[anna.user["id"]])
    page = await sign_in(anna)
    await page.get_by_role("link", name="Read me").click()
    panel = page.get_by_role("dialog")
    await expect(panel.get_by_role("heading", name="Read me")).to_be_visible()
    await expect(page.get_by_role("heading", level=1, name="My work")).to_be_visible()
    await page.go_back()
    await expect(panel).to_have_count(0)
    await expect(page.get_by_role("link", name="Read me")).to_be_focused()


async def test_list_edits_in_place(sign_in: SignIn, anna: Account, boris: Account, project: Json) -> None:
    """A column chosen in a row of the list moves the card on the other's board; the keyboard stays on the row."""
    await anna.task(project, "One")
    await anna.task(project, "Two")
    other = await BoardWindow.of(sign_in, boris, project)
    page = await sign_in(anna, f"/p/{project['id']}/list")
    await page.get_by_role("link", name="One").focus()
    await page.keyboard.press("j")
    await expect(page.get_by_role("link", name="Two")).to_be_focused()
    for _ in range(3):
        await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await page.get_by_role("menuitemradio", name="Done").click()
    await expect(other.card("Two", column="Done")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="Two")
    await expect(row.get_by_role("button", name="Column: Done")).to_be_focused()
    await row.get_by_role("button", name="Priority").click()
    await page.get_by_role("menuitemradio", name="Urgent").click()
    await expect(other.card("Two")).to_contain_text("Urgent")


async def test_list_draws_only_what_is_seen(sign_in: SignIn, anna: Account, project: Json) -> None:
    """Of many rows few are elements; End reaches the last one, and the address keeps grouping and order."""
    for number in range(MANY):
        await anna.task(project, f"Card {number:03}", priority="high" if number % 2 else "low")
    page = await sign_in(anna, f"/p/{project['id']}/list?group=priority&sort=-title")
    await expect(page.get_by_role("link", name=f"Card {MANY - 1:03}")).to_be_visible()
    drawn = await page.get_by_role("row").count()
    assert drawn < MANY
    await page.get_by_role("link", name=f"Card {MANY - 1:03}").focus()
    await page.keyboard.press("End")
    await expect(page.get_by_role("link", name="Card 000")).to_be_focused()
    await page.get_by_role("button", name="Title").click()
    await expect(page).not_to_have_url(re.compile("sort"))


async def test_filter_goes_along_from_view_to_view(sign_in: SignIn, anna: Account, project: Json) -> None:
    """What the filter hides is hidden in list and calendar, and clearing it leaves their grouping alone."""
    await anna.task(project, "Mine", assignee_ids=[anna.user["id"]], due="2026-11-11")
    await anna.task(project, "Nobody's", due="2026-11-11")
    page = await sign_in(anna, f"/p/{project['id']}/list?group=priority&assignee=me")
    await expect(page.get_by_role("link", name="Mine")).to_be_visible()
    await expect(page.get_by_role("link", name="Nobody's")).to_have_count(0)
    await page.get_by_role("link", name="Calendar").click()
    await page.get_by_role("button", name="Previous month").first.wait_for()
    await expect(page).to_have_url(re.compile("/calendar.*assignee=me"))
    await page.get_by_role("link", name="List", exact=True).click()
    await page.get_by_role("button", name="Clear").first.click()
    await expect(page.get_by_role("link", name="Nobody's")).to_be_visible()
    await expect(page).to_have_url(re.compile(r"/list\?group=priority$"))


async def test_calendar_moves_a_card_by_pointer_and_by_keyboard(sign_in: SignIn, anna: Account, project: Json) -> None:
    """Dropped on another day a card is due then, its hour kept; with the keyboard it goes the same way."""
    await anna.task(project, "Ship it", due="2026-11-11T15:00:00Z")
    page = await sign_in(anna, f"/p/{project['id']}/calendar?day=2026-11-11")
    card = page.locator("[data-day='2026-11-11']").get_by_role("listitem").filter(has_text="Ship it")
    await card.drag_to(page.locator("[data-day='2026-11-13']"))
    moved = page.locator("[data-day='2026-11-13']").get_by_role("link", name="Ship it")
    await expect(moved).to_be_visible()
    await expect(moved).to_be_focused()
    await page.keyboard.press("Shift+ArrowDown")
    await expect(page.locator("[data-day='2026-11-20']").get_by_role("link", name="Ship it")).to_be_focused()
    await page.keyboard.press("Shift+F10")
    await page.get_by_role("menuitem", name="A day earlier").click()
    await expect(page.locator("[data-day='2026-11-19']").get_by_role("link", name="Ship it")).to_be_focused()
    await expect(page.get_by_test_id("live-region")).to_contain_text("November 19")
    await eventually_found(
        lambda: anna.call("GET", f"/projects/{project['id']}/board"),
        lambda board: [task["due"] for task in board["tasks"]] == ["2026-11-19T15:00:00.000Z"],
    )


async def test_search_finds_cyrillic_whatever_its_case(sign_in: SignIn, anna: Account, project: Json) -> None:
    """Typing finds titles and comments in any case as one types, and the keyboard opens the first."""
    await anna.task(project, "Починить ЧАСЫ на башне")
    other = await anna.task(project, "Something else")
    await anna.call("POST", f"/tasks/{other['id']}/comments", json={"body": "Часы опять стоят"})
    page = await sign_in(anna)
    await expect(page.get_by_role("heading", name="My work")).to_be_visible()
    await page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Search")
    await expect(field).to_be_focused()
    await field.press_sequentially("часы")
    results = page.get_by_role("region", name="Website")
    await expect(results.get_by_role("link")).to_have_count(2)
    await expect(results.locator("mark")).to_have_text(["ЧАСЫ", "Часы"])
    await field.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await expect(page).to_have_url(re.compile(r"/search\?q=.*task="))


async def test_back_restores_scroll_and_focus(sign_in: SignIn, anna: Account, project: Json) -> None:
    """Back on the board from another page, columns are scrolled as they were and the focus is on the card left."""
    for number in range(MANY):
        await anna.task(project, f"Card {number:03}")
    board = await BoardWindow.of(sign_in, anna, project)
    page = board.page
    cards = board.column("To do").get_by_role("list")
    await expect(board.card("Card 000")).to_be_visible()
    await cards.evaluate("(list) => list.scrollTo(0, 900)")
    await expect(board.card("Card 015")).to_be_in_viewport()
    await board.card("Card 015").get_by_role("link").focus()
    await page.evaluate("document.querySelector('nav a[href=\"/\"]').click()")
    await expect(page.get_by_role("heading", level=1, name="My work")).to_be_focused()
    await page.go_back()
    await expect(board.card("Card 015")).to_be_in_viewport()
    await expect(board.card("Card 015").get_by_role("link")).to_be_focused()


async def test_archived_card_is_found_and_comes_back(sign_in: SignIn, anna: Account, project: Json) -> None:
    """The archive is searched, and a card given back from it is on the board again."""
    for title in ("Old plan", "Other"):
        task = await anna.task(project, title)
        await anna.call("POST", f"/tasks/{task['id']}/archive")
    page = await sign_in(anna, f"/p/{project['id']}/archive")
    await expect(page.get_by_role("listitem").filter(has_text="Other")).to_be_visible()
    await page.get_by_role("searchbox").fill("old")
    await expect(page.get_by_role("listitem").filter(has_text="Other")).to_have_count(0)
    await page.get_by_role("button", name="Unarchive WEBS-1").click()
    await page.goto(f"/p/{project['id']}")
    await expect(BoardWindow(page).card("Old plan")).to_be_visible()


async def test_short_link_leads_to_the_task(sign_in: SignIn, anna: Account, project: Json) -> None:
    """`/t/WEBS-1` opens the task on its board."""
    await anna.task(project, "Linked")
    page = await sign_in(anna, "/t/webs-1")
    await expect(page.get_by_role("dialog")).to_contain_text("Linked")
    await expect(page).to_have_url(re.compile(f"/p/{project['id']}/t/1$"))


async def test_rail_is_remembered_and_a_drawer_on_a_phone(sign_in: SignIn, anna: Account, project: Json) -> None:
    """The rail folds and stays so after a reload; on a phone it is a drawer that closes when one has gone somewhere."""
    page = await sign_in(anna)
    await page.get_by_role("button", name="Collapse the sidebar").click()
    await page.reload()
    await expect(page.get_by_role("button", name="Expand the sidebar")).to_be_visible()
    phone = await sign_in(anna, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    await phone.get_by_role("button", name="Open the menu").click()
    await phone.get_by_role("link", name="Website").click()
    await expect(phone.get_by_role("region", name="To do")).to_be_visible()
    await expect(phone.get_by_role("dialog", name="Main")).to_have_count(0)


async def test_no_view_breaks_accessibility_rules(sign_in: SignIn, anna: Account, project: Json) -> None:
    """Axe finds nothing against WCAG 2.2 AA on any of these pages, in either theme."""
    task = await anna.task(project, "Часы", due=day(-1), priority="urgent", assignee_ids=[anna.user["id"]])
    await anna.call("POST", f"/tasks/{task['id']}/comments", json={"body": "@Anna часы?"})
    gone = await anna.task(project, "Deleted")
    await anna.call("DELETE", f"/tasks/{gone['id']}")
    page = await sign_in(anna)
    await expect(page.get_by_role("heading", name="My work")).to_be_visible()
    base = f"/p/{project['id']}"
    found = {}
    for path, text in {
        "/": "Часы",
        "/projects": "Website",
        f"{base}/list": "Часы",
        f"{base}/calendar?day={day(-1)}": "Часы",
        f"{base}/calendar?day={day(-1)}&scale=week": "Часы",
        "/search?q=часы": "Часы",
        f"{base}/trash": "Deleted",
        f"{base}/archive": "The archive is empty",
        "/nowhere": "There is no page",
    }.items():
        await page.goto(path)
        await expect(page.get_by_role("main").get_by_text(text).first).to_be_visible()
        found[path] = await violations(page)
        assert await h1_count(page) == 1, path
    assert {path: rules for path, rules in found.items() if rules} == {}


async def h1_count(page: Page) -> int:
    """Return how many main headings the page has."""
    return await page.get_by_role("heading", level=1).count()
