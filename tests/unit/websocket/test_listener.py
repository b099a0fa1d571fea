"""The HTTP side's bounds, where real time would be too long."""

import asyncio
from typing import Any

import pytest
from uvicorn.server import ServerState

from app.websocket import listener
from app.websocket.listener import BODY_S, HEAD_S, WaitingRoom
from tests.support.realtime import eventually


class Guest:
    """A connection that notes when it is given up."""

    def __init__(self) -> None:
        self.is_given_up = False

    def end_waiting(self) -> None:
        self.is_given_up = True


@pytest.fixture
def room() -> Any:
    return WaitingRoom()


async def test_each_server_has_one_waiting_room() -> None:
    """And no longer than it lives."""
    one, two = ServerState(), ServerState()
    assert WaitingRoom.of(one) is WaitingRoom.of(one)
    assert WaitingRoom.of(one) is not WaitingRoom.of(two)
    assert {one, two} <= set(WaitingRoom._all)


async def test_who_waits_too_long_is_given_up(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are not, and the timer rests when nobody waits."""
    monkeypatch.setattr(listener, "SWEEP_S", 0.001)
    late, patient, served = Guest(), Guest(), Guest()
    room.enter(late, 0.0)
    room.enter(patient, 3600)
    room.enter(served, 0.0)
    room.leave(served)
    await eventually(lambda: late.is_given_up)
    assert (patient.is_given_up, served.is_given_up) == (False, False)
    assert room._timer is not None
    room.leave(patient)
    room.leave(patient)
    await eventually(lambda: room._timer is None)


async def test_entering_again_is_waiting_anew(room: Any) -> None:
    """With a deadline of its own, and behind those who came meanwhile."""
    first, second = Guest(), Guest()
    room.enter(first, HEAD_S)
    room.enter(second, HEAD_S)
    room.enter(first, BODY_S)
    assert list(room._deadlines) == [second, first]
    assert room._deadlines[first] - room._deadlines[second] > BODY_S - HEAD_S - 1
    room._timer.cancel()


async def test_one_too_many_pushes_out_the_oldest(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever came first has had the most time."""
    monkeypatch.setattr(listener, "MAX_UNFINISHED", 2)
    guests = [Guest() for _ in range(4)]
    for guest in guests:
        room.enter(guest, HEAD_S)
    assert [guest.is_given_up for guest in guests] == [True, True, False, False]
    assert len(room._deadlines) == 2
    room._timer.cancel()
    await asyncio.sleep(0)
