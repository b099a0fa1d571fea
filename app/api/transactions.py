"""One request, one transaction: committed after the answer is made and before it is sent.

A transaction that was lost, by a deadlock perhaps, is tried once more; a commit that fails answers 5xx and leaves
neither change nor event. A call with an Idempotency-Key stores its answer in the same transaction and gets it again
when repeated; a credential is never stored with it.

The body is there before the transaction begins: a client that takes its time would have everybody else wait.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any, Final

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute

from app.api.context import ApiContext
from app.db.unit_of_work import Lost
from app.services.idempotency import Answer, Call, keep_answer

SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_KEPT_HEADERS: Final = frozenset({"content-type", "etag", "location"})


class ReplayedAnswer(Exception):
    """This call was answered before; here is the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("answered before")
        self.answer = answer


class StrictRequest(Request):
    """A request whose JSON is read strictly: no NaN, no lone surrogates, no bottomless nesting, no giant integers."""

    async def json(self) -> Any:
        """Return the body.

        Raises:
            json.JSONDecodeError: it is not JSON (RFC 8259).
        """
        body = await self.body()
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise json.JSONDecodeError(error.msg, "", error.pos) from None


class PlainRoute(APIRoute):
    """A route that reads its JSON strictly and manages its transactions itself."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(StrictRequest(request.scope, request.receive))

        return handle


class TransactionalRoute(APIRoute):
    """A route that reads its JSON strictly and runs in one transaction: `request.state.uow`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        writes = not (self.methods or set()) <= SAFE_METHODS

        async def attempt(request: Request) -> Response:
            context: ApiContext = request.app.state.context
            transaction = context.database.write() if writes else context.database.read()
            try:
                async with transaction as uow:
                    request.state.uow = uow
                    response = await handler(request)
                    call: Call | None = getattr(request.state, "call", None)
                    if call is not None and uow.keeps_answer:
                        await keep_answer(uow, call, _to_answer(response))
            except ReplayedAnswer as replayed:
                response = _to_response(replayed.answer)
            self.finish(context, response)
            return response

        async def handle(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            await strict.body()  # which it keeps, for a second attempt too
            try:
                return await attempt(strict)
            except Lost:
                return await attempt(strict)

        return handle

    def finish(self, context: ApiContext, response: Response) -> None:
        """Add to an answer, given for the first time or again, what is not kept of it."""


def _to_answer(response: Response) -> Answer:
    headers = {name: value for name, value in response.headers.items() if name in _KEPT_HEADERS}
    return Answer(response.status_code, headers, bytes(response.body))


def _to_response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, answer.headers | {"Idempotency-Replayed": "true"})
