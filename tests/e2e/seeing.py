"""What a page looks like once it stands still, and what axe has against it."""

from pathlib import Path
from typing import Final, Literal

from playwright.async_api import Page

AXE: Final = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
RULES: Final = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
CONTRAST: Final = {"type": "rule", "values": ["color-contrast"]}
RUN: Final = """async (runOnly) => (await axe.run(document, { runOnly, resultTypes: ['violations'] })).violations
    .flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.target} ${node.failureSummary}`))"""
# What turns as long as something is under way is left to turn.
STILL: Final = """() => {
  const playing = document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime !== Infinity);
  return Promise.allSettled(playing.map((one) => one.finished));
}"""


async def stands_still(page: Page) -> None:
    """Wait until nothing fades or moves any more."""
    await page.evaluate(STILL)


async def violations(page: Page) -> list[str]:
    """Return what axe has against the page in the light theme and in the dark one, which differ in their colours."""
    await stands_still(page)
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text())  # a script tag would break the page's content security policy
    found: list[str] = await page.evaluate(RUN, RULES)
    await _change_theme(page, "dark")
    found += [f"dark: {violation}" for violation in await page.evaluate(RUN, CONTRAST)]
    await _change_theme(page, "light")
    return found


async def _change_theme(page: Page, theme: Literal["light", "dark"]) -> None:
    await page.emulate_media(color_scheme=theme)
    await stands_still(page)
