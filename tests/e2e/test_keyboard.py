"""The board by keyboard alone, on a Latin and on a Cyrillic layout; the palette, marks, pickers and undo."""

import pytest
from playwright.async_api import Page, expect

from tests.e2e.board import BoardWindow
from tests.e2e.conftest import SignIn, browser_fixture
from tests.e2e.keyboard import Keyboard
from tests.e2e.seeing import violations
from tests.support.people import Json
from tests.support.site import Account

LAYOUTS = [pytest.param(False, id="latin"), pytest.param(True, id="cyrillic")]


@browser_fixture
async def project(anna: Account, boris: Account) -> Json:
    """A board of both with three cards and a label."""
    project = await anna.project("Website", boris)
    await anna.call("POST", f"/projects/{project['id']}/labels", json={"name": "Bug", "color": "#d73a4a"})
    for title in ("Buy the domain", "Draw a logo", "Заказать сервер"):
        await anna.task(project, title)
    return project


async def open_board(sign_in: SignIn, account: Account, project: Json) -> tuple[Page, BoardWindow]:
    """Open the board in a window of somebody's."""
    board = await BoardWindow.of(sign_in, account, project)
    return board.page, board


@pytest.mark.parametrize("cyrillic", LAYOUTS)
async def test_tour_of_a_card_needs_no_pointer(cyrillic: bool, sign_in: SignIn, anna: Account, project: Json) -> None:
    """Make a card, walk to another, assign, label, rank, date and comment it, all by key."""
    page, board = await open_board(sign_in, anna, project)
    keys = await Keyboard.of(page, cyrillic=cyrillic)
    await keys.press("C")
    await expect(board.column("To do").get_by_role("textbox")).to_be_focused()
    await page.keyboard.insert_text("Write the imprint")
    await page.keyboard.press("Enter")
    await expect(board.card("Write the imprint")).to_be_visible()
    await page.keyboard.press("Escape")

    await keys.press("J", "J")
    card = board.card("Draw a logo")
    await expect(card.get_by_role("link")).to_be_focused()
    await keys.press("I")
    await expect(card).to_contain_text("Assignees:")
    await keys.press("P")
    await page.keyboard.press("1")
    await expect(card).to_contain_text("Priority: Urgent")
    await keys.press("D")
    await page.keyboard.insert_text("завтра")
    await page.keyboard.press("Enter")
    await expect(card).to_contain_text("tomorrow")
    await keys.press("L")
    await page.keyboard.insert_text("bu")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")
    await expect(card).to_contain_text("Bug")
    await keys.press("M")
    await page.keyboard.insert_text("Two sketches are enough")
    await page.keyboard.press("Control+Enter")
    await expect(card).to_contain_text("1 comment")
    await expect(card.get_by_role("link")).to_be_focused()


@pytest.mark.parametrize("cyrillic", LAYOUTS)
async def test_tour_of_moving_needs_no_pointer(cyrillic: bool, sign_in: SignIn, anna: Account, project: Json) -> None:
    """Move on, take back, mark several and move them together, archive and take back, all by key."""
    page, board = await open_board(sign_in, anna, project)
    keys = await Keyboard.of(page, cyrillic=cyrillic)
    card = board.card("Draw a logo")
    await card.get_by_role("link").focus()
    await keys.press(">")
    await expect(board.card("Draw a logo", column="In progress")).to_be_visible()
    await expect(card.get_by_role("link")).to_be_focused()
    await keys.press("Z")
    await expect(board.card("Draw a logo", column="To do")).to_be_visible()
    assert (await board.titles("To do"))[1] == await key_of(board, "Draw a logo")

    await board.card("Buy the domain").get_by_role("link").focus()
    await keys.press("X", "J", "X", "V")
    await page.keyboard.insert_text("done")
    await page.keyboard.press("Enter")
    await expect(board.column("Done").get_by_role("listitem").get_by_role("link")).to_have_count(2)
    await expect(page.get_by_text("2 cards moved to Done").first).to_be_visible()
    await keys.press("Escape", "Z")
    await expect(board.column("To do").get_by_role("listitem").get_by_role("link")).to_have_count(3)

    await board.card("Buy the domain").get_by_role("link").focus()
    await keys.press("E")
    await expect(board.card("Buy the domain")).to_have_count(0)
    await keys.press("Ctrl+Z")
    await expect(board.card("Buy the domain")).to_be_visible()


