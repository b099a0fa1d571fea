"""What the wheel carries beyond the package: the built page and the browser client.

The page lands in `app/web`, the client in `app/static`. A checkout has the client in `static/` beside
the package instead, and an editable installation (what `./dev` makes) is left alone.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageBuildHook(BuildHookInterface[Any]):
    """Adds the client, and builds the page when nobody has yet."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        for script in (root / "static").rglob("*.js"):
            build_data["force_include"][str(script)] = str("app" / script.relative_to(root))
        if not (root / "app/web/index.html").exists():
            build_page(root / "frontend")


def build_page(frontend: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        msg = "the page is not built and npm is missing: run ./dev build, which brings its own Node"
        raise RuntimeError(msg)
    for arguments in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
        subprocess.run([npm, *arguments], cwd=frontend, check=True)  # noqa: S603 - our own npm scripts
