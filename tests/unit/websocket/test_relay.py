"""The relay: whatever the broker does, rooms follow their logs."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
import structlog

from app.domain.events import Event, EventType
from app.permissions import Role, Visibility
from app.services.history import LogHead
from app.websocket import relay as relay_module
from app.websocket.protocol import CloseCode
from app.websocket.relay import Relay
from app.websocket.room import Room
from tests.support.realtime import Bench, Peer, eventually, make_event, make_user, settle

ANNA, BORIS = make_user("Anna"), make_user("Boris")


class Ward(Bench):
    """A bench with Anna in the room of a project, and Boris its member."""

    project_id: UUID
    anna: Peer

    @property
    def relay(self) -> Relay:
        return self.hub._relay

    @property
    def room(self) -> Room:
        return self.hub.manager.rooms[self.project_id]

    def hint(self, *events: Event) -> None:
        """Publish as the broker would."""
        for event in events:
            self.relay.on_event(event)


@pytest.fixture
async def ward() -> AsyncIterator[Ward]:
    async with Ward(replay_max_events=20) as ward:
        ward.project_id = ward.directory.project(ANNA, BORIS, events=2)
        ward.anna = await ward.connect(ANNA)
        await ward.anna.join(ward.project_id)
        await settle()
        yield ward


async def test_next_event_is_handed_over_without_reading(ward: Ward) -> None:
    """In the usual case a publication goes straight to the sockets."""
    ward.log.readings.clear()
    ward.hint(*ward.log.fill(ward.project_id, 3))
    await settle()
    assert ward.anna.seqs == [3, 4, 5]
    assert ward.log.readings == []


async def test_repeated_and_old_publications_are_dropped(ward: Ward) -> None:
    """What comes twice is shown once."""
    (event,) = ward.log.fill(ward.project_id, 1)
    ward.hint(event, event, ward.log.events[ward.project_id][0], event)
    await settle()
    assert ward.anna.seqs == [3]


async def test_reordered_publications_come_out_in_order(ward: Ward) -> None:
    """A gap is filled from the log, and the late ones are old then."""
    one, two, three = ward.log.fill(ward.project_id, 3)
    ward.hint(three, one, two)
    await settle()
    assert ward.anna.seqs == [3, 4, 5]


async def test_gap_is_repaired_from_the_log(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost publications cost a reading, in parts if they are many, and one repair at a time."""
    monkeypatch.setattr(relay_module, "REPAIR_BATCH", 2)
    ward.log.readings.clear()
    events = ward.log.fill(ward.project_id, 6)
    ward.hint(events[3], events[5])
    await settle()
    assert ward.anna.seqs == [3, 4, 5, 6, 7, 8]
    assert len(ward.log.readings) == 3


async def test_lost_last_publication_is_found_by_the_check(ward: Ward) -> None:
    """With a deaf broker the comparison with the log brings the event."""
    ward.log.fill(ward.project_id, 2)
    await settle()
    assert ward.anna.seqs == []
    await ward.relay.check_rooms()
    await settle()
    assert ward.anna.seqs == [3, 4]


async def test_check_runs_by_itself_and_survives_a_database_that_is_away() -> None:
    """A failed check is logged and the next one catches up."""
    async with Ward(relay_check_s=0.005) as ward:
        ward.project_id = ward.directory.project(ANNA)
        anna = await ward.connect(ANNA)
        await anna.join(ward.project_id)
        with structlog.testing.capture_logs() as logs:
            ward.log.failure = OSError("away")
            await eventually(lambda: any(entry["event"] == "check_failed" for entry in logs))
            ward.log.fill(ward.project_id, 1)
            ward.log.failure = None
            await eventually(lambda: anna.seqs == [1])


async def test_failed_repair_is_logged_and_tried_again(ward: Ward) -> None:
    """A repair that fails leaves the room where it was, for the next one."""
    events = ward.log.fill(ward.project_id, 2)
    ward.log.failure = OSError("away")
    with structlog.testing.capture_logs() as logs:
        ward.hint(events[1])
        await settle()
    assert [entry["event"] for entry in logs] == ["repair_failed"]
    assert ward.relay._repairs == {}
    ward.log.failure = None
    ward.hint(events[1])
    await settle()
    assert ward.anna.seqs == [3, 4]


