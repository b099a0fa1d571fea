"""Many questions, one query: those that come in a row, and what is asked while a query is under way, go together.

When a thousand clients come back at once they all ask who they are and what they may; one by one that would be
thousands of transactions. A question is never answered from before it was asked. (The pattern is known as DataLoader.)
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar

MAX_QUESTIONS: Final = 128
"""Questions answered at once; then everybody else has a turn, for SQLite answers on the event loop."""
GATHER_S: Final = 0.01
"""How long a question may wait for others to join it, when there is no end of them."""
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
                await self._gather()
                batch, self._waiting = self._waiting[:MAX_QUESTIONS], self._waiting[MAX_QUESTIONS:]
                await self._answer(batch)
                await asyncio.sleep(0)
        finally:
            self._worker = None

    async def _gather(self) -> None:
        """Let a crowd come together: wait for as long as each turn of the event loop brings more questions.

        Connections come one a turn, for the event loop accepts no more, and whoever is alone costs twice as much.
        """
        now = asyncio.get_running_loop().time
        until, known = now() + GATHER_S, 0
        while known < len(self._waiting) < MAX_QUESTIONS and now() < until:
            known = len(self._waiting)
            await asyncio.sleep(0)

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
