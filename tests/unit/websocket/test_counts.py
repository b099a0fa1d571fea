"""What a crowd costs, in numbers that are the same on every machine: writes, frames, handings out. Never times."""

from typing import Any

import pytest

from app.websocket import room as room_module
from app.websocket.connection import Connection
from app.websocket.framing import frame
from tests.support.realtime import Bench, make_user, settle

MEMBERS = 100


@pytest.fixture
def frames_made(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every message that rooms frame."""
    made: list[bytes] = []

    def note(text: bytes, *rest: Any) -> bytes:
        made.append(text)
        return frame(text, *rest)

    monkeypatch.setattr(room_module, "frame", note)
    return made


async def test_event_is_one_frame_and_one_write_for_each_reader(frames_made: list[bytes]) -> None:
    """A hundred readers behind three events: three frames made, a hundred writes."""
    async with Bench() as bench:
        project_id = bench.directory.project(*(people := [make_user(f"P{n}") for n in range(MEMBERS)]))
        peers = [await bench.connect(person) for person in people]
        for peer in peers:
            await peer.join(project_id)
        await settle()
        writes: list[bytes] = []
        for peer in peers:
            peer.transport.write = writes.append  # type: ignore[method-assign, assignment]
        room = bench.hub.manager.rooms[project_id]
        frames_made.clear()
        for _ in range(3):
            event = bench.directory.log.append(project_id)
            room.append(event.seq, event.encoded)
        await settle()
        assert len(frames_made) == 3
        assert len(writes) == MEMBERS
        assert len(set(writes)) == 1


async def test_arrivals_of_one_moment_are_handed_out_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty come at once: each reader is given four pieces, not sixty, and every arrival is in them once, in order."""
    async with Bench() as bench:
        project_id = bench.directory.project(anna := make_user("Anna"))
        reader = await bench.connect(anna)
        await reader.join(project_id)
        room = bench.hub.manager.rooms[project_id]
        pieces: list[int] = []
        queue = Connection.queue_ephemeral

        def note(connection: Connection, ready: bytes, count: int = 1) -> None:
            pieces.append(count)
            queue(connection, ready, count)

        monkeypatch.setattr(Connection, "queue_ephemeral", note)
        sent = reader.connection.messages_sent
        for number in range(60):
            room.send_ephemeral(b'{"type":"user_online","n":%d}' % number)
        await settle()
        assert pieces == [16, 16, 16, 12]
        assert [message["n"] for message in reader.sent[-60:]] == list(range(60))
        assert reader.connection.messages_sent == sent + 60
