"""The inbox as two people use it: what concerns one comes by itself, is told once, and is gone everywhere when read."""

import json
import re
from urllib.parse import parse_qs, urlparse

from playwright.async_api import Locator, Page, Route, expect

from tests.e2e.board import BoardWindow
from tests.e2e.conftest import SignIn
from tests.e2e.seeing import violations
from tests.e2e.test_kept_page import READY
from tests.support.people import Json
from tests.support.site import Account

MANY = 10_000

UNREGISTER = "navigator.serviceWorker.ready.then((registration) => registration.unregister())"
#: Resolves once the inbox is on the device, which is a moment after its last change.
KEPT = """new Promise((done) => {
    const look = () => {
        const open = indexedDB.open('timetodo');
        open.onsuccess = () => {
            const keys = open.result.transaction('copies').objectStore('copies').getAllKeys();
            keys.onsuccess = () => {
                open.result.close();
                if (keys.result.some((key) => key.endsWith('/inbox'))) done();
                else setTimeout(look, 20);
            };
        };
    };
    look();
})"""


async def mention(boris: Account, task: Json, text: str = "@Anna please look") -> None:
    """Have Boris call Anna to a task."""
    await boris.call("POST", f"/tasks/{task['id']}/comments", json={"body": text})


def rows(page: Page) -> Locator:
    """The notifications on the inbox page."""
    return page.get_by_role("tabpanel").locator("[data-item]")


def bell(page: Page) -> Locator:
    """The way to the inbox, with the count in its name."""
    return page.get_by_role("link", name=re.compile("^Inbox"))


async def inbox(page: Page) -> None:
    """Go to the inbox as somebody does who is on the first page."""
    await expect(page.get_by_role("heading", level=1, name="My work")).to_be_visible()
    await bell(page).click()
    await expect(page.get_by_role("heading", level=1, name="Inbox")).to_be_focused()