@pytest.mark.parametrize("cyrillic", LAYOUTS)
async def test_tour_of_looking_needs_no_pointer(cyrillic: bool, sign_in: SignIn, anna: Account, project: Json) -> None:
    """Peek, walk on while peeking, open, go back, ask for the list of keys, go to another page, all by key."""
    page, board = await open_board(sign_in, anna, project)
    keys = await Keyboard.of(page, cyrillic=cyrillic)
    await board.card("Buy the domain").get_by_role("link").focus()
    await keys.press("Space")
    panel = page.get_by_role("dialog", name="Buy the domain")
    await expect(panel).to_be_visible()
    await expect(board.card("Buy the domain").get_by_role("link")).to_be_focused()
    await keys.press("J")
    await expect(page.get_by_role("dialog", name="Draw a logo")).to_be_visible()
    await keys.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await keys.press("Enter")
    await expect(page.get_by_role("dialog", name="Draw a logo")).to_be_focused()
    await keys.press("Escape")
    await expect(board.card("Draw a logo").get_by_role("link")).to_be_focused()

    await keys.press("?")
    await expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
    await keys.press("Escape", "G")
    await expect(page.get_by_text("G …")).to_be_visible()
    await keys.press("M")
    await page.wait_for_url("**/")


async def key_of(board: BoardWindow, title: str) -> str:
    """Return the key of a card."""
    return (await board.card(title).get_by_role("link").inner_text()).split("\n")[0]


async def test_palette_finds_what_was_typed_in_the_wrong_layout(sign_in: SignIn, anna: Account, project: Json) -> None:
    """A task is found by «дщпщ» and by "pfrfpfnm", and what was chosen is offered first the next time."""
    page, _ = await open_board(sign_in, anna, project)
    await page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search and commands")
    await expect(field).to_be_focused()
    await field.fill("pfrfpfnm cth")
    await expect(page.get_by_role("option", name="Заказать сервер")).to_be_visible()
    await field.fill("дщпщ")
    await expect(page.get_by_role("option", name="Draw a logo")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Draw a logo")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("group", name="Recent").get_by_role("option").first).to_contain_text("Draw a logo")
    await field.fill("shortcuts")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()


async def test_undo_does_not_overwrite_a_teammate(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """A field that Boris has changed since keeps his value; Anna is told, and may insist."""
    page, board = await open_board(sign_in, anna, project)
    other, theirs = await open_board(sign_in, boris, project)
    await board.card("Draw a logo").get_by_role("link").focus()
    await page.keyboard.press("p")
    await page.keyboard.press("2")
    await expect(theirs.card("Draw a logo")).to_contain_text("Priority: High")
    await theirs.card("Draw a logo").get_by_role("link").focus()
    await other.keyboard.press("p")
    await other.keyboard.press("4")
    await expect(board.card("Draw a logo")).to_contain_text("Priority: Low")
    await page.keyboard.press("z")
    await expect(page.get_by_text("changed by somebody else since")).to_be_visible()
    await expect(board.card("Draw a logo")).to_contain_text("Priority: Low")
    await page.get_by_role("button", name="Undo anyway").click()
    await expect(theirs.card("Draw a logo")).not_to_contain_text("Priority")


async def test_undo_of_a_move_finds_the_old_neighbours(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """The message of a move takes it back to between its neighbours, whatever Boris made of the column since."""
    page, board = await open_board(sign_in, anna, project)
    other, theirs = await open_board(sign_in, boris, project)
    await board.move_card("Draw a logo", "Done")
    await expect(theirs.card("Draw a logo", column="Done")).to_be_visible()
    await theirs.card("Заказать сервер").get_by_role("link").focus()
    await other.keyboard.press("Shift+ArrowUp")
    await expect(board.column("To do").get_by_role("listitem").first).to_contain_text("Заказать сервер")
    await page.get_by_role("button", name="Undo", exact=True).click()
    await expect(theirs.column("To do").get_by_role("listitem").first).to_contain_text("Draw a logo")
    await page.keyboard.press("Control+Shift+z")
    await expect(theirs.card("Draw a logo", column="Done")).to_be_visible()


async def test_keys_in_a_field_are_text(sign_in: SignIn, anna: Account, project: Json) -> None:
    """No letter pressed in a field does anything but stand there."""
    page, board = await open_board(sign_in, anna, project)
    await page.keyboard.press("c")
    field = board.column("To do").get_by_role("textbox")
    await expect(field).to_be_focused()
    await page.keyboard.type("cxzepqgm?/<>")
    await expect(field).to_have_value("cxzepqgm?/<>")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert await board.column("To do").get_by_role("listitem").get_by_role("link").count() == 3


async def test_letters_can_be_turned_off(sign_in: SignIn, anna: Account, project: Json) -> None:
    """With single letters off C does nothing, and Ctrl+K still opens the palette."""
    page, board = await open_board(sign_in, anna, project)
    await page.keyboard.press("?")
    await page.get_by_label("Shortcuts of single letters").uncheck()
    await page.keyboard.press("Escape")
    await page.keyboard.press("c")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name="Search and commands")).to_be_focused()
    await expect(board.column("To do").get_by_role("textbox")).to_have_count(0)
    await page.keyboard.press("Escape")
    await page.reload()
    await board.is_live()
    await page.keyboard.press("c")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name="Search and commands")).to_be_focused()
    await expect(board.column("To do").get_by_role("textbox")).to_have_count(0)


