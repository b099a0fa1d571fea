"""Many questions, one query: what is asked while a query is under way goes into the next one together.

When a thousand clients come back at once they all ask who they are and what they may; one by one that would be
thousands of transactions. A question is never answered from before it was asked. (The pattern is known as DataLoader.)
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar

MAX_QUESTIONS: Final = 128
"""Questions answered at once; then everybody else has a turn, for SQLite answers on the event loop."""
Question = TypeVar("Question")
Answer = TypeVar("Answer")
Taken_contra = TypeVar("Taken_contra", contravariant=True)


class Receiver(Protocol[Taken_contra]):
    """Whoever waits for an answer; a future is one."""

    def done(self) -> bool:
        """Whether it waits no more."""

    def set_result(self, answer: Taken_contra, /) -> None:
        """Take the answer."""

    def set_exception(self, error: Exception, /) -> None:
        """Take why there is none."""


class Batcher(Generic[Question, Answer]):
    """Answers single questions by a function that answers many; what that raises, all who asked get."""

    def __init__(self, answer_all: Callable[[Sequence[Question]], Awaitable[Sequence[Answer]]]) -> None:
        """`answer_all` returns one answer for each question, in their order."""
        self._answer_all = answer_all
        self._waiting: list[tuple[Question, Receiver[Answer]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer:
        """Return the answer to one question."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.post(question, future)
        return await future

    def post(self, question: Question, receiver: Receiver[Answer]) -> None:
        """Have one question answered to somebody who needs no task to wait in."""
        self._waiting.append((question, receiver))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_QUESTIONS], self._waiting[MAX_QUESTIONS:]
                await self._answer(batch)
                await asyncio.sleep(0)
        finally:
            self._worker = None

    async def _answer(self, batch: list[tuple[Question, Receiver[Answer]]]) -> None:
        asking = [(question, receiver) for question, receiver in batch if not receiver.done()]
        try:
            answers = await self._answer_all([question for question, _ in asking])
        except Exception as error:  # noqa: BLE001 - it is theirs to handle
            for _, receiver in asking:
                if not receiver.done():
                    receiver.set_exception(error)
            return
        for (_, receiver), answer in zip(asking, answers, strict=True):
            if not receiver.done():
                receiver.set_result(answer)
