"""How quick the page is in a real Chromium: `.venv/bin/python -m benchmarks.page`, after `./dev build`.

A server of its own holds a board of 500 cards and one of 5,000. New windows open them with nothing on the device; one
window opens them again, drags a card over them, changes, catches up, and looks into list and search, at full speed and
with the CPU slowed down four times. A second person makes changes beside it. The table sets each figure beside its
budget; nothing fails for being slow, since that depends on the machine.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, BrowserContext, Page

from benchmarks.basics import script_kib
from tests.support.browser import browsing, sign_in
from tests.support.bulk import fill_board
from tests.support.people import PASSWORD, Json
from tests.support.proxy import Proxy
from tests.support.site import Account, Site

REPEATS: Final = 5
OWN_CHANGES: Final = 15
SMALL: Final = 500
LARGE: Final = 5_000
MISSED: Final = 1_000
SLOWED: Final = 4
DRAG_STEPS: Final = 120
AT_ONCE: Final = 20
LIMITS_OFF: Final = {"TIMETODO_AUTH_ATTEMPTS_PER_MINUTE": "1000000"}
# When the first card was there, by the page's own clock: 0 is the start of the navigation, `data` the board's arrival.
# It says so itself: whoever asked for it would put a script of their own into the page, which takes a while.
WATCH: Final = """
  new MutationObserver((_, observer) => {
    if (!document.querySelector('[data-card], [data-row]')) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => {
      window.firstCards = performance.now();
      console.debug('first cards');
    }));
  }).observe(document, { childList: true, subtree: true });
"""
# When the first message of the log came after `awaited` was set.
LISTEN: Final = """
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({ data }) => {
        const first = window.awaited && !window.firstMissed && String(data).includes('"seq"');
        if (first) window.firstMissed = performance.now();
      });
    }
  };
