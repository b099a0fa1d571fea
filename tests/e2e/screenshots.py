"""Takes the pictures of the documentation from the example board: `.venv/bin/python -m tests.e2e.screenshots`."""

import asyncio
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import httpx2
from playwright.async_api import Browser, Page, expect

from tests.support.browser import browsing, fill_sign_in
from tests.support.http import http_client
from tests.support.ports import free_port
from tests.support.site import COMMAND

IMAGES = Path(__file__).parents[2] / "docs" / "images"
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
ACCOUNT = re.compile(r"^ +(\S+@\S+) +(\S+) ", re.MULTILINE)


async def main() -> None:
    """Serve the example board and take every picture."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        port, output = free_port(), Path(folder) / "output"
        command = [str(COMMAND), "demo", "--data", f"{folder}/demo", "--port", str(port)]
        with output.open("wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"PYTHONUNBUFFERED": "1"})
        try:
            await wait_until_ready(f"http://127.0.0.1:{port}/readyz")
            accounts = ACCOUNT.findall(output.read_text())
            await take_all(f"http://127.0.0.1:{port}", accounts)
        finally:
            server.terminate()
            server.wait(15)


async def wait_until_ready(url: str) -> None:
    """Wait until the server answers."""
    async with http_client() as client, asyncio.timeout(30):
        while True:
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx2.TransportError:
                await asyncio.sleep(0.05)


async def take_all(url: str, accounts: list[tuple[str, str]]) -> None:
    """Take every picture, with everybody at the board: Anna's page is Russian, Carol's English."""
    anna, boris, carol = accounts
    async with browsing() as browser:
        await open_board(browser, url, boris, **DESK)
        for name, account, options in (
            ("board-ru", anna, DESK),
            ("board-light", carol, DESK),
            ("board-dark", carol, DESK | {"color_scheme": "dark"}),
            ("phone", carol, PHONE),
        ):
            page = await open_board(browser, url, account, **options)
            await page.screenshot(path=IMAGES / f"{name}.png")
        page = await open_board(browser, url, carol, **DESK)
        await page.get_by_role("main").get_by_role("listitem").get_by_role("link").nth(10).click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.wait_for_timeout(1000)
        await page.screenshot(path=IMAGES / "task.png")


async def open_board(browser: Browser, url: str, account: tuple[str, str], **options: Any) -> Page:
    """Sign somebody in and open the first board."""
    page = await (await browser.new_context(base_url=url, **options)).new_page()
    await page.goto("/")
    await fill_sign_in(page, *account)
    await page.wait_for_url(re.compile("/$"))
    await page.goto("/projects")
    await page.get_by_role("main").get_by_role("listitem").get_by_role("link").first.click()
    await page.get_by_role("region").nth(2).wait_for()
    await page.wait_for_timeout(1500)
    return page


if __name__ == "__main__":
    asyncio.run(main())
