"""The outermost layer, where no route is involved."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.api.middleware import RequestContext

SCOPE: Scope = {"type": "http", "method": "GET", "path": "/", "headers": []}


async def receive() -> Message:
    """An empty body."""
    return {"type": "http.request", "body": b""}


async def send(_message: Message) -> None:
    """Take whatever is sent."""


async def test_bug_in_the_middle_of_an_answer_is_left_to_the_server() -> None:
    """Once the status is sent nothing better can be said: the connection must break, not end well."""

    async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await RequestContext(application, 1024)(dict(SCOPE), receive, send)


async def test_what_is_no_http_passes_untouched() -> None:
    """The lifespan and sockets are not this layer's business."""
    seen: list[Scope] = []

    async def application(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    await RequestContext(application, 1024)({"type": "lifespan"}, receive, send)
    assert seen == [{"type": "lifespan"}]
