"""The web page and the JavaScript client, as files."""

from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

PACKAGE: Final = Path(__file__).resolve().parent.parent
PAGE: Final = PACKAGE / "web"
_OWN_PATHS: Final = ("assets/", "static/")
_ALL_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_FOR_A_YEAR: Final = "public, max-age=31536000, immutable"


def client_folder() -> Path:
    """Where `static/` is: in the package when installed, beside it in a checkout."""
    installed = PACKAGE / "static"
    return installed if installed.is_dir() else PACKAGE.parent / "static"


class HashedFiles(StaticFiles):
    """Vite's output: the name holds the content's hash, so a copy never goes stale."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = _FOR_A_YEAR
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

    @app.api_route("/api/{path:path}", methods=_ALL_METHODS, include_in_schema=False)
    async def nothing() -> None:
        raise HTTPException(404)

    @app.api_route("/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
    async def page(request: Request, path: str) -> FileResponse:
        del request
        if path.startswith(_OWN_PATHS):
            raise HTTPException(404)
        file = (PAGE / path).resolve()
        if not path or not file.is_relative_to(PAGE) or not file.is_file():
            file = PAGE / "index.html"
        if not file.is_file():
            raise HTTPException(404)
        return FileResponse(file, headers={"Cache-Control": "no-cache"})
