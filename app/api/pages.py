"""The web page and the JavaScript client, as files; of the page's, as the build has compressed them (compressed.ts)."""

import os
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from app.api.compression import accepted_encodings

PACKAGE: Final = Path(__file__).resolve().parent.parent
PAGE: Final = PACKAGE / "web"
_OWN_PATHS: Final = ("assets/", "static/", "api/")
_ALL_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_FOR_A_YEAR: Final = "public, max-age=31536000, immutable"
_COMPRESSED: Final = {"br": ".br", "gzip": ".gz"}
"""What the build lays beside a file."""


def client_folder() -> Path:
    """Where `static/` is: in the package when installed, beside it in a checkout."""
    installed = PACKAGE / "static"
    return installed if installed.is_dir() else PACKAGE.parent / "static"


class HashedFiles(StaticFiles):
    """Vite's output: the name holds the content's hash, so a copy never goes stale."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        file, headers = _compressed(Path(full_path), Headers(scope=scope))
        if file != Path(full_path):
            stat_result = file.stat()
        response = super().file_response(file, stat_result, scope, status_code)
        response.headers.update({"Cache-Control": _FOR_A_YEAR} | headers)
        return response


class ClientFiles(StaticFiles):
    """The JavaScript client, for pages of any origin."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers.update(
            {
                "Cache-Control": "no-cache",
                "Access-Control-Allow-Origin": "*",
                "Cross-Origin-Resource-Policy": "cross-origin",
            }
        )
        return response


def install(app: FastAPI) -> None:
    """Serve the client at /static, the page's parts at /assets, and the page at every other address."""
    app.mount("/static", ClientFiles(directory=client_folder()), name="client")
    app.mount("/assets", HashedFiles(directory=PAGE / "assets", check_dir=False), name="assets")

    app.add_api_route("/api/{path:path}", nothing, methods=_ALL_METHODS, include_in_schema=False)
    app.add_api_route("/{path:path}", page, methods=["GET", "HEAD"], include_in_schema=False)


async def nothing(request: Request) -> None:
    """Refuse what is no address of the API, or none for this method."""
    allowed = _allowed_methods(request)
    if allowed:
        raise HTTPException(405, headers={"Allow": ", ".join(allowed)})
    raise HTTPException(404)


async def page(request: Request, path: str) -> FileResponse:
    """Answer with a part of the page, or with the page itself: what an address means is for it to say."""
    file = None if f"{path}/".startswith(_OWN_PATHS) else _find_file(path) or _find_file("index.html")
    if file is None:
        raise HTTPException(404)
    file, headers = _compressed(file, request.headers)
    return FileResponse(file, headers={"Cache-Control": "no-cache"} | headers)


def _allowed_methods(request: Request) -> list[str]:
    """Return the methods with which this address would be something."""
    routes = [route for route in request.app.routes if getattr(route, "endpoint", None) not in {nothing, page}]
    return [
        method
        for method in _ALL_METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


def _find_file(path: str) -> Path | None:
    """Return a file of the page; None for what is not there, has no address of its own, or could not even be a name."""
    try:
        file = (PAGE / path).resolve()
        is_own = file.is_relative_to(PAGE) and file.suffix not in _COMPRESSED.values()
        return file if is_own and file.is_file() else None
    except (OSError, ValueError):
        return None


def _compressed(file: Path, asked: Headers) -> tuple[Path, dict[str, str]]:
    """Return what to send in place of a file to somebody who asks like this, and the headers that say so."""
    vary = {"Vary": "Accept-Encoding"}
    for encoding in accepted_encodings(asked.get("accept-encoding", "")):
        shorter = file.with_name(file.name + _COMPRESSED[encoding])
        if shorter.is_file():
            return shorter, vary | {"Content-Encoding": encoding}
    return file, vary
