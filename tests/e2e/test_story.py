"""The story the product exists for: two people, one board, and everything that can happen to a network."""

import json
from pathlib import Path

from playwright.async_api import Page, WebSocket, expect

from tests.e2e.board import PATIENCE_MS, BoardWindow
from tests.e2e.conftest import OpenWindow, SignIn
from tests.support import browser
from tests.support.people import PASSWORD, Json
from tests.support.proxy import Proxy
from tests.support.site import Account, Site

MISSED_CHANGES = 25


async def test_first_visitor_becomes_administrator(site: Site, window: OpenWindow) -> None:
    """With the one-time code the first visitor makes an account, then a project, and stands before its board."""
    page = await window()
    await page.goto("/")
    await page.get_by_label("One-time code").fill(site.admin_code())
    await page.get_by_label("Name", exact=True).fill("Anna")
    await page.get_by_label("E-mail").fill("anna@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Create your first project").click()
    await page.get_by_label("Name", exact=True).fill("Website")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("region", name="In progress")).to_be_visible()
    assert not (site.data_dir / "admin-code").exists()


async def test_each_sees_what_the_other_does(sign_in: SignIn, anna: Account, boris: Account, project: Json) -> None:
    """Cards that one person adds, moves, drags, renames and comments on change on the other's screen."""
    first = await BoardWindow.of(sign_in, anna, project)
    second = await BoardWindow.of(sign_in, boris, project)

    await first.add_card("To do", "Buy the domain")
    await expect(second.card("Buy the domain", column="To do")).to_be_visible()

    await second.move_card("Buy the domain", "In progress")
    await expect(first.card("Buy the domain", column="In progress")).to_be_visible()

    await first.drag_card("Buy the domain", "Done")
    await expect(first.card("Buy the domain", column="Done")).to_be_visible()
    await expect(second.card("Buy the domain", column="Done")).to_be_visible()

    await second.card("Buy the domain").get_by_role("link").click()
    panel = second.page.get_by_role("dialog")
    await panel.get_by_role("textbox", name="New comment").fill("Done, look")
    await panel.get_by_role("textbox", name="New comment").press("Control+Enter")
    await expect(first.card("Buy the domain")).to_contain_text("1")
    await first.card("Buy the domain").get_by_role("link").click()
    await expect(first.page.get_by_role("dialog")).to_contain_text("Done, look")


async def test_each_sees_that_the_other_is_there(sign_in: SignIn, anna: Account, boris: Account, project: Json) -> None:
    """An avatar appears when somebody opens the board and goes when they leave."""
    first = await BoardWindow.of(sign_in, anna, project)
    people = first.page.get_by_label("People here now")
    second = await BoardWindow.of(sign_in, boris, project)
    await expect(people.locator("[data-initials=B]")).to_be_visible()
    await second.page.context.close()
    await expect(people.locator("[data-initials=B]")).to_have_count(0)


async def test_offline_window_comes_back_with_exactly_what_it_missed(tmp_path: Path, window: OpenWindow) -> None:
    """A window that was cut off while 25 changes were made gets those, in order, over the socket, without a reload."""
    proxy = Proxy()
    await proxy.start()
    site = Site(tmp_path / "tunnel", TIMETODO_PUBLIC_URL=f"http://127.0.0.1:{proxy.port}")
    proxy.lead_to(site.port)
    await site.start()
    try:
        anna = await site.account("Anna")
        project = await anna.project("Website")
        page = await window(base_url=f"http://127.0.0.1:{proxy.port}")
        heard = listen(page)
        await browser.sign_in(page, anna)
        board = BoardWindow(page)
        await board.open(project)
        await page.evaluate("window.neverReloaded = true")
        proxy.cut()
        await expect(page.get_by_text("Reconnecting").first).to_be_attached()
        before = len(heard)
        for number in range(MISSED_CHANGES):
            await anna.task(project, f"Missed {number}")
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        proxy.mend()
        await expect(board.card(f"Missed {MISSED_CHANGES - 1}")).to_be_visible(timeout=PATIENCE_MS)
        await expect(board.column("To do").get_by_role("listitem")).to_have_count(MISSED_CHANGES)
        missed = [message["seq"] for message in heard[before:] if "seq" in message]
        assert missed == list(range(1, MISSED_CHANGES + 1))
        assert await board.titles("To do") == [f"WEBS-{number + 1}" for number in range(MISSED_CHANGES)]
        assert await page.evaluate("window.neverReloaded") is True
        assert not [url for url in requests if url.endswith("/board")]
    finally:
        site.stop()
        await proxy.stop()


