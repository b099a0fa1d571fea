"""What Lighthouse says of the page, as a visitor and signed in, on a desk and on a phone: `./dev audit`.

A real server, a real Chromium with somebody signed in; Lighthouse opens each address there and gives its points.
Nothing leaves the machine.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.async_api import async_playwright

from tests.support.browser import ARGUMENTS, chromium, fill_sign_in
from tests.support.people import Json
from tests.support.ports import free_port
from tests.support.site import Account, Site

FOLDER: Final = Path(__file__).parent
LIGHTHOUSE: Final = FOLDER / "node_modules" / "lighthouse" / "cli" / "index.js"
GOAL: Final = 95
"""Points in every category, of 100."""
CATEGORIES: Final = ("performance", "accessibility", "best-practices", "seo")
SCREENS: Final = {"desktop": ["--preset=desktop"], "phone": []}
CARDS: Final = 60


async def main() -> int:
    """Print a table; return how many figures missed the goal."""
    install()
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder) / "data")
        await site.start()
        try:
            anna = await site.account("Anna")
            project = await fill(anna)
            return await audit(site, anna, project, Path(folder))
        finally:
            site.stop()


def install() -> None:
    """Install Lighthouse, unless it is there."""
    if not LIGHTHOUSE.exists():
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=FOLDER, check=True, stdin=subprocess.DEVNULL)


async def fill(anna: Account) -> Json:
    """Make a board with cards in every column."""
    project = await anna.project("Website")
    columns = [column["key"] for column in (await anna.call("GET", f"/projects/{project['id']}/board"))["columns"]]
    for number in range(CARDS):
        fields = {"status": columns[number % len(columns)], "due": f"2027-01-{number % 28 + 1:02}", "priority": "high"}
        await anna.task(project, f"Task {number}: something that somebody has to do", **fields)
    return project


async def audit(site: Site, anna: Account, project: Json, folder: Path) -> int:
    """Let Lighthouse look at each page on each screen."""
    port = free_port()
    board = f"/p/{project['id']}"
    missed = 0
    print(f"{'page':<12}{'screen':<10}" + "".join(f"{name:>16}" for name in CATEGORIES))
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            folder / "profile",
            executable_path=chromium(),
            args=[*ARGUMENTS, f"--remote-debugging-port={port}"],
        )
        missed += await look(f"{site.url}/sign-in", "sign in", port, folder)
        page = await context.new_page()
        await page.goto(f"{site.url}/sign-in")
        await fill_sign_in(page, anna.user["email"])
        await page.wait_for_url(lambda url: "sign-in" not in url)
        await page.close()
        for name, path in {"my work": "/", "board": board, "list": f"{board}/list", "task": f"{board}/t/1"}.items():
            missed += await look(site.url + path, name, port, folder)
        await context.close()
    return missed


async def look(url: str, name: str, port: int, folder: Path) -> int:
    """Print the points of one page; return how many are below the goal."""
    missed = 0
    for screen, options in SCREENS.items():
        report = folder / f"{name}-{screen}.json"
        command = ["node", str(LIGHTHOUSE), url, f"--port={port}", "--disable-storage-reset", "--quiet", *options]
        command += ["--output=json", f"--output-path={report}", f"--only-categories={','.join(CATEGORIES)}"]
        process = await asyncio.create_subprocess_exec(*command)
        if await process.wait() != 0:
            sys.exit(f"audit: Lighthouse failed at {name} ({screen})")
        found = json.loads(report.read_text())
        points = {key: round(found["categories"][key]["score"] * 100) for key in CATEGORIES}
        print(f"{name:<12}{screen:<10}" + "".join(f"{value:>16}" for value in points.values()), flush=True)
        for key in (key for key, value in points.items() if value < GOAL):
            missed += 1
            print("".join(f"    {line}\n" for line in reasons(found, key)), end="", flush=True)
    return missed


def reasons(report: Json, category: str) -> list[str]:
    """Return the audits that cost a category points."""
    wanted = [entry["id"] for entry in report["categories"][category]["auditRefs"] if entry["weight"]]
    audits = [report["audits"][id_] for id_ in wanted]
    return [f"{audit['title']}: {audit.get('displayValue', '')}" for audit in audits if (audit["score"] or 0) < 1]


if __name__ == "__main__":
    sys.exit(1 if asyncio.run(main()) else 0)