"""
OPENED: Final = """() => {
  const board = performance.getEntriesByType('resource').findLast((entry) => entry.name.endsWith('/board'));
  return { shown: window.firstCards, data: board ? board.responseEnd : null };
}"""
# Where the connection came back late, the board was read anew instead.
CAUGHT_UP: Final = """() => {
  const read = performance.getEntriesByType('resource').findLast((entry) => entry.name.endsWith('/board'));
  return performance.now() - (window.firstMissed ?? read.responseStart);
}"""
SIGNED_IN: Final = "localStorage.setItem('timetodo.signed-in', '');"
FRAMES: Final = """() => {
  window.frames = []; let last = performance.now();
  const tick = (now) => { window.frames.push(now - last); last = now; window.ticking = requestAnimationFrame(tick); };
  window.ticking = requestAnimationFrame(tick);
}"""
# From the key to a layout that can be painted. A timer would be held up by the browser.
OWN_CHANGE: Final = """() => new Promise((done) => {
  const link = document.querySelector('[data-card] a'); link.focus();
  const id = link.closest('[data-card]').dataset.card;
  const column = link.closest('[data-column]').dataset.column;
  const begun = performance.now();
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    const now = document.querySelector(`[data-card="${id}"]`);
    if (!now || now.closest('[data-column]').dataset.column === column) return port2.postMessage(null);
    now.getBoundingClientRect();
    done(performance.now() - begun);
  };
  const key = { key: 'ArrowRight', code: 'ArrowRight', shiftKey: true, bubbles: true, cancelable: true };
  link.dispatchEvent(new KeyboardEvent('keydown', key));
  port2.postMessage(null);
})"""


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    value: float
    unit: str
    budget: float
    least: bool = False
    """The budget is what it must reach, not what it must stay below."""

    def line(self) -> str:
        """Return it as a row of Markdown."""
        kept = self.value >= self.budget if self.least else self.value <= self.budget
        sign = "≥" if self.least else "≤"
        cells = (
            self.name,
            f"{self.value:.1f} {self.unit}",
            f"{sign} {self.budget:g} {self.unit}",
            "yes" if kept else "no",
        )
        return f"| {' | '.join(cells)} |"


class Stage:
    """The server, its two people and its two boards."""

    def __init__(self, proxy: Proxy, people: tuple[Account, Account], boards: tuple[Json, Json]) -> None:
        self.proxy = proxy
        self.anna, self.boris = people
        self.small, self.large = boards


async def main() -> None:
    """Measure everything and print the table."""
    proxy = Proxy()
    await proxy.start()
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder) / "data", TIMETODO_PUBLIC_URL=f"http://127.0.0.1:{proxy.port}", **LIMITS_OFF)
        proxy.lead_to(site.port)
        await site.start()
        try:
            figures = await measure(await prepare(site, proxy))
        finally:
            site.stop()
            await proxy.stop()
    figures.append(Figure("JavaScript in all, gzipped", script_kib(), "KiB", 200))
    print("| what | measured | budget | kept |\n|---|---|---|---|")
    print("\n".join(figure.line() for figure in figures))


async def prepare(site: Site, proxy: Proxy) -> Stage:
    """Make the people and the boards."""
    anna, boris = await site.account("Anna"), await site.account("Boris")
    small, large = await anna.project("Small", boris), await anna.project("Large", boris)
    await fill_board(site, anna, small, SMALL)
    await fill_board(site, anna, large, LARGE)
    return Stage(proxy, (anna, boris), (small, large))


async def measure(stage: Stage) -> list[Figure]:
    """Measure in one browser, at full speed and slowed down."""
    figures: list[Figure] = []
    async with browsing() as browser:
        for slowed in (1, SLOWED):
            suffix = "" if slowed == 1 else f", CPU / {slowed}"
            found = await first_openings(browser, stage, slowed)
            page = await window(browser, stage, slowed)
            found += await opening(page, stage)
            found += await dragging(page)
            found += await changing(page, stage)
            found += await looking(page, stage)
            found.append(await catching_up(page, stage))
            await page.context.close()
            figures += [replace(figure, name=figure.name + suffix) for figure in found]
    return figures


async def new_context(browser: Browser, stage: Stage) -> BrowserContext:
    """Return a browser that has never been here."""
    base_url = f"http://127.0.0.1:{stage.proxy.port}"
    return await browser.new_context(base_url=base_url, locale="en", viewport={"width": 1280, "height": 800})


async def slow_down(page: Page, slowed: int) -> None:
    """Make its CPU that many times slower, and watch what it shows."""
    session = await page.context.new_cdp_session(page)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    await page.add_init_script(WATCH + LISTEN)


async def first_openings(browser: Browser, stage: Stage, slowed: int) -> list[Figure]:
    """Open both boards for the first time ever: no script, no copy of a board is on the device."""
    figures = []
    for project, count, budget in ((stage.small, SMALL, 1_000), (stage.large, LARGE, 1_500)):
        times = []
        for _ in range(REPEATS):
            context = await new_context(browser, stage)
            login = {"email": stage.anna.user["email"], "password": PASSWORD, "use_cookie": True}
            await context.request.post("/api/v1/auth/login", data=login)
            page = await context.new_page()
            await page.add_init_script(SIGNED_IN)
            await slow_down(page, slowed)
            times.append((await opened(page, project))["shown"])
            await context.close()
        figures.append(Figure(f"{count} cards, opened for the first time", median(times), "ms", budget))
    return figures


async def window(browser: Browser, stage: Stage, slowed: int) -> Page:
    """Sign in, in a window whose CPU is that many times slower."""
    context = await new_context(browser, stage)
    page = await context.new_page()
    await sign_in(page, stage.anna)
    await page.get_by_role("link", name="Large").first.wait_for()
    await slow_down(page, slowed)
    return page


async def opening(page: Page, stage: Stage) -> list[Figure]:
    """Open both boards, as by a reload: until the first cards are painted, and from the data to that."""
    small = [await opened(page, stage.small) for _ in range(REPEATS)]
    large = [await opened(page, stage.large) for _ in range(REPEATS)]
    usable = [times["shown"] - times["data"] if times["data"] else times["shown"] for times in large]
    return [
        Figure(f"{SMALL} cards, first paint", median(times["shown"] for times in small), "ms", 1_000),
        Figure(f"{LARGE} cards, from opening to usable", median(times["shown"] for times in large), "ms", 1_500),
        Figure(f"{LARGE} cards, usable after the data", median(usable), "ms", 1_500),
    ]


async def opened(page: Page, project: Json, view: str = "") -> dict[str, Any]:
    """Open a board, or another view of it, anew; return its times in milliseconds."""
    async with page.expect_console_message(lambda message: message.text == "first cards"):
        await page.goto(f"/p/{project['id']}{view}", wait_until="commit")
    times: dict[str, Any] = await page.evaluate(OPENED)
    return times


async def looking(page: Page, stage: Stage) -> list[Figure]:
    """Open the large project as a list, and search in it."""
    rows = [(await opened(page, stage.large, "/list"))["shown"] for _ in range(REPEATS)]
    found = []
    for number in range(REPEATS):
        await page.goto("/search")
        field = page.get_by_role("searchbox").first
        await field.wait_for()
        begun = time.perf_counter()
        # All of them are found, by the word that the copies share: the worst there is.
        await field.fill("Write"[: len("Write") - number % 3])
        await page.locator("[data-card]").first.wait_for()
        found.append((time.perf_counter() - begun) * 1000)
    return [
        Figure(f"{LARGE} cards as a list, from opening to usable", median(rows), "ms", 1_500),
        Figure(f"search in {LARGE} cards, from the last key", median(found), "ms", 1_000),
    ]


async def dragging(page: Page) -> list[Figure]:
    """Drag a card of the large board to and fro; count the frames."""
    card = await page.locator("[data-card]").nth(2).bounding_box()
    assert card is not None
    x, y = card["x"] + 80, card["y"] + 20
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 20, y + 10, steps=3)
    await page.evaluate(FRAMES)
    for step in range(DRAG_STEPS):
        await page.mouse.move(x + (step * 9) % 640, y + 40 + (step * 13) % 420)
        await asyncio.sleep(1 / 60)
    frames: list[float] = await page.evaluate(
        "() => { cancelAnimationFrame(window.ticking); return window.frames.slice(1); }"
    )
    await page.keyboard.press("Escape")
    await page.mouse.up()
    frames.sort()
    # The screen draws 60; the edges of the time that is counted make that a little less.
    a_second = round(1000 * len(frames) / sum(frames))
    return [
        Figure(f"drag with {LARGE} cards, frames a second", a_second, "fps", 60, least=True),
        Figure(f"drag with {LARGE} cards, 95th percentile of frames", frames[int(len(frames) * 0.95)], "ms", 17),
    ]


async def changing(page: Page, stage: Stage) -> list[Figure]:
    """Move a card by key, and let the other person move one, on the large board."""
    await opened(page, stage.large)
    await page.get_by_role("status").filter(has_text="Live").first.wait_for(state="attached")
    own = []
    for _ in range(OWN_CHANGES):
        await page.locator("[aria-busy=true]").first.wait_for(state="detached")
        await page.evaluate("() => new Promise(requestIdleCallback)")  # what is beyond the edge is drawn by then
        own.append(await page.evaluate(OWN_CHANGE))
    other = [await timed(lambda number=number: seen(page, stage, number)) for number in range(REPEATS)]  # type: ignore[misc]
    return [
        Figure("own change on the screen", median(own), "ms", 16),
        Figure("change of another person on the screen", median(other), "ms", 150),
    ]


async def seen(page: Page, stage: Stage, number: int) -> None:
    """Let the other person write a card at the top of the first column, and wait for it."""
    first = await page.locator("[data-card]").first.get_attribute("data-card")
    title = f"From Boris {number}"
    arrived = asyncio.ensure_future(
        page.wait_for_function("(text) => document.body.innerText.includes(text)", arg=title)
    )
    await stage.boris.task(stage.large, title, before_id=first)
    await arrived


async def catching_up(page: Page, stage: Stage) -> Figure:
    """Cut the window off, make changes, and let it come back: from the first that arrives to all on the screen."""
    await opened(page, stage.small)
    await page.get_by_role("status").filter(has_text="Live").first.wait_for(state="attached")
    stage.proxy.cut()
    await page.get_by_text("Reconnecting").first.wait_for(state="attached")
    for begin in range(0, MISSED, AT_ONCE):
        await asyncio.gather(*(stage.boris.task(stage.small, f"Missed {begin + n}") for n in range(AT_ONCE)))
    await page.evaluate("() => { window.awaited = true; }")
    stage.proxy.mend()
    count = (
        await page.locator("[data-column]").first.get_by_role("listitem").first.get_attribute("aria-setsize")
    ) or "0"
    await page.wait_for_function(
        "(count) => document.querySelector('[data-card]')?.ariaSetSize === count",
        arg=str(int(count) + MISSED),
        timeout=60_000,
    )
    taken: float = await page.evaluate(CAUGHT_UP)
    return Figure(f"catching up with {MISSED} changes", taken, "ms", 500)


async def timed(action: Callable[[], Awaitable[None]]) -> float:
    """Return how long it took in milliseconds."""
    begun = time.perf_counter()
    await action()
    return (time.perf_counter() - begun) * 1000


def median(values: Any) -> float:
    """Return the median of some times."""
    return float(statistics.median(values))


if __name__ == "__main__":
    asyncio.run(main())