async def test_a_mention_reaches_the_open_window_and_is_read_everywhere(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """It is counted and told at once, leads to the card, and what is read on one device is read on the other."""
    task = await boris.task(project, "Plan the launch")
    board = await BoardWindow.of(sign_in, anna, project)
    other = await sign_in(anna)
    await inbox(other)
    await mention(boris, task)
    page = board.page
    toast = page.get_by_role("region", name="Messages").get_by_text("Boris mentioned you")
    await expect(toast).to_be_visible()
    await expect(bell(page)).to_have_accessible_name(re.compile("1 unread"))
    await expect(rows(other)).to_have_count(1)
    await expect(rows(other)).to_contain_text("@Anna please look")
    await expect(rows(other)).to_contain_text("you were mentioned")
    await page.get_by_role("button", name="Open", exact=True).click()
    await expect(page.get_by_role("dialog")).to_contain_text("please look")
    for window in (page, other):
        await expect(bell(window)).to_have_accessible_name("Inbox")
    await expect(rows(other).get_by_text("Unread")).to_have_count(0)


async def test_nothing_is_told_of_the_card_one_has_open(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """A comment on the card in front of one is on the screen already: no message, nothing unread, as of another."""
    task, other = await boris.task(project, "Plan the launch"), await boris.task(project, "Something else")
    board = await BoardWindow.of(sign_in, anna, project)
    await board.page.goto(f"/p/{project['id']}/t/{task['number']}")
    await expect(board.page.get_by_role("dialog")).to_be_visible()
    await board.is_live()
    await mention(boris, task, "@Anna here")
    await expect(board.page.get_by_role("dialog")).to_contain_text("here")
    await mention(boris, other, "@Anna there")
    await expect(bell(board.page)).to_have_accessible_name(re.compile("1 unread"))
    await expect(board.page.get_by_role("region", name="Messages").get_by_text("mentioned you")).to_have_count(1)


async def test_everything_by_keyboard(sign_in: SignIn, anna: Account, boris: Account, project: Json) -> None:
    """G I leads there; J and K walk, Enter opens, U, H and E mark, put off and put away, and the focus goes on."""
    for title in ("One", "Two", "Three"):
        await mention(boris, await boris.task(project, title), f"@Anna {title}")
    page = await sign_in(anna)
    await expect(page.get_by_role("heading", level=1, name="My work")).to_be_visible()
    await page.keyboard.press("g")
    await page.keyboard.press("i")
    await expect(rows(page)).to_have_count(3)
    await page.keyboard.press("j")
    await expect(rows(page).filter(has_text="@Anna Three")).to_be_focused()
    await page.keyboard.press("u")
    await expect(bell(page)).to_have_accessible_name(re.compile("2 unread"))
    await page.keyboard.press("j")
    await expect(rows(page).filter(has_text="@Anna Two")).to_be_focused()
    await page.keyboard.press("e")
    await expect(rows(page)).to_have_count(2)
    await expect(rows(page).filter(has_text="@Anna One")).to_be_focused()
    await page.keyboard.press("h")
    await page.get_by_role("menuitem", name="Tomorrow").click()
    await expect(rows(page)).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Three")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(rows(page).filter(has_text="@Anna Three")).to_be_focused()
    await page.get_by_role("tab", name="Archive").click()
    await expect(rows(page)).to_have_count(1)
    await expect(rows(page)).to_contain_text("@Anna Two")


async def test_all_is_read_with_one_press_and_opens_without_a_network(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """Mark all read empties the bell on both devices, and the inbox is there when the server is not."""
    await mention(boris, await boris.task(project, "Plan"))
    page, other = await sign_in(anna), await sign_in(anna)
    await inbox(page)
    await inbox(other)
    await page.get_by_role("button", name="Mark all read").click()
    for window in (page, other):
        await expect(bell(window)).to_have_accessible_name("Inbox")
    await page.evaluate(READY)
    await page.evaluate(KEPT)
    await page.context.set_offline(True)
    await page.reload()
    await expect(rows(page)).to_have_count(1)


async def test_no_accessibility_rule_is_broken(sign_in: SignIn, anna: Account, boris: Account, project: Json) -> None:
    """Axe finds nothing on the inbox, empty and full, and on the settings, in either theme."""
    page = await sign_in(anna)
    await inbox(page)
    await expect(page.get_by_text("You have seen everything")).to_be_visible()
    assert await violations(page) == []
    await mention(boris, await boris.task(project, "Plan", assignee_ids=[anna.user["id"]]))
    await expect(rows(page).first).to_be_visible()
    assert await violations(page) == []
    await page.goto("/profile")
    await expect(page.get_by_role("table")).to_be_visible()
    assert await violations(page) == []


async def test_it_speaks_russian_on_a_phone(sign_in: SignIn, anna: Account, boris: Account, project: Json) -> None:
    """The bottom bar leads to it; a menu of one row does by finger what the keys do."""
    await anna.call("PATCH", "/users/me", json={"language": "ru"})
    await mention(boris, await boris.task(project, "План"))
    page = await sign_in(anna, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    await page.get_by_role("navigation", name="Главное").get_by_role("link", name=re.compile("^Входящие")).tap()
    await expect(rows(page)).to_contain_text("упоминает вас")
    await page.get_by_role("button", name="Действия").tap()
    await page.get_by_role("menuitem", name="В архив").tap()
    await expect(rows(page)).to_have_count(0)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_settings_are_kept_and_a_task_can_be_muted(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """A box unticked stays so; who mutes a card hears no more of its comments."""
    task = await boris.task(project, "Plan", assignee_ids=[anna.user["id"]])
    page = await sign_in(anna)
    await expect(page.get_by_role("heading", level=1, name="My work")).to_be_visible()
    await page.goto("/profile")
    box = page.get_by_role("checkbox", name="I am assigned Push")
    await expect(box).to_be_checked()
    await box.uncheck()
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    await page.reload()
    await expect(box).not_to_be_checked()
    await page.goto(f"/t/{task['key']}")
    await page.get_by_role("button", name="Notifications of this task").click()
    await page.get_by_role("menuitemradio", name="Muted").click()
    await expect(page.get_by_role("button", name="Notifications of this task: Muted")).to_be_visible()
    await page.goto("/inbox")
    await expect(rows(page)).to_have_count(1)
    await boris.call("POST", f"/tasks/{task['id']}/comments", json={"body": "Nothing for Anna"})
    await mention(boris, task, "@Anna but this")
    await expect(rows(page)).to_have_count(2)
    await expect(page.get_by_text("Nothing for Anna")).to_have_count(0)


def many(project: Json) -> list[Json]:
    """Ten thousand notifications, newest first, of a few hundred tasks."""
    common = {"why": "assignee", "project_id": project["id"], "project_name": "Website", "comment_id": None}
    times = {"created_at": "2026-01-01T00:00:00Z", "archived_at": None, "snoozed_until": None}
    return [
        common
        | times
        | {
            "id": f"n{number}",
            "kind": "commented",
            "task_id": f"t{number // 7}",
            "task_key": f"WEB-{number // 7 + 1}",
            "task_title": f"Card {number // 7}",
            "excerpt": f"Comment {number}",
            "actor_id": "b",
            "actor_name": "Boris",
            "count": 1,
            "details": {},
            "updated_at": f"2026-01-01T{23 - number // 3600:02}:{59 - number // 60 % 60:02}:{59 - number % 60:02}Z",
            "read_at": None,
            "seq": 1,
        }
        for number in range(MANY)
    ]


async def test_ten_thousand_open_at_once(sign_in: SignIn, anna: Account, project: Json) -> None:
    """Few of them are drawn, and more come as one scrolls."""
    page = await sign_in(anna)
    # Requests of a page that has one are out of the test's reach.
    await page.evaluate(UNREGISTER)
    await page.add_init_script("delete Navigator.prototype.serviceWorker")
    await expect(page.get_by_role("heading", level=1, name="My work")).to_be_visible()
    items = many(project)

    async def answer(route: Route) -> None:
        query = parse_qs(urlparse(route.request.url).query)
        wanted = items if query["filter"] == ["all"] else []
        start, limit = int(query.get("cursor", ["0"])[0]), int(query["limit"][0])
        end = start + limit
        cursor = str(end) if end < len(wanted) else None
        body = {"items": wanted[start:end], "next_cursor": cursor, "unread": len(wanted)}
        await route.fulfill(body=json.dumps(body), content_type="application/json")

    await page.route("**/api/v1/notifications?*", answer)
    async with page.expect_response("**/api/v1/notifications?filter=mentions*"):
        await page.reload()
    await page.locator('a[href="/inbox"]').first.click()
    for last in ("Comment 99", "Comment 199", "Comment 299"):
        await page.locator("[data-scroll^=inbox]").evaluate("(list) => list.scrollTo(0, list.scrollHeight)")
        await expect(rows(page).filter(has_text=re.compile(f"{last}$|{last}[^0-9]"))).to_be_visible()
    assert await rows(page).count() < 120
