"""The outermost layer, where no route is involved."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.api.middleware import RequestContext
from app.domain.demand import Demand

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

    demand = Demand()
    with pytest.raises(ZeroDivisionError):
        await RequestContext(application, 1024, demand)(dict(SCOPE), receive, send)
    assert demand.waiting == 0


@pytest.mark.parametrize("is_answered", [True, False])
async def test_who_waits_is_counted_until_the_answer_begins(*, is_answered: bool) -> None:
    """A stream that goes on is no request that waits, and one that fails waits no more either."""
    demand, counts = Demand(), list[int]()

    async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
        counts.append(demand.waiting)
        if not is_answered:
            raise ZeroDivisionError
        await send({"type": "http.response.start", "status": 200, "headers": []})
        counts.append(demand.waiting)
        await send({"type": "http.response.body", "body": b""})

    await RequestContext(application, 1024, demand)(dict(SCOPE), receive, send)
    assert counts == ([1, 0] if is_answered else [1])
    assert demand.waiting == 0


async def test_what_is_no_http_passes_untouched() -> None:
    """The lifespan and sockets are not this layer's business."""
    seen: list[Scope] = []

    async def application(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    await RequestContext(application, 1024, Demand())({"type": "lifespan"}, receive, send)
    assert seen == [{"type": "lifespan"}]