async def test_killed_server_is_only_a_pause(
    site: Site, sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """After kill -9 and a new start both windows carry on by themselves; nothing that was confirmed is gone."""
    first = await BoardWindow.of(sign_in, anna, project)
    second = await BoardWindow.of(sign_in, boris, project)
    await first.add_card("To do", "Before the crash")
    await expect(second.card("Before the crash")).to_be_visible()
    site.kill()
    await expect(second.page.get_by_text("Reconnecting").first).to_be_attached()
    await first.add_card("To do", "During the crash")
    await site.start()
    await expect(second.card("During the crash")).to_be_visible(timeout=PATIENCE_MS)
    await first.add_card("To do", "After the crash")
    await expect(second.card("After the crash")).to_be_visible()
    await expect(second.column("To do").get_by_role("listitem")).to_have_count(3)


async def test_typing_is_never_disturbed(sign_in: SignIn, anna: Account, boris: Account, project: Json) -> None:
    """While somebody writes a card, changes of others neither take the focus nor the text."""
    board = await BoardWindow.of(sign_in, anna, project)
    await board.column("To do").get_by_role("button", name="Add a card", exact=True).click()
    field = board.column("To do").get_by_role("textbox")
    await field.press_sequentially("Half a sen")
    task = await boris.task(project, "From Boris")
    await boris.call("POST", f"/tasks/{task['id']}/move", json={"status": "done"})
    await expect(board.card("From Boris", column="Done")).to_be_visible()
    await expect(field).to_be_focused()
    await field.press_sequentially("tence")
    await expect(field).to_have_value("Half a sentence")


async def test_draft_survives_a_reload(sign_in: SignIn, anna: Account, project: Json) -> None:
    """A comment that was begun is there again after the page was reloaded."""
    task = await anna.task(project, "Write")
    board = await BoardWindow.of(sign_in, anna, project)
    await board.page.goto(f"/p/{project['id']}/t/{task['number']}")
    field = board.page.get_by_role("textbox", name="New comment")
    await field.press_sequentially("Two hours of work")
    await board.page.reload()
    await expect(board.page.get_by_role("textbox", name="New comment")).to_have_value("Two hours of work")


async def test_same_field_changed_twice_shows_both(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """When two people change one title, the later one sees both and chooses; neither text is lost."""
    task = await anna.task(project, "Original")
    board = await BoardWindow.of(sign_in, anna, project)
    await board.page.goto(f"/p/{project['id']}/t/{task['number']}")
    panel = board.page.get_by_role("dialog").first
    await panel.get_by_role("button", name="Edit title").click()
    await panel.get_by_role("textbox", name="Title").fill("Anna's title")
    await boris.call("PATCH", f"/tasks/{task['id']}", json={"title": "Boris's title"})
    await expect(board.card("Boris's title")).to_be_visible()
    await panel.get_by_role("textbox", name="Title").press("Enter")
    choice = board.page.get_by_role("dialog", name="was changed twice")
    await expect(choice).to_contain_text("Boris's title")
    await expect(choice).to_contain_text("Anna's title")
    async with board.page.expect_response(f"**/tasks/{task['id']}"):
        await choice.get_by_role("button", name="Keep mine").click()
    await expect(board.card("Anna's title")).to_be_visible()
    assert (await anna.call("GET", f"/tasks/{task['id']}"))["title"] == "Anna's title"


async def test_removed_member_is_shown_out(sign_in: SignIn, anna: Account, boris: Account, project: Json) -> None:
    """Somebody who is removed while they look at the board sees that it is closed to them, not stale cards."""
    await anna.task(project, "Secret plan")
    board = await BoardWindow.of(sign_in, boris, project)
    await expect(board.card("Secret plan")).to_be_visible()
    await anna.call("DELETE", f"/projects/{project['id']}/members/{boris.user['id']}")
    await expect(board.page.get_by_role("heading", name="This project is closed to you")).to_be_visible()
    await expect(board.page.get_by_text("Secret plan")).to_have_count(0)


def listen(page: Page) -> list[Json]:
    """Collect every message the page's sockets receive."""
    heard: list[Json] = []

    def on_socket(socket: WebSocket) -> None:
        socket.on("framereceived", lambda payload: heard.append(json.loads(payload)))

    page.on("websocket", on_socket)
    return heard
