"""The board as a person uses it: what they press, and what they see."""

from typing import Any, Final, Self

from playwright.async_api import Locator, Page, expect

from tests.e2e.conftest import SignIn
from tests.support.people import Json
from tests.support.site import Account

PATIENCE_MS: Final = 40_000
"""A window that was cut off tries again after at most half a minute."""


class BoardWindow:
    """One window that shows a project's board."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    async def of(cls, sign_in: SignIn, account: Account, project: Json, **options: Any) -> Self:
        """Open a window of somebody's at once on the board, and wait until it is live."""
        window = cls(await sign_in(account, f"/p/{project['id']}", **options))
        await window.is_live()
        return window

    async def open(self, project: Json) -> None:
        """Go to the board and wait until it is live."""
        await self.page.goto(f"/p/{project['id']}")
        await self.is_live()

    async def is_live(self) -> None:
        """Wait until the connection dot says so."""
        dot = self.page.get_by_role("status").filter(has_text="Live").first
        await expect(dot).to_be_attached(timeout=PATIENCE_MS)

    def column(self, name: str) -> Locator:
        """Return a column."""
        return self.page.get_by_role("region", name=name, exact=True)

    def card(self, title: str, *, column: str | None = None) -> Locator:
        """Return a card, anywhere or in one column."""
        place = self.column(column) if column else self.page.get_by_role("main")
        return place.get_by_role("listitem").filter(has_text=title)

    async def titles(self, column: str) -> list[str]:
        """Return the keys of the cards of a column from top to bottom."""
        links = self.column(column).get_by_role("listitem").get_by_role("link")
        return [text.split("\n")[0] for text in await links.all_inner_texts()]

    async def add_card(self, column: str, title: str) -> None:
        """Write a new card."""
        await self.column(column).get_by_role("button", name="Add a card", exact=True).click()
        field = self.column(column).get_by_role("textbox")
        await field.fill(title)
        await field.press("Enter")
        await field.press("Escape")

    async def move_card(self, title: str, to: str) -> None:
        """Move a card by its menu."""
        card = self.card(title)
        await card.hover()
        await card.get_by_role("button", name="Actions for").click()
        await self.page.get_by_role("menuitemradio", name=to).click()

    async def drag_card(self, title: str, to: str) -> None:
        """Drag a card into another column with the mouse."""
        start = await box(self.card(title))
        end = await box(self.column(to))
        mouse = self.page.mouse
        await mouse.move(start["x"] + start["width"] / 2, start["y"] + 15)
        await mouse.down()
        await mouse.move(start["x"] + start["width"] / 2 + 12, start["y"] + 25, steps=4)
        await mouse.move(end["x"] + end["width"] / 2, end["y"] + 80, steps=12)
        await mouse.up()


async def box(locator: Locator) -> Any:
    """Return where something is on the screen."""
    found = await locator.bounding_box()
    assert found is not None
    return found