async def test_stop_ends_a_repair_under_way(ward: Ward) -> None:
    """A server that stops waits for no database."""
    ward.log.gate.clear()
    ward.hint(ward.log.fill(ward.project_id, 2)[1])
    await settle()
    await ward.relay.stop()
    assert ward.relay._repairs == {}


async def test_event_published_while_a_room_opens_is_not_missed(ward: Ward) -> None:
    """Published after the permission was read and before there is a room to hear it: the repair brings it."""
    other = ward.directory.project(ANNA, events=1)
    ward.directory.entering = lambda: ward.hint(*ward.log.fill(other, 1)) if len(ward.log.events[other]) < 2 else None
    data = await ward.anna.join(other)
    assert data["seq"] == 1
    await settle()
    assert ward.anna.seqs == [2]


async def test_room_behind_what_was_read_is_repaired_before_the_join(ward: Ward) -> None:
    """Who joins a room that lost publications joins at the true head, and the viewers get what they missed."""
    ward.log.fill(ward.project_id, 3)
    boris = await ward.connect(BORIS)
    data = await boris.join(ward.project_id, since={"epoch": ward.room.epoch, "seq": 1})
    assert (data["seq"], data["recovered"], data["replay"]) == (5, True, 4)
    assert boris.seqs == [2, 3, 4, 5]
    assert ward.anna.seqs == [3, 4, 5]


async def test_replaced_log_makes_everybody_resynchronise(ward: Ward) -> None:
    """A restored backup: another epoch, perhaps a lower head; viewers get a resync and live events after it."""
    ward.log.epochs[ward.project_id] = "epoch2"
    ward.log.events[ward.project_id].clear()
    ward.log.fill(ward.project_id, 1)
    await ward.relay.check_rooms()
    await settle()
    assert ward.anna.sent[-1]["data"] == {"epoch": "epoch2", "seq": 1}
    await ward.publish(ward.project_id)
    assert ward.anna.seqs == [2]


async def test_replaced_log_is_found_by_the_one_who_joins(ward: Ward) -> None:
    """Somebody joining after a restore does not wait for the check, and joins the new log."""
    ward.log.epochs[ward.project_id] = "epoch2"
    boris = await ward.connect(BORIS)
    data = await boris.join(ward.project_id, since={"epoch": "epoch1", "seq": 1})
    assert (data["epoch"], data["recovered"], data["reason"]) == ("epoch2", False, "epoch_changed")
    assert ward.anna.sent[-1]["type"] == "resync"


async def test_log_trimmed_beyond_the_room_makes_everybody_resynchronise(ward: Ward) -> None:
    """When events were trimmed before this server had them, the room goes on from the head."""
    ward.log.fill(ward.project_id, 5)
    ward.log.trim(ward.project_id, 5)
    await ward.relay.check_rooms()
    await settle()
    assert ward.anna.sent[-1] == {
        "type": "resync",
        "project_id": str(ward.project_id),
        "data": {"epoch": "epoch1", "seq": 7},
    }
    assert ward.room.floor == 5
    await ward.publish(ward.project_id)
    assert ward.anna.seqs == [8]


async def test_log_trimmed_to_nothing_makes_everybody_resynchronise(ward: Ward) -> None:
    """Even when no event is left at all the room gets to its head."""
    ward.log.fill(ward.project_id, 5)
    ward.log.trim(ward.project_id, 7)
    boris = await ward.connect(BORIS)
    assert (await boris.join(ward.project_id))["seq"] == 7
    assert ward.anna.sent[-1]["type"] == "resync"


async def test_floor_follows_the_log(ward: Ward) -> None:
    """A room knows what is no longer kept, from the check and from whoever joins."""
    ward.log.trim(ward.project_id, 1)
    await ward.relay.check_rooms()
    assert ward.room.floor == 1
    ward.log.trim(ward.project_id, 2)
    boris = await ward.connect(BORIS)
    data = await boris.join(ward.project_id, since={"epoch": ward.room.epoch, "seq": 1})
    assert (data["recovered"], data["reason"]) == (False, "expired")


