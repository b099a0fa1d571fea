"""Local first: the board without a network, changes that wait, tabs that share, and two who write the same."""

import re

import pytest
from playwright.async_api import BrowserContext, Route, WebSocketRoute, expect

from tests.e2e.board import PATIENCE_MS, BoardWindow
from tests.e2e.conftest import SignIn, browser_fixture
from tests.support.people import Json
from tests.support.realtime import eventually_found
from tests.support.site import Account, Site

KEPT = """await new Promise((resolve) => {
  indexedDB.open('timetodo').onsuccess = ({ target }) => {
    target.result.transaction('copies').objectStore('copies').getAll().onsuccess = (event) => {
      target.result.close();
      resolve(JSON.stringify(event.target.result));
    };
  };
})"""
"""What this browser has of boards, as text."""


class Tunnel:
    """Takes the server's answers from a browser, while the page itself still loads, as it will from its cache."""

    def __init__(self) -> None:
        self.is_dark = False
        self._sockets: list[WebSocketRoute] = []

    async def dig(self, context: BrowserContext) -> None:
        """Stand in the way of everything this browser asks of the API."""
        await context.route("**/api/**", self._answer)
        await context.route_web_socket(re.compile("/api/v1/ws"), self._connect)

    async def enter(self) -> None:
        """Lose the network: sockets die, requests get no answer."""
        self.is_dark = True
        for socket in self._sockets:
            await socket.close(code=1001)
        self._sockets.clear()

    def leave(self) -> None:
        """Have the network again."""
        self.is_dark = False

    async def _answer(self, route: Route) -> None:
        if self.is_dark:
            await route.abort("internetdisconnected")
        else:
            await route.continue_()

    async def _connect(self, socket: WebSocketRoute) -> None:
        if self.is_dark:
            await socket.close(code=1001)
        else:
            socket.connect_to_server()
            self._sockets.append(socket)


@browser_fixture
async def boris(site: Site, anna: Account, project: Json) -> Account:
    """Another editor of the board."""
    boris = await site.account("Boris")
    await anna.call("POST", f"/projects/{project['id']}/members", json={"email": boris.user["email"], "role": "editor"})
    return boris


@browser_fixture
async def project(anna: Account) -> Json:
    """A board."""
    return await anna.project("Website")


@pytest.fixture
def tunnel() -> Tunnel:
    """A network that can be lost."""
    return Tunnel()


async def titles(account: Account, project: Json) -> list[str]:
    """Return the titles of all cards as the server has them."""
    board = await account.call("GET", f"/projects/{project['id']}/board")
    return sorted(task["title"] for task in board["tasks"])


async def one_connection(account: Account) -> None:
    """Wait until the server has one socket: it may hear later than the page that another one has gone."""
    await eventually_found(
        lambda: account.call("GET", "/ws/stats"), lambda statistics: statistics["active_connections"] == 1
    )


async def edit_title(board: BoardWindow, task: Json, title: str) -> None:
    """Change the title of a task in its panel."""
    await board.card(task["title"]).get_by_role("link").click()
    panel = board.page.get_by_role("dialog").first
    await panel.get_by_role("button", name="Edit title").click()
    await panel.get_by_role("textbox", name="Title").fill(title)
    await panel.get_by_role("textbox", name="Title").press("Enter")
    await panel.get_by_role("button", name="Close").first.click()


async def test_offline_hour_loses_nobodys_change(
    sign_in: SignIn, tunnel: Tunnel, anna: Account, boris: Account, project: Json
) -> None:
    """Changes made without a network and those others made meanwhile are all there afterwards."""
    moved = await anna.task(project, "Moved offline")
    renamed = await anna.task(project, "Renamed offline")
    theirs = await anna.task(project, "Moved by Boris")
    page = await sign_in(anna)
    await tunnel.dig(page.context)
    board = BoardWindow(page)
    await board.open(project)
    await tunnel.enter()
    await board.move_card("Moved offline", "Done")
    await edit_title(board, renamed, "A better name")
    await board.add_card("To do", "Written in a tunnel")
    await boris.call("PATCH", f"/tasks/{renamed['id']}", json={"priority": "high"})
    await boris.call("PATCH", f"/tasks/{moved['id']}", json={"title": "Moved offline, renamed by Boris"})
    await boris.call("POST", f"/tasks/{theirs['id']}/move", json={"status": "done"})
    tunnel.leave()
    await expect(board.card("Moved by Boris", column="Done")).to_be_visible(timeout=PATIENCE_MS)
    await expect(board.card("Moved offline, renamed by Boris", column="Done")).to_be_visible(timeout=PATIENCE_MS)
    await expect(board.page.get_by_text("Not saved yet")).to_have_count(0, timeout=PATIENCE_MS)
    assert await titles(boris, project) == [
        "A better name",
        "Moved by Boris",
        "Moved offline, renamed by Boris",
        "Written in a tunnel",
    ]
    assert (await anna.call("GET", f"/tasks/{renamed['id']}"))["priority"] == "high"


async def test_reload_without_network_shows_board_and_sends_later_once(
    sign_in: SignIn, tunnel: Tunnel, anna: Account, project: Json
) -> None:
    """A page opened without any answer of the server shows the last board and what waits; each change happens once."""
    await anna.task(project, "From yesterday")
    page = await sign_in(anna)
    await tunnel.dig(page.context)
    board = BoardWindow(page)
    await board.open(project)
    await expect(board.card("From yesterday")).to_be_visible()
    await tunnel.enter()
    await board.add_card("To do", "Written on a train")
    await page.reload()
    await expect(board.card("From yesterday")).to_be_visible()
    await expect(board.card("Written on a train")).to_contain_text("Not saved yet")
    await page.reload()
    await expect(board.card("Written on a train")).to_have_count(1)
    tunnel.leave()
    await expect(page.get_by_text("Not saved yet")).to_have_count(0, timeout=PATIENCE_MS)
    await board.is_live()
    await expect(board.card("Written on a train")).to_have_count(1)
    assert await titles(anna, project) == ["From yesterday", "Written on a train"]


