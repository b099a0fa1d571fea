"""Many questions in one query, none answered from before it was asked."""

import asyncio
from collections.abc import Sequence

import pytest

from app.websocket import batcher as batcher_module
from app.websocket.batcher import Batcher
from tests.support.realtime import settle


class Oracle:
    """Answers each question with itself and the truth of the moment in which the query begins."""

    def __init__(self) -> None:
        self.truth = "old"
        self.queries: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.batcher: Batcher[int, tuple[int, str]] = Batcher(self._answer)

    async def _answer(self, questions: Sequence[int]) -> list[tuple[int, str]]:
        self.queries.append(list(questions))
        answers = [(question, self.truth) for question in questions]
        gate = self.gate
        await gate.wait()
        if self.failure is not None:
            raise self.failure
        return answers

    def ask(self, question: int) -> asyncio.Task[tuple[int, str]]:
        """Ask without waiting."""
        return asyncio.create_task(self.batcher.ask(question))


@pytest.fixture
def oracle() -> Oracle:
    return Oracle()


async def test_questions_of_one_moment_are_one_query(oracle: Oracle) -> None:
    """Each gets its own answer, also when two ask the same."""
    questions = [1, 2, 2, 3]
    answers = await asyncio.gather(*map(oracle.ask, questions))
    assert [number for number, _ in answers] == questions
    assert oracle.queries == [questions]


async def ask_one_a_turn(oracle: Oracle, count: int) -> list[asyncio.Task[tuple[int, str]]]:
    """Ask as a crowd of connections does, which the event loop accepts one a turn."""
    asking = []
    for number in range(count):
        asking.append(oracle.ask(number))
        await asyncio.sleep(0)
    return asking


async def test_questions_that_come_one_after_the_other_are_one_query(oracle: Oracle) -> None:
    """Somebody alone is answered when the next turn of the event loop has brought nobody else."""
    await asyncio.gather(*await ask_one_a_turn(oracle, 5))
    assert oracle.queries == [[0, 1, 2, 3, 4]]


async def test_nobody_waits_for_ever_for_others(oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there is no end of questions, those who have waited long enough are answered."""
    monkeypatch.setattr(batcher_module, "GATHER_S", 0)
    await asyncio.gather(*await ask_one_a_turn(oracle, 5))
    assert len(oracle.queries) > 1
    assert [number for query in oracle.queries for number in query] == [0, 1, 2, 3, 4]


async def test_question_asked_during_a_query_waits_for_the_next(oracle: Oracle) -> None:
    """What is under way may have read what is no longer true."""
    oracle.gate.clear()
    first = oracle.ask(1)
    await settle()
    oracle.truth = "new"
    second, third = oracle.ask(1), oracle.ask(2)
    await settle()
    assert oracle.queries == [[1]]
    oracle.gate.set()
    assert [await first, await second, await third] == [(1, "old"), (1, "new"), (2, "new")]
    assert oracle.queries == [[1], [1, 2]]


async def test_queries_are_bounded(oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    """More questions than one query may hold are several queries, in order."""
    monkeypatch.setattr(batcher_module, "MAX_QUESTIONS", 3)
    answers = await asyncio.gather(*map(oracle.ask, range(7)))
    assert [number for number, _ in answers] == list(range(7))
    assert oracle.queries == [[0, 1, 2], [3, 4, 5], [6]]


async def test_failure_is_everybodys_who_asked_and_nobody_elses(oracle: Oracle) -> None:
    """The next question is asked anew."""
    oracle.failure = OSError("away")
    failures = await asyncio.gather(oracle.ask(1), oracle.ask(2), return_exceptions=True)
    assert list(failures) == [oracle.failure] * 2
    oracle.failure = None
    assert await oracle.ask(3) == (3, "old")


@pytest.mark.parametrize("failure", [None, OSError("away")])
async def test_who_went_away_does_not_matter_to_the_others(oracle: Oracle, failure: OSError | None) -> None:
    """Cancelled before the query it is not asked; cancelled during it, its answer is dropped."""
    oracle.gate.clear()
    asking = oracle.ask(0)
    await settle()
    before, during, staying = oracle.ask(1), oracle.ask(2), oracle.ask(3)
    await settle()
    before.cancel()
    await settle()
    first_gate, oracle.gate = oracle.gate, asyncio.Event()
    first_gate.set()
    await settle()
    assert await asking == (0, "old")
    assert oracle.queries[1] == [2, 3]
    during.cancel()
    await settle()
    oracle.failure = failure
    oracle.gate.set()
    (outcome,) = await asyncio.gather(staying, return_exceptions=True)
    assert outcome == (failure or (3, "old"))


async def test_nothing_runs_on(oracle: Oracle) -> None:
    """No task is left when all is answered, and the next question finds one."""
    before = asyncio.all_tasks()
    for number in range(3):
        await oracle.batcher.ask(number)
        await settle()
        assert asyncio.all_tasks() == before
    assert len(oracle.queries) == 3