@pytest.mark.parametrize("cause", ["restored", "trimmed"])
async def test_permission_lost_among_missed_events_is_not_kept(ward: Ward, cause: str) -> None:
    """A removal that was trimmed, or is not in the restored log, still puts the person out before anything goes on."""
    boris = await ward.connect(BORIS)
    await boris.join(ward.project_id)
    del ward.directory.roles[ward.project_id, BORIS.id]
    ward.directory.roles[ward.project_id, ANNA.id] = Role.VIEWER
    ward.log.fill(ward.project_id, 3)
    if cause == "trimmed":
        ward.log.trim(ward.project_id, 4)
    else:
        ward.log.epochs[ward.project_id] = "epoch2"
    await ward.relay.check_rooms()
    await settle()
    await ward.publish(ward.project_id)
    assert boris.sent[-1]["data"] == {"reason": "revoked"}
    assert boris.seqs == []
    assert ward.anna.seqs == [6]
    assert ward.anna.connection.cursors[ward.project_id].role is Role.VIEWER


async def test_viewer_who_leaves_while_permissions_are_asked_is_no_matter(ward: Ward) -> None:
    """Somebody goes and somebody comes in the middle of a jump: it ends all the same, and asks the newcomer too."""
    ward.directory.gate.clear()
    ward.log.epochs[ward.project_id] = "epoch2"
    await ward.relay.check_rooms()
    await settle()
    ward.hub.manager.leave_project(ward.anna.connection, ward.project_id)
    ward.directory.gate.set()
    await settle()
    assert ward.relay._repairs == {}
    assert ward.hub.manager.rooms == {}


async def test_newcomer_during_a_jump_is_asked_too(ward: Ward) -> None:
    """A viewer added while the others' permissions are being asked keeps no permission unasked."""
    boris = await ward.connect(BORIS)
    ward.directory.gate.clear()
    ward.log.epochs[ward.project_id] = "epoch2"
    await ward.relay.check_rooms()
    await settle()
    ward.hub.manager.join_project(boris.connection, ward.room, since=None, role=Role.OWNER)
    ward.directory.gate.set()
    await settle()
    assert boris.connection.cursors[ward.project_id].role is Role.EDITOR


async def test_room_that_moved_while_permissions_are_asked_is_not_thrown_back(ward: Ward) -> None:
    """When a publication brought the room on meanwhile, the jump begins anew with what is true now."""
    ward.log.fill(ward.project_id, 5)
    ward.log.trim(ward.project_id, 6)
    ward.directory.gate.clear()
    await ward.relay.check_rooms()
    await settle()
    ward.room.restart(LogHead("epoch1", 7, 6))
    ward.log.append(ward.project_id)
    ward.directory.gate.set()
    await settle()
    assert ward.room.head == LogHead("epoch1", 8, 6)


