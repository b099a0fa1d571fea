"""Settings, profile, administration and diagnostics, as those who run a project or a server use them."""

import re

from playwright.async_api import Page, expect

from tests.e2e.board import BoardWindow
from tests.e2e.conftest import OpenWindow, SignIn
from tests.e2e.seeing import violations
from tests.support.people import Json
from tests.support.realtime import eventually_found
from tests.support.site import Account, Site

TABS = ["General", "Members", "Columns", "Labels", "Saved views"]


async def settings(page: Page, project: Json, tab: str) -> None:
    """Go to a tab of the project's settings."""
    await page.get_by_role("link", name="Website").first.wait_for()
    await page.goto(f"/p/{project['id']}/settings")
    await page.get_by_role("tab", name=tab).click()


async def test_titles_are_kept_out_of_pushes(sign_in: SignIn, anna: Account, project: Json) -> None:
    """By a box in the project's form, which shows how it stands when one comes back."""
    page = await sign_in(anna)
    await settings(page, project, "General")
    box = page.get_by_label("Keep titles out of pushes")
    await box.check()
    async with page.expect_response(lambda answer: answer.request.method == "PATCH" and answer.ok):
        await page.get_by_role("button", name="Save", exact=True).click()
    await page.reload()
    await expect(box).to_be_checked()


