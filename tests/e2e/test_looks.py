"""The main states look as they did when somebody last looked at them and found them good.

The references in `looks/` are a quarter of the size, so that another machine's smoothing of letters does not count.
After a change that is meant: `TIMETODO_NEW_LOOKS=1 ./dev test tests/e2e/test_looks.py`, and look at what git shows.
"""

import base64
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import SignIn, browser_fixture
from tests.support.people import Json
from tests.support.site import Account, Site

LOOKS: Final = Path(__file__).parent / "looks"
SEEN: Final = Path(__file__).parents[2] / ".cache" / "looks"
"""Where a picture goes that is not as it should be."""
MOST_DIFFERENT: Final = 0.01
"""Share of the pixels that may differ: a changed word, not a changed place. A board without cards differs in 0.017."""
DESK: Final[Json] = {"viewport": {"width": 1280, "height": 800}}
PHONE: Final[Json] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DARK: Final[Json] = DESK | {"color_scheme": "dark"}
RUSSIAN: Final[Json] = DESK | {"locale": "ru"}
PLAIN: Final = "Plain"
MINE: Final = "Написать тексты для страницы «О музее»"
COMMENT: Final = "Looks good to me"
STATES: Final[dict[str, tuple[Json, dict[str, tuple[str, str]]]]] = {
    "desk": (
        DESK,
        {
            "board": ("/p/{project}", PLAIN),
            "task": ("/p/{project}/t/2", COMMENT),
            "list": ("/p/{project}/list", PLAIN),
            "my-work": ("/", MINE),
        },
    ),
    "dark": (
        DARK,
        {
            "board-dark": ("/p/{project}", PLAIN),
            "settings-dark": ("/p/{project}/settings", "Keep titles out of pushes"),
        },
    ),
    "russian": (RUSSIAN, {"board-ru": ("/p/{project}", PLAIN), "task-ru": ("/p/{project}/t/2", COMMENT)}),
    "phone": (PHONE, {"board-phone": ("/p/{project}", PLAIN), "task-phone": ("/p/{project}/t/2", COMMENT)}),
}
"""Name of a picture → address, and a text that is there once what was asked for is drawn."""
# Both pictures are drawn at a quarter of the size; the answer is the share of pixels in which they differ.
COMPARE: Final = """async ([seen, wanted]) => {
    const draw = async (png, size) => {
        const picture = await createImageBitmap(await (await fetch('data:image/png;base64,' + png)).blob());
        const [width, height] = size ?? [Math.round(picture.width / 4), Math.round(picture.height / 4)];
        const canvas = new OffscreenCanvas(width, height);
        const context = canvas.getContext('2d', { willReadFrequently: true });
        context.imageSmoothingQuality = 'high';
        context.drawImage(picture, 0, 0, width, height);
        return { canvas, size: [width, height], data: context.getImageData(0, 0, width, height).data };
    };
    const small = await draw(seen);
    const bytes = new Uint8Array(await (await small.canvas.convertToBlob({ type: 'image/png' })).arrayBuffer());
    const png = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    if (wanted === null) return { png, share: 1 };
    const reference = await draw(wanted, small.size);
    let different = 0;
    for (let at = 0; at < small.data.length; at += 4) {
        const distance = [0, 1, 2].reduce((sum, c) => sum + Math.abs(small.data[at + c] - reference.data[at + c]), 0);
        if (distance > 96) different++;
    }
    return { png, share: different / (small.data.length / 4) };
}"""


async def fill(anna: Account) -> Json:
    """Make a board that shows everything a card can have, and no date that is another one tomorrow."""
    project = await anna.project("Website")
    label = {"name": "design", "color": "#0b7a75"}
    labels = [(await anna.call("POST", f"/projects/{project['id']}/labels", json=label))["id"]]
    me = [anna.user["id"]]
    await anna.task(project, PLAIN)
    checklist = [{"text": "Draft", "done": True}, {"text": "Proofs"}]
    everything = {"priority": "urgent", "label_ids": labels, "assignee_ids": me, "checklist": checklist}
    described = everything | {"description": "Three paragraphs.\n\n* one\n* two"}
    task = await anna.task(project, MINE, **described)
    await anna.call("POST", f"/tasks/{task['id']}/comments", json={"body": "Looks good to **me**"})
    await anna.task(project, "A title that is long enough to need a second line on the card", status="in_progress")
    for number in range(4):
        await anna.task(project, f"Done already {number}", status="done", priority="low")
    return project


@browser_fixture
async def page_of_nobody(window: Callable[..., Awaitable[Page]]) -> Page:
    """A page with no policy of its own, to compare pictures in."""
    return await window(base_url=None)


@pytest.mark.parametrize("screen", STATES)
async def test_states_look_as_they_did(
    screen: str, site: Site, anna: Account, sign_in: SignIn, page_of_nobody: Page
) -> None:
    """No state changes its looks unnoticed."""
    options, paths = STATES[screen]
    project = await fill(anna)
    if options.get("locale") == "ru":
        await anna.call("PATCH", "/users/me", json={"language": "ru"})
    page = await sign_in(anna, **options)
    await page.wait_for_url("**/")
    changed = []
    for name, (path, text) in paths.items():
        await page.goto(path.format(project=project["id"]))
        await expect(page.get_by_text(text, exact=True).first).to_be_visible()
        share = await difference(name, await picture(page), page_of_nobody)
        if share > MOST_DIFFERENT:
            changed.append(f"{name}: {share:.1%} of the picture, see .cache/looks/{name}.png")
    assert not changed, "\n".join(changed)
    assert site.process.poll() is None


async def difference(name: str, seen: bytes, comparing: Page) -> float:
    """Return the share of the pixels that differ from the reference; a picture that differs too much is kept."""
    reference = LOOKS / f"{name}.png"
    is_new = bool(os.environ.get("TIMETODO_NEW_LOOKS"))
    wanted = base64.b64encode(reference.read_bytes()).decode() if reference.exists() and not is_new else None
    found = await comparing.evaluate(COMPARE, [base64.b64encode(seen).decode(), wanted])
    if is_new:
        LOOKS.mkdir(exist_ok=True)
        reference.write_bytes(base64.b64decode(found["png"]))
        return 0
    if found["share"] > MOST_DIFFERENT:
        SEEN.mkdir(parents=True, exist_ok=True)
        (SEEN / f"{name}.png").write_bytes(seen)
    return float(found["share"])


async def picture(page: Page) -> bytes:
    """Return what the page looks like once it is live and still, in a font that every test machine has."""
    await page.evaluate("document.documentElement.style.setProperty('--font', '\"DejaVu Sans\", sans-serif')")
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    await page.evaluate("document.fonts.ready")
    times = page.locator("time")
    return await page.screenshot(animations="disabled", caret="hide", mask=[times], mask_color="#888888")
