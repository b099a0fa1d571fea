"""Two people on one board: nobody is disturbed by the other, and nobody has to guess what the other did."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.board import PATIENCE_MS, BoardWindow
from tests.e2e.conftest import OpenWindow, SignIn
from tests.e2e.seeing import violations
from tests.e2e.test_local_first import Tunnel
from tests.support.people import Json
from tests.support.site import Account, Site

HOSTILE: list[str] = json.loads((Path(__file__).parents[1] / "fixtures/markdown/hostile.json").read_text())
WATCH_POLICY = """
  window.violations = [];
  document.addEventListener('securitypolicyviolation', (event) =>
    window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
# Path → a heading that tells that the page is there.
PAGES = {
    "/": "My work",
    "/p/{}": "Website",
    "/p/{}/list": "Website",
    "/p/{}/calendar": "Website",
    "/p/{}/t/1": "Card",
    "/p/{}/trash": "Trash",
    "/p/{}/archive": "Archive",
    "/p/{}/settings": "Project settings",
    "/projects": "Projects",
    "/search": "Search",
    "/admin": "Administration",
    "/profile": "Profile",
    "/diagnostics": "Connection doctor",
    "/nowhere": "Nothing here",
}
# What a laptop does that slept: the clock jumps.
SLEEP = "(ms) => { const now = Date.now; Date.now = () => now() + ms; }"
TWO_MINUTES_MS = 120_000
RENDER_MANY = 15


async def open_task(sign_in: SignIn, account: Account, project: Json, task: Json, **options: Any) -> Page:
    """Open a window with a task beside the board."""
    board = await BoardWindow.of(sign_in, account, project, **options)
    await board.page.goto(f"/p/{project['id']}/t/{task['number']}")
    await expect(board.page.get_by_role("dialog")).to_be_visible()
    await board.is_live()
    return board.page


async def test_projects_come_and_go_before_ones_eyes(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """Who is added to a project finds it in the rail at once; so it goes when it is deleted, and comes back."""
    page = await sign_in(boris)
    rail = page.get_by_role("list", name="Projects")
    await expect(rail.get_by_role("link", name="Website")).to_be_visible()
    other = await anna.project("Museum", boris)
    museum = rail.get_by_role("link", name="Museum")
    await expect(museum).to_be_visible()
    await anna.call("DELETE", f"/projects/{other['id']}")
    await expect(museum).to_have_count(0)
    await anna.call("POST", f"/projects/{other['id']}/restore")
    await expect(museum).to_be_visible()


async def test_writing_is_seen_and_disturbs_nobody(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """Who edits a description sees that the other does, and keeps text, selection, focus and the very field."""
    task = await anna.task(project, "Plan", description="One two three")
    first = await open_task(sign_in, anna, project, task)
    second = await open_task(sign_in, boris, project, task)
    for page in (first, second):
        await page.get_by_role("button", name="Edit description").click()
    mine, theirs = (page.get_by_role("textbox", name="Description") for page in (first, second))
    await mine.press_sequentially(" four")
    await mine.evaluate("(field) => { field.id = 'mine'; field.setSelectionRange(4, 7); }")
    await theirs.press_sequentially("and more words than a second holds", delay=60)
    await expect(first.get_by_text("Boris is editing the description")).to_be_visible()
    await second.keyboard.press("Control+Enter")
    await boris.call("PATCH", f"/tasks/{task['id']}", json={"title": "Plan, renamed"})
    await expect(first.get_by_role("heading", name="Plan, renamed")).to_be_visible()
    await expect(mine).to_have_value("One two three four")
    state = "(field) => [field.id, document.activeElement === field, field.selectionStart, field.selectionEnd]"
    assert await mine.evaluate(state) == ["mine", True, 4, 7]


async def test_card_deleted_while_open_says_so_and_keeps_the_draft(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """The reader learns who deleted it, keeps what they were writing, and can bring the card back."""
    task = await anna.task(project, "Doomed")
    page = await open_task(sign_in, anna, project, task)
    await page.get_by_role("textbox", name="New comment").press_sequentially("Half a thought")
    await boris.call("DELETE", f"/tasks/{task['id']}")
    await expect(page.get_by_role("heading", name="Boris deleted this card")).to_be_focused()
    await expect(page.get_by_text("Half a thought")).to_be_visible()
    await page.get_by_role("button", name="Bring it back").click()
    await expect(page.get_by_role("textbox", name="New comment")).to_have_value("Half a thought")


async def test_move_of_another_glides_and_moves_nobody(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """A card moved elsewhere glides in its actor's colour; focus and scroll of who looks on stay where they are."""
    tasks = [await anna.task(project, f"Card {number}") for number in range(RENDER_MANY)]
    board = await BoardWindow.of(sign_in, anna, project, viewport={"width": 1280, "height": 500})
    page = board.page
    await page.evaluate(WATCH_POLICY)
    await page.evaluate(
        """() => {
          window.glides = [];
          const animate = Element.prototype.animate;
          Element.prototype.animate = function (frames, options) {
            window.glides.push(JSON.stringify(frames));
            return animate.call(this, frames, options);
          };
        }"""
    )
    link = board.card("Card 9").get_by_role("link")
    await link.focus()
    where = (
        "() => [...document.querySelectorAll('[data-column], .board')].map((list) => [list.scrollTop, list.scrollLeft])"
    )
    before = await page.evaluate(where)
    await boris.call("POST", f"/tasks/{tasks[9]['id']}/move", json={"status": "done"})
    await expect(board.card("Card 9", column="Done")).to_be_visible()
    await expect(board.card("Card 9").get_by_role("link")).to_be_focused()
    assert await page.evaluate(where) == before
    glides = await page.evaluate("window.glides")
    assert any("translate(" in frames for frames in glides), glides
    assert not [frames for frames in glides if "width" in frames or "height" in frames or "top" in frames]
    assert await page.evaluate("window.violations") == []


async def test_who_was_away_reads_one_line(sign_in: SignIn, anna: Account, boris: Account, project: Json) -> None:
    """After an offline spell one line sums up what others did, in Russian plural forms, and leads through the cards."""
    await anna.call("PATCH", "/users/me", json={"language": "ru"})
    tasks = [await anna.task(project, f"Card {number}") for number in range(4)]
    page = await sign_in(anna, locale="ru")
    board, tunnel = BoardWindow(page), Tunnel()
    await tunnel.dig(page.context)
    await page.goto(f"/p/{project['id']}")
    await expect(page.locator("[data-state=live]")).to_be_attached()
    await page.context.set_offline(True)
    await tunnel.enter()  # the browser's own switch leaves open sockets open
    await expect(page.locator("[data-state=live]")).to_have_count(0)
    await expect(page.get_by_text("Нет сети, изменения сохраняются на этом устройстве")).to_be_visible()
    assert await violations(page) == []
    for task in tasks[:3]:
        await boris.call("POST", f"/tasks/{task['id']}/move", json={"status": "done"})
    await boris.call("PATCH", f"/tasks/{tasks[3]['id']}", json={"assignee_ids": [anna.user["id"]]})
    for body in ("One", "Two"):
        await boris.call("POST", f"/tasks/{tasks[3]['id']}/comments", json={"body": body})
    await page.evaluate(SLEEP, TWO_MINUTES_MS)
    tunnel.leave()
    await page.context.set_offline(False)
    line = page.get_by_text("Пока вас не было:")
    await expect(line).to_have_text(
        "Пока вас не было: вам назначена 1 карточка, перемещены 3 карточки, 2 комментария", timeout=PATIENCE_MS
    )
    await expect(page.get_by_title("Изменена, пока вас не было")).to_have_count(4)
    assert await violations(page) == []
    await page.get_by_role("button", name="Показать").click()
    await expect(board.card("Card 0").get_by_role("link")).to_be_focused()
    await expect(page.get_by_title("Изменена, пока вас не было")).to_have_count(3)
    await page.get_by_role("button", name="Понятно, скрыть").click()
    await expect(line).to_have_count(0)
    await expect(page.get_by_title("Изменена, пока вас не было")).to_have_count(0)


async def test_hostile_texts_do_nothing_under_the_policy(
    site: Site, sign_in: SignIn, anna: Account, project: Json
) -> None:
    """In a real browser no hostile text runs, asks anybody else for anything, or even tries what the policy forbids."""
    texts = [text for text in HOSTILE if "\x00" not in text]
    task = await anna.task(project, "Hostile", description="\n\n".join(texts[:40]))
    for start in range(0, len(texts), RENDER_MANY):
        body = "\n\n".join(texts[start : start + RENDER_MANY])
        await anna.call("POST", f"/tasks/{task['id']}/comments", json={"body": body})
    page = await sign_in(anna)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail(f"it ran: {dialog.message}"))
    await page.add_init_script(WATCH_POLICY)
    await page.wait_for_url("**/")
    await page.goto(f"/p/{project['id']}/t/{task['number']}")
    await expect(page.locator(".markdown:not(.plain)")).to_have_count(1 + -(-len(texts) // RENDER_MANY))
    found = page.locator(".markdown").locator("script, img, iframe, style, svg, form, input, [onclick], [onerror]")
    await expect(found).to_have_count(0)
    assert await page.evaluate("window.violations") == []
    assert [url for url in requests if not url.startswith(site.url)] == []


async def test_no_page_breaks_its_policy(
    window: OpenWindow, site: Site, sign_in: SignIn, anna: Account, project: Json
) -> None:
    """No page, its motion included, asks for what the content security policy forbids, or for anything elsewhere."""
    await anna.task(project, "Card", due="2031-05-06")
    stranger = await window()
    complaints = listen(stranger)
    await stranger.add_init_script(WATCH_POLICY)
    await stranger.goto("/sign-in")
    await expect(stranger.get_by_role("button", name="Sign in")).to_be_visible()
    assert await stranger.evaluate("window.violations") == []
    # Whether somebody is signed in is asked of the server, which says no; the browser notes that as an error.
    assert [text for text in complaints if "401" not in text] == []
    page = await sign_in(anna)
    await expect(page.get_by_role("heading", level=1, name="My work")).to_be_visible()
    await page.add_init_script(WATCH_POLICY)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    complaints = listen(page)
    for path, heading in PAGES.items():
        answer = await page.goto(path.format(project["id"]))
        assert answer is not None
        assert "unsafe-inline" not in answer.headers["content-security-policy"]
        await expect(page.get_by_role("heading", name=heading).first).to_be_visible()
        assert await page.evaluate("window.violations") == [], path
        assert complaints == [], path
    assert [url for url in requests if not url.startswith((site.url, "data:", "blob:"))] == []


def listen(page: Page) -> list[str]:
    """Return a list that gathers the errors in the page's console."""
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    return errors


async def test_who_wants_to_be_unseen_is(
    window: OpenWindow, sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """What one looks at is shown on the card, until one asks not to be seen."""
    task = await anna.task(project, "Secret interest")
    board = await BoardWindow.of(sign_in, anna, project)
    other = await open_task(sign_in, boris, project, task)
    await expect(board.card("Secret interest").get_by_text("Boris has this card open")).to_be_attached()
    await other.goto("/profile")
    await other.get_by_role("switch", name="Show others which card").uncheck()
    await expect(board.card("Secret interest").get_by_text("Boris has this card open")).to_have_count(0)
    await other.goto(f"/p/{project['id']}/t/{task['number']}")
    await other.get_by_role("textbox", name="New comment").press_sequentially("unseen")
    await other.keyboard.press("Control+Enter")
    await expect(board.card("Secret interest")).to_contain_text("1 comment")  # which came after
    await expect(board.page.get_by_label("People here now")).to_be_visible()
    await expect(board.card("Secret interest").get_by_text("Boris has this card open")).to_have_count(0)
