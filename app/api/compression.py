"""Answers as short as whoever asks can read them, and an ETag of its own for what is compressed (RFC 9110, 8.8.3.3)."""

import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ENCODINGS: Final = ("br", "gzip")
"""What the server can send, the shortest first."""
# A board becomes a tenth; more effort makes it hardly shorter. Answers with tokens are shorter than the least, and so
# tell nothing by their length.
COMPRESS_FROM_BYTES, COMPRESS_LEVEL = 2048, 3
_WEIGHT: Final = re.compile(r"\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", re.IGNORECASE)


def accepted_encodings(asked: str) -> list[str]:
    """Return the encodings that an `Accept-Encoding` header wants at least as much as the plain text, the best first.

    An entry whose weight is none is passed over.
    """
    weights: dict[str, float] = {}
    for entry in asked.lower().split(","):
        name, has_weight, weight = entry.partition(";")
        if found := _WEIGHT.fullmatch(weight if has_weight else "q=1"):
            weights[name.strip()] = float(found[1])
    others = weights.get("*", 0.0)
    wanted = {name: weights.get(name, others) for name in ENCODINGS}
    accepted = [name for name, weight in wanted.items() if weight > 0 and weight >= weights.get("identity", 0.0)]
    return sorted(accepted, key=lambda name: -wanted[name])


class Compression:
    """Compresses long answers by gzip where that is wanted, and marks the ETag of whatever is sent so: `"7-gzip"`.

    The application knows nothing of the mark: it is taken off what a client sends back.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = GZipMiddleware(app, minimum_size=COMPRESS_FROM_BYTES, compresslevel=COMPRESS_LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = MutableHeaders(scope=scope)
        encodings = accepted_encodings(",".join(asked.getlist("accept-encoding")))
        # Those who look into it below ask only whether a name is in it.
        asked["accept-encoding"] = ", ".join(encodings)
        _unmark(asked, "if-match")
        knows_compressed = "gzip" in encodings and _unmark(asked, "if-none-match")

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_compressed = headers.get("content-encoding") == "gzip"
                if "etag" in headers and (is_compressed or (message["status"] == 304 and knows_compressed)):
                    headers["etag"] = headers["etag"].removesuffix('"') + '-gzip"'
            await send(message)

        await self._app(scope, receive, send_marked)


def _unmark(headers: MutableHeaders, name: str) -> bool:
    """Take the mark of compressed answers off the ETags in this header; return whether there was one."""
    tags = headers.get(name, "")
    if '-gzip"' not in tags:
        return False
    headers[name] = tags.replace('-gzip"', '"')
    return True