async def test_forgotten_room_is_not_repaired(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repair whose room was forgotten stops: no event of it reaches the room opened after it, and it never spins."""
    monkeypatch.setattr(relay_module, "REPAIR_BATCH", 2)
    old = ward.room
    ward.log.gate.clear()
    ward.hint(ward.log.fill(ward.project_id, 4)[3])
    await settle()
    ward.hub.manager.leave_project(ward.anna.connection, ward.project_id)
    await ward.remove_member(ward.project_id, BORIS)
    ward.log.gate.set()
    await settle()
    assert ward.relay._repairs == {}
    assert old.seq == 2


async def test_repair_of_a_forgotten_room_takes_nothing_from_its_successor(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removed and added again: a late repair of the old room must not put out who has joined the new one since."""
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def slow_read(project_id: UUID, since: int, limit: int) -> list[Event]:
        reading.set()
        await go_on.wait()
        return await ward.log.read(project_id, since, limit)

    monkeypatch.setattr(ward.relay, "_read_log", slow_read)
    ward.log.append(ward.project_id, EventType.PROJECT_MEMBER_REMOVED, {"user_id": str(BORIS.id)})
    added = {"user_id": str(BORIS.id), "role": "editor"}
    ward.hint(ward.log.append(ward.project_id, EventType.PROJECT_MEMBER_ADDED, added))
    await reading.wait()
    ward.hub.manager.leave_project(ward.anna.connection, ward.project_id)
    boris = await ward.connect(BORIS)
    await boris.join(ward.project_id)
    go_on.set()
    await settle()
    assert boris.connection.is_in_project(ward.project_id)


async def test_repair_of_an_old_room_does_not_stand_in_for_the_new_one(ward: Ward) -> None:
    """A room opened while its predecessor is being repaired gets a repair of its own."""
    ward.log.gate.clear()
    ward.hint(ward.log.fill(ward.project_id, 2)[1])
    await settle()
    ward.hub.manager.leave_project(ward.anna.connection, ward.project_id)
    room = await ward.relay.enter(ward.project_id, LogHead("epoch1", 3, 0))
    assert room in ward.relay._repairs
    ward.log.gate.set()
    await settle()
    assert room.seq == 4


async def test_room_emptied_by_an_event_takes_no_more(ward: Ward) -> None:
    """A project deleted in the middle of a repair: everybody is out, and the rest is not shown to anybody."""
    ward.log.append(ward.project_id)
    ward.log.append(ward.project_id, EventType.PROJECT_DELETED, {})
    ward.hint(ward.log.append(ward.project_id))
    await settle()
    assert 5 not in ward.anna.seqs
    assert ward.anna.sent[-1]["data"] == {"reason": "deleted"}
    assert ward.hub.manager.rooms == {}


async def test_check_forgets_empty_rooms_and_unknown_projects(ward: Ward) -> None:
    """A room opened for somebody who went before joining does not stay; nor one whose project's row is gone."""
    empty, gone = ward.directory.project(), uuid4()
    for project_id in (empty, gone):
        ward.hub.manager.open_room(project_id, LogHead("epoch1", 0, 0))
    await ward.relay.check_rooms()
    assert list(ward.hub.manager.rooms) == [ward.project_id]


async def test_room_forgotten_while_the_heads_are_read(ward: Ward) -> None:
    """A room that closes during a check is not brought back by it."""
    ward.log.gate.clear()
    checking = asyncio.create_task(ward.relay.check_rooms())
    await settle()
    ward.hub.manager.leave_project(ward.anna.connection, ward.project_id)
    ward.log.gate.set()
    await checking
    assert ward.hub.manager.rooms == {}


async def test_ended_sessions_are_found_without_being_told(ward: Ward) -> None:
    """The sweep closes the sockets of a session whose end was not signalled, and nobody else's."""
    boris = await ward.connect(BORIS)
    await ward.relay.check_sessions()
    ward.directory.dead_sessions = {BORIS.session_id, uuid4()}
    await ward.relay.check_sessions()
    assert boris.connection.close_code == CloseCode.LOGGED_OUT
    assert ward.anna.connection.close_code is None


async def test_sessions_that_were_ended_all_go_at_once(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are: nobody waits for a turn whose session another process has ended."""
    monkeypatch.setattr(relay_module, "LOOKUP_BATCH", 1)
    boris, clara = await ward.connect(BORIS), await ward.connect(make_user("Clara"))
    ward.directory.ended_sessions = {ANNA.session_id, BORIS.session_id, uuid4()}
    await ward.relay.check_sessions()
    codes = [peer.connection.close_code for peer in (ward.anna, boris, clara)]
    assert codes == [CloseCode.LOGGED_OUT, CloseCode.LOGGED_OUT, None]


async def test_many_sessions_are_swept_in_turn(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, one query asks a bounded number, and each has its turn."""
    monkeypatch.setattr(relay_module, "LOOKUP_BATCH", 1)
    boris = await ward.connect(BORIS)
    ward.directory.dead_sessions = {ANNA.session_id, BORIS.session_id}
    await ward.relay.check_sessions()
    assert len({ward.anna.connection.close_code, boris.connection.close_code}) == 2
    await ward.relay.check_sessions()
    assert ward.anna.connection.close_code == boris.connection.close_code == CloseCode.LOGGED_OUT


async def test_many_rooms_are_compared_in_parts(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rooms are open, one query asks a bounded number."""
    monkeypatch.setattr(relay_module, "LOOKUP_BATCH", 1)
    other = ward.directory.project(ANNA)
    await ward.anna.join(other)
    for project_id in (ward.project_id, other):
        ward.log.append(project_id)
    await ward.relay.check_rooms()
    await settle()
    assert sorted(ward.anna.seqs) == [1, 3]


async def test_sweep_without_anybody_asks_nothing() -> None:
    """An idle server leaves its database alone."""
    async with Ward() as ward:
        ward.log.failure = OSError("asked")
        await ward.relay.check_rooms()
        await ward.relay.check_sessions()


async def test_join_racing_with_a_removal_never_leaks(ward: Ward) -> None:
    """A permission read before a removal that the room has heard of is read again."""
    boris = await ward.connect(BORIS)
    reads: list[int] = []

    def removed_meanwhile() -> None:
        reads.append(1)
        if len(reads) == 1:
            del ward.directory.roles[ward.project_id, BORIS.id]
            removal = ward.log.append(ward.project_id, EventType.PROJECT_MEMBER_REMOVED, {"user_id": str(BORIS.id)})
            ward.hint(removal)

    ward.directory.entering = removed_meanwhile
    (answer,) = await boris.say("join_project", project_id=ward.project_id, id=1)
    assert answer["data"]["code"] == "not_found"
    await ward.publish(ward.project_id)
    assert boris.seqs == []


async def test_join_racing_with_an_unheard_removal_ends_with_it(ward: Ward) -> None:
    """A removal whose publication was lost: the room's repair puts the newcomer out before anything after it."""
    boris = await ward.connect(BORIS)
    other = ward.directory.project(BORIS, events=1)

    def removed_meanwhile() -> None:
        if ward.directory.roles.pop((other, BORIS.id), None) is not None:
            ward.log.append(other, EventType.PROJECT_MEMBER_REMOVED, {"user_id": str(BORIS.id)})
            ward.log.append(other)

    ward.directory.entering = removed_meanwhile
    messages = await boris.say("join_project", project_id=other, id=1)
    assert [message["type"] for message in messages] == ["project_joined", "project_left"]


async def test_replay_does_not_run_past_a_removal_the_room_has_not_heard_of(ward: Ward) -> None:
    """Removed between the reading of the permission and the reading of the log: the replay stops before it."""
    boris = await ward.connect(BORIS)
    ward.log.gate.clear()
    joining = asyncio.create_task(
        boris.say("join_project", id=1, project_id=ward.project_id, since={"epoch": ward.room.epoch, "seq": 0})
    )
    await settle()
    del ward.directory.roles[ward.project_id, BORIS.id]
    removal = ward.log.append(ward.project_id, EventType.PROJECT_MEMBER_REMOVED, {"user_id": str(BORIS.id)})
    secret = ward.log.append(ward.project_id)
    ward.log.gate.set()
    await joining
    await settle()
    assert boris.seqs == [1, 2]
    ward.hint(removal, secret)
    await settle()
    assert boris.sent[-1]["type"] == "project_left"
    assert boris.seqs == [1, 2]


async def test_anonymous_viewer_of_a_project_made_private_meanwhile(ward: Ward) -> None:
    """The same for somebody without an account."""
    ward.directory.visibility[ward.project_id] = Visibility.PUBLIC
    nobody = await ward.connect()

    def made_private() -> None:
        if ward.directory.visibility[ward.project_id] is Visibility.PUBLIC:
            ward.directory.visibility[ward.project_id] = Visibility.PRIVATE
            ward.hint(ward.log.append(ward.project_id, EventType.PROJECT_UPDATED, {"visibility": "private"}))

    ward.directory.entering = made_private
    (answer,) = await nobody.say("join_project", project_id=ward.project_id, id=1)
    assert answer["data"]["code"] == "not_found"


async def test_persons_rooms_are_checked_in_turn(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody may have one, so a check looks at some of them; what was lost is found when their turn comes."""
    monkeypatch.setattr(relay_module, "LOOKUP_BATCH", 1)
    for user in (ANNA, BORIS):
        ward.log.events[user.id] = []
    boris = await ward.connect(BORIS)
    for peer in (ward.anna, boris):
        await peer.say("join_user")
    for user in (ANNA, BORIS):
        ward.log.events[user.id] = [make_event(user.id, 1)]
    await ward.relay.check_rooms()
    await settle()
    assert sorted([ward.anna.seqs, boris.seqs]) == [[], [1]]
    await ward.relay.check_rooms()
    await settle()
    assert (ward.anna.seqs, boris.seqs) == ([1], [1])


async def test_stream_that_begins_anew_stays_its_owners(ward: Ward) -> None:
    """After a jump its reader is asked whether they may read it, and may; nothing is revoked."""
    ward.log.events[ANNA.id] = []
    await ward.anna.say("join_user")
    ward.log.epochs[ANNA.id] = "restored"
    await ward.relay.check_rooms()
    await settle()
    assert ward.anna.sent[-1] == {"type": "resync", "data": {"epoch": "restored", "seq": 0}}
