"""What every HTTP answer gets: a request id, security headers, and a line in the log.

It stands outside everything that can refuse or fail, so a refused body and a bug get them too.
"""

import time
from typing import Final
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.metrics import REQUEST_SECONDS
from app.api.problems import answer_bug
from app.domain.demand import Demand

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_log = structlog.get_logger(__name__)


class RequestContext:
    """Names each request, logs it when it is done, and forbids browsers what the page never needs."""

    def __init__(self, app: ASGIApp, max_body_bytes: int, demand: Demand) -> None:
        self._app = app
        self._demand = demand
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid4().hex[:16]
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        begun = time.perf_counter()
        self._demand.begin()
        status, is_answered = 500, False

        async def send_with_headers(message: Message) -> None:
            nonlocal status, is_answered
            if message["type"] == "http.response.start":
                status, is_answered = message["status"], True
                self._demand.end()
                _add_headers(MutableHeaders(scope=message), scope["path"], request_id)
            await send(message)

        try:
            await self._app(scope, self._limited(scope, receive), send_with_headers)
        except Exception as error:
            if is_answered:
                raise
            await answer_bug(Request(scope), error)(scope, receive, send_with_headers)
        finally:
            if not is_answered:
                self._demand.end()
            seconds = time.perf_counter() - begun
            REQUEST_SECONDS.labels(scope["method"], _pattern(scope), str(status)).observe(seconds)
            _log.info("request", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1000, 1))
            structlog.contextvars.unbind_contextvars("request_id")

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """Return `receive` for a body of bounded size; a declared length is refused before anything is read."""
        declared = Headers(scope=scope).get("content-length", "0")
        length = int(declared) if declared.isascii() and declared.isdigit() else 0
        counted = 0

        async def receive_limited() -> Message:
            nonlocal counted
            if length > self._max_body_bytes:
                raise HTTPException(413)
            message = await receive()
            counted += len(message.get("body", b""))
            if counted > self._max_body_bytes:
                raise HTTPException(413)
            return message

        return receive_limited


def _pattern(scope: Scope) -> str:
    """Return the address with the names of its parts in place of their values: there are only so many of those.

    The route itself knows the end of its pattern alone, without the prefix of its router.
    """
    own: str | None = getattr(scope.get("route"), "path", None)
    if own is None or ":path}" in own:
        return own or "none"
    names = {value: f"{{{name}}}" for name, value in scope["path_params"].items()}
    return "/".join(names.get(part, part) for part in scope["path"].split("/"))


def _add_headers(headers: MutableHeaders, path: str, request_id: str) -> None:
    headers["X-Request-ID"] = request_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if path.startswith("/api/"):
        headers.setdefault("Cache-Control", "no-store")
    else:
        headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
