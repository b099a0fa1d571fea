"""What events and signals do to the connections of one server."""

from uuid import UUID, uuid4

import pytest

from app.broker.base import Signal, SignalType
from app.domain.events import EventType
from app.permissions import Role, Visibility
from app.websocket.protocol import CloseCode
from tests.support.realtime import Bench, Peer, make_user, settle

ANNA, BORIS = make_user("Anna"), make_user("Boris")


async def joined(bench: Bench, project_id: UUID) -> tuple[Peer, Peer]:
    anna, boris = await bench.connect(ANNA), await bench.connect(BORIS)
    for peer in (anna, boris):
        await peer.join(project_id)
    return anna, boris


async def test_removed_member_is_put_out_before_the_event_is_shown() -> None:
    """The one removed learns of it alone; the others see the event, and that they are gone."""
    async with Bench() as bench:
        project_id = bench.directory.project(ANNA, BORIS)
        anna, boris = await joined(bench, project_id)
        await bench.remove_member(project_id, BORIS)
        await bench.publish(project_id)
        left = {"type": "project_left", "project_id": str(project_id), "data": {"reason": "revoked"}}
        assert boris.sent[-1] == left
        assert boris.seqs == []
        assert anna.seqs == [1, 2]
        assert anna.transport.of_type("user_offline")[0]["user_id"] == str(BORIS.id)


async def test_deleted_project_puts_everybody_out() -> None:
    """All are told, and the room is forgotten."""
    async with Bench() as bench:
        project_id = bench.directory.project(ANNA, BORIS)
        peers = await joined(bench, project_id)
        await bench.publish(project_id, EventType.PROJECT_DELETED, {})
        for peer in peers:
            assert peer.sent[-1]["data"] == {"reason": "deleted"}
        assert bench.hub.manager.rooms == {}


async def test_project_made_private_puts_out_those_without_a_role() -> None:
    """Anonymous and signed-in strangers go, members stay; a change that leaves it public moves nobody."""
    async with Bench() as bench:
        project_id = bench.directory.project(ANNA)
        bench.directory.visibility[project_id] = Visibility.PUBLIC
        member, stranger, anonymous = await bench.connect(ANNA), await bench.connect(BORIS), await bench.connect()
        for peer in (member, stranger, anonymous):
            await peer.join(project_id)
        await bench.publish(project_id, EventType.PROJECT_UPDATED, {"visibility": "public"})
        assert [peer.seqs for peer in (member, stranger, anonymous)] == [[1]] * 3
        bench.directory.visibility[project_id] = Visibility.PRIVATE
        await bench.publish(project_id, EventType.PROJECT_UPDATED, {"visibility": "private"})
        assert [peer.seqs for peer in (member, stranger, anonymous)] == [[1, 2], [1], [1]]
        assert stranger.sent[-1]["data"] == anonymous.sent[-1]["data"] == {"reason": "revoked"}


async def test_changed_role_holds_at_once() -> None:
    """A viewer of a public project who becomes a member may be seen, on every connection of theirs."""
    async with Bench() as bench:
        project_id = bench.directory.project(ANNA)
        bench.directory.visibility[project_id] = Visibility.PUBLIC
        anna, boris = await joined(bench, project_id)
        (refused,) = await boris.say("typing", id=1, project_id=project_id, task_id=uuid4())
        assert refused["data"]["code"] == "forbidden"
        await bench.set_member(project_id, BORIS, Role.VIEWER)
        assert anna.transport.of_type("user_online")[0]["data"]["user_id"] == str(BORIS.id)
        assert await boris.say("typing", project_id=project_id, task_id=uuid4()) == []
        assert len(anna.transport.of_type("typing")) == 1
        await bench.set_member(project_id, BORIS, Role.ADMIN)
        assert boris.connection.cursors[project_id].role is Role.ADMIN


async def test_member_added_to_a_project_nobody_reads_is_online_there() -> None:
    """Connected already, and in no room: the next one to open the project sees them online."""
    async with Bench() as bench:
        project_id = bench.directory.project(ANNA)
        anna = await bench.connect(ANNA)
        await bench.connect(BORIS)
        await bench.set_member(project_id, BORIS, Role.EDITOR)
        await bench.publish(project_id)
        assert {entry["user_id"] for entry in (await anna.join(project_id))["online"]} == {str(ANNA.id), str(BORIS.id)}
        await anna.say("leave_project", project_id=project_id)
        await bench.remove_member(project_id, BORIS)
        assert {entry["user_id"] for entry in (await anna.join(project_id))["online"]} == {str(ANNA.id)}


@pytest.mark.parametrize("type_", [SignalType.SESSION_ENDED, SignalType.USER_DEACTIVATED])
async def test_signal_of_an_end_closes_whom_it_names(type_: SignalType) -> None:
    """A session's or a user's connections end with "logged out"; others go on."""
    async with Bench() as bench:
        anna, boris = await bench.connect(ANNA), await bench.connect(BORIS)
        named = BORIS.session_id if type_ is SignalType.SESSION_ENDED else BORIS.id
        await bench.broker.signal(Signal(type_, "two", named, {}))
        await bench.broker.signal(Signal(type_, "two", uuid4(), {}))
        await settle()
        assert boris.transport.closed is not None
        assert boris.transport.closed[0] == CloseCode.LOGGED_OUT
        assert anna.transport.closed is None


async def test_activity_on_another_server_is_shown_here() -> None:
    """What somebody types elsewhere is shown in the room; an echo of our own signal is not shown twice."""
    async with Bench() as bench:
        project_id = bench.directory.project(ANNA, BORIS)
        anna, _ = await joined(bench, project_id)
        data = {"type": "typing", "user_id": str(BORIS.id), "data": {"task_id": "t", "name": "Boris"}}
        for origin in ("one", "two"):
            await bench.broker.signal(Signal(SignalType.ACTIVITY, origin, project_id, data))
        await settle()
        (typing,) = anna.transport.of_type("typing")
        assert (typing["user_id"], typing["data"]) == (str(BORIS.id), data["data"])


async def test_presence_of_another_server_is_shown_here() -> None:
    """Somebody connected elsewhere is online here too."""
    async with Bench() as bench:
        project_id = bench.directory.project(ANNA, BORIS)
        anna = await bench.connect(ANNA)
        await anna.join(project_id)
        person = {"id": str(BORIS.id), "name": "Boris", "devices": 1, "projects": [str(project_id)], "viewing": {}}
        await bench.broker.signal(Signal(SignalType.PRESENCE, "two", None, {"people": [person]}))
        await settle()
        assert anna.sent[-1]["type"] == "user_online"


async def test_signal_without_its_subject_is_passed_over() -> None:
    """A malformed signal does nothing."""
    async with Bench() as bench:
        anna = await bench.connect(ANNA)
        await bench.broker.signal(Signal(SignalType.SESSION_ENDED, "two", None, {}))
        assert anna.connection.close_code is None


async def test_event_that_empties_the_room_is_shown_to_nobody() -> None:
    """The last viewer loses access: the room is gone, and the event with it."""
    async with Bench() as bench:
        project_id = bench.directory.project(ANNA)
        anna = await bench.connect(ANNA)
        await anna.join(project_id)
        await bench.remove_member(project_id, ANNA)
        assert anna.seqs == []
        assert bench.hub.manager.rooms == {}