async def test_tabs_share_one_connection_and_the_next_takes_over(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """Two tabs have one socket; what one does the other shows; when the first is closed the second goes on alone."""
    first = await BoardWindow.of(sign_in, anna, project)
    second = BoardWindow(await first.page.context.new_page())
    await second.page.goto(f"/p/{project['id']}")
    await second.is_live()
    await one_connection(anna)
    await second.add_card("To do", "From the second tab")
    await expect(first.card("From the second tab")).to_be_visible()
    await boris.task(project, "From Boris")
    await expect(first.card("From Boris")).to_be_visible()
    await expect(second.card("From Boris")).to_be_visible()
    await first.page.close()
    await boris.task(project, "After the first tab")
    await second.add_card("To do", "From the last tab")
    await expect(second.card("After the first tab")).to_be_visible(timeout=PATIENCE_MS)
    await second.is_live()
    await expect(second.page.get_by_text("Not saved yet")).to_have_count(0, timeout=PATIENCE_MS)
    await one_connection(anna)
    everything = ["After the first tab", "From Boris", "From the last tab", "From the second tab"]
    await eventually_found(lambda: titles(anna, project), lambda found: found == everything)
    await expect(second.column("To do").get_by_role("listitem")).to_have_count(4)


async def test_change_waiting_in_one_tab_shows_in_the_other(
    sign_in: SignIn, tunnel: Tunnel, anna: Account, project: Json
) -> None:
    """A change that cannot be sent yet is in every tab, and is sent once although its tab is closed."""
    first = BoardWindow(await sign_in(anna))
    await tunnel.dig(first.page.context)
    await first.open(project)
    second = BoardWindow(await first.page.context.new_page())
    await second.page.goto(f"/p/{project['id']}")
    await second.is_live()
    await tunnel.enter()
    await first.add_card("To do", "Waiting")
    await expect(second.card("Waiting")).to_contain_text("Not saved yet")
    await first.page.close()
    tunnel.leave()
    await expect(second.page.get_by_text("Not saved yet")).to_have_count(0, timeout=PATIENCE_MS)
    assert await titles(anna, project) == ["Waiting"]
    await expect(second.card("Waiting")).to_have_count(1)


async def test_killed_server_makes_waiting_changes_once(
    site: Site, sign_in: SignIn, anna: Account, project: Json
) -> None:
    """Changes under way when the server dies, and those made while it is gone, happen once each, in order."""
    board = await BoardWindow.of(sign_in, anna, project)
    await board.add_card("To do", "Before")
    site.kill()
    for title in ("One", "Two", "Three"):
        await board.add_card("To do", title)
    await board.move_card("Two", "Done")
    await expect(board.card("Three")).to_contain_text("Not saved yet")
    await site.start()
    await expect(board.page.get_by_text("Not saved yet")).to_have_count(0, timeout=PATIENCE_MS)
    assert await titles(anna, project) == ["Before", "One", "Three", "Two"]
    await board.is_live()
    assert len(await board.titles("To do")) == 3
    assert len(await board.titles("Done")) == 1


async def test_two_edits_of_one_description_are_put_together(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """Whoever comes second sees mine, theirs and the result of both, and nothing anybody wrote is lost."""
    task = await anna.task(project, "Plan", description="Buy bread\nBuy milk\nBuy salt")
    board = await BoardWindow.of(sign_in, anna, project)
    await board.page.goto(f"/p/{project['id']}/t/{task['number']}")
    panel = board.page.get_by_role("dialog").first
    await panel.get_by_role("button", name="Edit description").click()
    field = panel.get_by_role("textbox", name="Description")
    await field.fill("Buy bread\nBuy milk\nBuy salt and pepper")
    await boris.call("PATCH", f"/tasks/{task['id']}", json={"description": "Buy rye bread\nBuy milk\nBuy salt"})
    await field.press("Control+Enter")
    choice = board.page.get_by_role("dialog", name="was changed twice")
    await expect(choice).to_contain_text("Buy rye bread")
    await expect(choice).to_contain_text("pepper")
    result = choice.get_by_role("textbox", name="Result")
    await expect(result).to_have_value("Buy rye bread\nBuy milk\nBuy salt and pepper")
    await board.page.reload()
    await choice.get_by_role("button", name="Save the result").click()
    await expect(choice).to_have_count(0)
    await expect(panel).to_contain_text("Buy rye bread")
    await expect(board.page.get_by_text("Not saved yet")).to_have_count(0)
    await eventually_found(
        lambda: anna.call("GET", f"/tasks/{task['id']}"),
        lambda saved: saved["description"] == "Buy rye bread\nBuy milk\nBuy salt and pepper",
    )


async def test_removed_member_keeps_no_copy(sign_in: SignIn, anna: Account, boris: Account, project: Json) -> None:
    """Who is put out of a project leaves nothing of its board on the device."""
    await anna.task(project, "Secret plan")
    board = await BoardWindow.of(sign_in, boris, project)
    await expect(board.card("Secret plan")).to_be_visible()
    await board.page.wait_for_function(f"async () => ({KEPT}).includes('Secret plan')")
    await anna.call("DELETE", f"/projects/{project['id']}/members/{boris.user['id']}")
    await expect(board.page.get_by_role("heading", name="This project is closed to you")).to_be_visible()
    await board.page.wait_for_function(f"async () => !({KEPT}).includes('Secret plan')")