async def test_renamed_column_shows_in_another_window(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """A column renamed and moved in the settings is so on a colleague's board, without a reload."""
    board = await BoardWindow.of(sign_in, boris, project)
    page = await sign_in(anna)
    await settings(page, project, "Columns")
    await page.get_by_role("button", name="Edit “In progress”").click()
    name = page.get_by_role("dialog").get_by_label("Name")
    await name.fill("Under way")
    await name.press("Enter")
    await expect(board.column("Under way")).to_be_visible()
    await page.get_by_role("button", name=re.compile("^Under way, 2 of 3")).press("ArrowUp")
    await expect(page.get_by_role("button", name=re.compile("^Under way, 1 of 3"))).to_be_focused()
    await expect(board.page.get_by_role("main").get_by_role("region").first).to_have_accessible_name("Under way")


async def test_deleted_project_is_taken_back(sign_in: SignIn, anna: Account, project: Json) -> None:
    """At once from the message that says so, or later from the list of projects."""
    page = await sign_in(anna)
    for later in (False, True):
        await settings(page, project, "General")
        await page.get_by_role("button", name="Delete project").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("textbox").fill(project["key"])
        await dialog.get_by_role("button", name="Delete project").click()
        undo = page.get_by_role("button", name="Undo")
        if later:
            await undo.wait_for()
            await page.goto("/projects")
            await expect(page.get_by_role("heading", name="Deleted projects")).to_be_visible()
            await page.get_by_role("button", name="Restore Website").click()
        else:
            await undo.click()
        await expect(page).to_have_url(re.compile(f"/p/{project['id']}$"))
        await expect(page.get_by_role("region", name="To do")).to_be_visible()


async def test_column_is_dragged_by_its_handle(sign_in: SignIn, anna: Account, project: Json) -> None:
    """A column dragged to the top of the list stands there, for everybody."""
    page = await sign_in(anna)
    await settings(page, project, "Columns")
    handle = page.get_by_role("button", name=re.compile("^Done, 3 of 3"))
    top = await page.get_by_role("button", name=re.compile("^To do, 1 of 3")).bounding_box()
    start = await handle.bounding_box()
    assert start is not None
    assert top is not None
    await page.mouse.move(start["x"] + 10, start["y"] + 10)
    await page.mouse.down()
    await page.mouse.move(top["x"] + 10, top["y"] + 2, steps=8)
    await page.mouse.up()
    await expect(page.get_by_role("button", name=re.compile("^Done, 1 of 3"))).to_be_visible()
    await eventually_found(
        lambda: anna.call("GET", f"/projects/{project['id']}/board"),
        lambda board: board["columns"][0]["name"] == "Done",
    )


async def test_changed_role_counts_at_once(sign_in: SignIn, anna: Account, boris: Account, project: Json) -> None:
    """Who is made a viewer while they look at the board can no longer add a card."""
    board = await BoardWindow.of(sign_in, boris, project)
    await expect(board.page.get_by_role("button", name="Add a card").first).to_be_visible()
    page = await sign_in(anna)
    await settings(page, project, "Members")
    await page.get_by_label("Role of Boris").select_option("viewer")
    await expect(board.page.get_by_role("button", name="Add a card")).to_have_count(0)


async def test_deactivated_user_is_shown_out(sign_in: SignIn, anna: Account, boris: Account, project: Json) -> None:
    """An administrator deactivates somebody who looks at a board: their window asks to sign in, and they cannot."""
    board = await BoardWindow.of(sign_in, boris, project)
    page = await sign_in(anna)
    await page.get_by_role("link", name="Website").first.wait_for()
    await page.goto("/admin")
    await page.get_by_label("Find people").fill("bor")
    await expect(page.get_by_role("list", name="People").get_by_role("listitem")).to_have_count(1)
    await page.get_by_role("button", name="Actions for Boris").click()
    await page.get_by_role("menuitem", name="Deactivate").click()
    await page.get_by_role("dialog").get_by_role("button", name="Deactivate").click()
    await expect(page.get_by_text("Deactivated")).to_be_visible()
    password = board.page.get_by_role("dialog").get_by_label("Password")
    await expect(password).to_be_visible()
    await password.fill("correct horse battery")
    await password.press("Enter")
    await expect(board.page.get_by_role("dialog").get_by_role("alert")).to_be_visible()


async def test_administration_shows_the_server_live(sign_in: SignIn, anna: Account, project: Json) -> None:
    """The chart moves while somebody looks, and the server's health says what works; others are turned away."""
    del project
    page = await sign_in(anna)
    await page.get_by_role("link", name="Website").first.wait_for()
    await page.goto("/admin?tab=live")
    await expect(page.get_by_role("img", name=re.compile(r"^Connections: now \d"))).to_be_visible()
    await expect(page.get_by_role("img", name=re.compile(r"^Events delivered per second: now"))).to_be_visible()
    await page.get_by_role("tab", name="Health").click()
    await expect(page.get_by_text("Works and is ready.")).to_be_visible()
    await expect(page.get_by_text("None is known.", exact=False)).to_be_visible()


async def test_administration_is_closed_to_others(
    sign_in: SignIn, anna: Account, boris: Account, project: Json
) -> None:
    """Who is no administrator is told so, and gets no list of people."""
    del anna, project
    page = await sign_in(boris)
    await page.get_by_role("link", name="Website").first.wait_for()
    await page.goto("/admin")
    await expect(page.get_by_role("heading", name="This is not for you")).to_be_visible()
    await expect(page.get_by_label("Find people")).to_have_count(0)


async def test_theme_and_density_stay(sign_in: SignIn, anna: Account, project: Json) -> None:
    """A chosen theme and density show at once, after a reload, and in another window of the same browser."""
    del project
    page = await sign_in(anna, color_scheme="light")
    await page.get_by_role("link", name="Website").first.wait_for()
    other = await page.context.new_page()
    await other.goto("/")
    await page.goto("/profile")
    await page.get_by_text("Dark", exact=True).click()
    await page.get_by_text("Compact", exact=True).click()
    for window in (page, other):
        await expect(window.locator("html")).to_have_attribute("data-theme", "dark")
        await expect(window.locator("html")).to_have_attribute("data-density", "compact")
    await page.reload()
    await expect(page.get_by_label("Dark")).to_be_checked()
    await expect(page.locator("body")).to_have_css("background-color", "rgb(18, 20, 25)")


async def test_sessions_end_everywhere(sign_in: SignIn, anna: Account, project: Json) -> None:
    """Signing out everywhere ends this session and the one on another computer."""
    del project
    elsewhere, page = await sign_in(anna), await sign_in(anna)
    for window in (elsewhere, page):
        await window.get_by_role("link", name="Website").first.wait_for()
    await page.goto("/profile")
    await expect(page.get_by_text("this device", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Sign out everywhere").click()
    await page.get_by_role("dialog").get_by_role("button", name="Sign out everywhere").click()
    await expect(page.locator("input[type=email]")).to_be_visible()
    await elsewhere.reload()
    await expect(elsewhere.locator("input[type=email]")).to_be_visible()


async def test_doctor_finds_a_healthy_server_well(site: Site, window: OpenWindow) -> None:
    """On a healthy server every check passes, the quiet connection too; the report can be copied."""
    site.stop()
    quick = Site(site.data_dir, TIMETODO_WS_HEARTBEAT_S="1")
    await quick.start()
    try:
        page = await window(base_url=quick.url, permissions=["clipboard-read", "clipboard-write", "notifications"])
        await page.goto("/diagnostics")
        await expect(page.get_by_text("All is well.")).to_be_visible(timeout=40_000)
        await page.get_by_role("button", name="Copy").click()
        report = await page.evaluate("navigator.clipboard.readText()")
        assert report.count("[ok]") == 8, report
    finally:
        quick.stop()


async def test_doctor_says_that_the_server_is_gone(site: Site, window: OpenWindow) -> None:
    """With the server away the doctor names what does not work, and what to look at."""
    page = await window()
    await page.goto("/diagnostics")
    await expect(page.get_by_role("listitem").filter(has_text="It opens.")).to_be_visible()
    site.kill()
    await expect(page.get_by_text("Something in between cut it after", exact=False)).to_be_visible()


async def test_pages_of_settings_break_no_accessibility_rules(sign_in: SignIn, anna: Account, project: Json) -> None:
    """Axe finds nothing against WCAG 2.2 AA on any tab of any of these pages, in either theme."""
    await anna.call("POST", f"/projects/{project['id']}/labels", json={"name": "Bug", "color": "#d73a4a"})
    await anna.call("POST", f"/projects/{project['id']}/views", json={"name": "Mine", "query": "assignee=me"})
    page = await sign_in(anna)
    await settings(page, project, "General")
    for tab in TABS:
        await page.get_by_role("tab", name=tab).click()
        await expect(page.get_by_role("tabpanel", name=tab)).to_be_visible()
        assert await violations(page) == [], tab
    await page.goto("/admin")
    for tab, shown in (("People", "Anna"), ("Live", "Open boards"), ("Health", "Data directory")):
        await page.get_by_role("tab", name=tab).click()
        await expect(page.get_by_role("tabpanel").get_by_text(shown).first).to_be_visible()
        assert await violations(page) == [], tab
    await page.goto("/diagnostics")
    await expect(page.get_by_role("listitem").filter(has_text="It opens.")).to_be_visible()
    assert await violations(page) == []
    await page.goto("/profile")
    await expect(page.get_by_text("this device", exact=True)).to_be_visible()
    assert await violations(page) == []
