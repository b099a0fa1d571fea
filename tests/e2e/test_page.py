"""How the page looks and reads: languages, themes, phone, accessibility, and the client on a page of others."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.async_api import expect

from tests.e2e.board import BoardWindow
from tests.e2e.conftest import OpenWindow, SignIn, browser_fixture
from tests.e2e.seeing import violations
from tests.support.people import Json
from tests.support.ports import free_port
from tests.support.site import Account, Site


@browser_fixture
async def project(anna: Account) -> Json:
    """A board with a bit of everything."""
    project = await anna.project("Website")
    label = await anna.call("POST", f"/projects/{project['id']}/labels", json={"name": "Bug", "color": "#d73a4a"})
    people = [anna.user["id"]]
    task = await anna.task(
        project,
        "Buy the domain",
        description="Ask **Carol** first",
        priority="high",
        due="2026-01-15",
        label_ids=[label["id"]],
        assignee_ids=people,
        checklist=[{"text": "Compare prices", "done": True}, {"text": "Pay"}],
    )
    await anna.call("POST", f"/tasks/{task['id']}/comments", json={"body": "@Anna which one?"})
    await anna.task(project, "Write the imprint", status="done")
    return project


async def test_no_page_breaks_accessibility_rules(
    window: OpenWindow, sign_in: SignIn, anna: Account, project: Json
) -> None:
    """Axe finds nothing against WCAG 2.2 AA on any page, in either theme."""
    stranger = await window()
    await stranger.goto("/")
    await expect(stranger.locator("input[type=email]")).to_be_visible()
    assert await violations(stranger) == []
    page = await sign_in(anna)
    await expect(page.get_by_role("link", name="Website")).to_be_visible()
    assert await violations(page) == []
    board = BoardWindow(page)
    await board.open(project)
    assert await violations(page) == []
    await board.card("Buy the domain").get_by_role("link").click()
    await expect(page.get_by_role("dialog")).to_contain_text("which one?")
    assert await violations(page) == []
    await page.goto("/profile")
    await expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    assert await violations(page) == []


async def test_page_speaks_the_language_of_its_reader(
    window: OpenWindow, anna: Account, sign_in: SignIn, project: Json
) -> None:
    """A browser that asks for Russian gets Russian before sign-in; afterwards the account's language counts."""
    stranger = await window(locale="ru-RU")
    await stranger.goto("/")
    await expect(stranger.get_by_role("button", name="Войти")).to_be_visible()
    await anna.call("PATCH", "/users/me", json={"language": "ru"})
    page = await sign_in(anna)
    await expect(page.get_by_role("button", name="Новый проект")).to_be_visible()
    assert await page.evaluate("document.documentElement.lang") == "ru"
    await page.goto(f"/p/{project['id']}")
    await expect(page.get_by_role("button", name="Добавить карточку").first).to_be_visible()


async def test_phone_shows_one_column_and_the_whole_task(sign_in: SignIn, anna: Account, project: Json) -> None:
    """On a phone nothing is wider than the screen but the board, which scrolls by columns; a task fills the screen."""
    phone: Json = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    board = await BoardWindow.of(sign_in, anna, project, **phone)
    page = board.page
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await board.card("Buy the domain").get_by_role("link").click()
    panel = await page.get_by_role("dialog").bounding_box()
    assert panel is not None
    assert panel["width"] >= 380


async def test_keyboard_alone_moves_a_card(sign_in: SignIn, anna: Account, project: Json) -> None:
    """With the keyboard a card is reached, its menu opened, and moved; a live region tells where to."""
    board = await BoardWindow.of(sign_in, anna, project)
    await board.card("Buy the domain").get_by_role("link").focus()
    await board.page.keyboard.press("Shift+F10")
    await board.page.get_by_role("menuitemradio", name="In progress").focus()
    await board.page.keyboard.press("Enter")
    await expect(board.card("Buy the domain", column="In progress")).to_be_visible()
    announcement = board.page.get_by_role("status").filter(has_text="WEBS-1 moved to In progress, 1 of 1")
    await expect(announcement).to_be_attached()
    await expect(board.card("Buy the domain").get_by_role("link")).to_be_focused()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A web server of somebody else, on another origin."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", free_port()), partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


async def test_client_works_on_a_page_of_others(
    tmp_path: Path, elsewhere: tuple[Path, str], window: OpenWindow
) -> None:
    """A plain page of an allowed origin loads the client from the server and hears of a new task."""
    folder, origin = elsewhere
    site = Site(tmp_path / "allowed", TIMETODO_ALLOWED_ORIGINS=origin)
    await site.start()
    try:
        anna = await site.account("Anna")
        project = await anna.project("Website")
        (folder / "index.html").write_text(PLAIN_PAGE % (site.url, anna.token, project["id"]))
        page = await window()
        await page.goto(origin)
        await page.wait_for_function("window.joined")
        await anna.task(project, "Heard elsewhere")
        await page.wait_for_function("window.heard.length === 1")
        assert await page.evaluate("window.heard[0].data.title") == "Heard elsewhere"
        assert await page.evaluate("window.roundTrip") < 5000
    finally:
        site.stop()


PLAIN_PAGE = """<!doctype html><title>Elsewhere</title>
<script type="module">
import { wsClient } from "%s/static/js/websocket.js";
window.heard = [];
wsClient.on("task", (event) => window.heard.push(event));
await wsClient.connect({ token: "%s" });
await wsClient.joinProject("%s");
window.roundTrip = await wsClient.ping();
window.joined = true;
</script>"""
