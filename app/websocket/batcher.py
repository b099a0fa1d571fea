"""Many questions, one query: what is asked while a query is under way goes into the next one together.

When a thousand clients come back at once they all ask who they are and what they may; one by one that would be
thousands of transactions. A question is never answered from before it was asked. (The pattern is known as DataLoader.)
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

MAX_QUESTIONS: Final = 400
"""Questions in one query, far below the number of parameters any database takes."""
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Batcher(Generic[Question, Answer]):
    """Answers single questions by a function that answers many; what that raises, all who asked get."""

    def __init__(self, answer_all: Callable[[Sequence[Question]], Awaitable[Sequence[Answer]]]) -> None:
        """`answer_all` returns one answer for each question, in their order."""
        self._answer_all = answer_all
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer:
        """Return the answer to one question."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_QUESTIONS], self._waiting[MAX_QUESTIONS:]
                await self._answer(batch)
        finally:
            self._worker = None

    async def _answer(self, batch: list[tuple[Question, asyncio.Future[Answer]]]) -> None:
        asking = [(question, future) for question, future in batch if not future.done()]
        try:
            answers = await self._answer_all([question for question, _ in asking])
        except Exception as error:  # noqa: BLE001 - it is theirs to handle
            for _, future in asking:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(asking, answers, strict=True):
            if not future.done():
                future.set_result(answer)