async def test_clicks_mark_cards(sign_in: SignIn, anna: Account, project: Json) -> None:
    """Ctrl+click marks one card, Shift+click all up to another, and nothing is opened."""
    page, board = await open_board(sign_in, anna, project)
    await board.card("Buy the domain").get_by_role("link").click(modifiers=["Control"])
    await board.card("Заказать сервер").get_by_role("link").click(modifiers=["Shift"])
    bar = page.get_by_role("region", name="Selected cards")
    await expect(bar).to_contain_text("3 selected")
    await bar.get_by_role("button", name="Priority").click()
    await page.get_by_role("option", name="High").click()
    for title in ("Buy the domain", "Draw a logo", "Заказать сервер"):
        await expect(board.card(title)).to_contain_text("Priority: High")
    await bar.get_by_role("button", name="Move to trash").click()
    await expect(board.column("To do").get_by_role("listitem").get_by_role("link")).to_have_count(0)
    await expect(bar).to_have_count(0)
    await page.get_by_role("button", name="Undo", exact=True).click()
    await expect(board.column("To do").get_by_role("listitem").get_by_role("link")).to_have_count(3)
    assert len(page.context.pages) == 1


async def test_line_of_a_new_card_says_more_than_its_title(sign_in: SignIn, anna: Account, project: Json) -> None:
    """People, labels, priority, column and date are completed and shown as chips; a chip taken away is text again."""
    page, board = await open_board(sign_in, anna, project)
    await page.keyboard.press("c")
    field = board.column("To do").get_by_role("textbox")
    await field.press_sequentially("Pay Boris the rent tomorrow #b")
    await expect(page.get_by_role("option", name="Bug")).to_be_visible()
    await field.press("Enter")
    await field.press_sequentially("!high ^in progress @me")
    chips = board.column("To do").get_by_role("list", name="Read from the text")
    await expect(chips.get_by_role("listitem")).to_have_count(5)
    assert await violations(page) == []
    await chips.get_by_role("button", name="tomorrow").click()
    await expect(chips.get_by_role("listitem")).to_have_count(4)
    await field.press("Enter")
    card = board.card("Pay Boris the rent tomorrow", column="In progress")
    await expect(card).to_contain_text("Priority: High")
    await expect(card).to_contain_text("Bug")
    await expect(card).to_contain_text("Assignees:")
    await expect(field).to_be_focused()
    await expect(field).to_have_value("")


async def test_layers_break_no_accessibility_rule(sign_in: SignIn, anna: Account, project: Json) -> None:
    """Axe finds nothing in the palette, the pickers, the list of keys and the bar of marked cards."""
    page = (await BoardWindow.of(sign_in, anna, project)).page
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await expect(page.get_by_role("region", name="Selected cards")).to_be_visible()
    assert await violations(page) == []
    for key in ("a", "l", "p", "d", "m", "v"):
        await page.keyboard.press(key)
        await expect(page.locator("[data-own-keys]")).to_be_visible()
        assert await violations(page) == []
        await page.keyboard.press("Escape")
        await expect(page.locator("[data-own-keys]")).to_have_count(0)
    await page.keyboard.press("Control+k")
    await page.get_by_role("combobox").fill("a")
    await expect(page.get_by_role("option").first).to_be_visible()
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
    assert await violations(page) == []
