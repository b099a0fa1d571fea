"""Who is online, over several servers, with a grace period."""

from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from app.websocket.events import EventType, UserEvent
from app.websocket.presence import ANNOUNCE_S, SERVER_SILENT_S, Presence
from tests.support.realtime import FakeClock, eventually, make_user

P, Q = uuid4(), uuid4()
ANNA, BORIS = make_user("Anna"), make_user("Boris")
Shown = list[tuple[str, UUID]]


class Cluster:
    """Servers that hear each other's announcements at once, and note what each shows to its rooms."""

    def __init__(self, count: int = 1, grace_s: float = 0) -> None:
        self.clock = FakeClock()
        self.shown: list[Shown] = [[] for _ in range(count)]
        self.is_cut = False
        self.servers = [
            Presence(str(n), self._shower(n), self._announcer(n), grace_s=grace_s, clock=self.clock)
            for n in range(count)
        ]

    def _shower(self, number: int) -> Any:
        def show(project_id: UUID, event: UserEvent) -> None:
            assert event.project_id == project_id
            self.shown[number].append((event.type.value, project_id))

        return show

    def _announcer(self, number: int) -> Any:
        def announce(data: dict[str, Any]) -> None:
            if not self.is_cut:
                for server in self.servers:
                    server.on_signal(str(number), data)

        return announce

    def take_shown(self) -> list[Shown]:
        """Return what was shown since the last look."""
        taken, self.shown[:] = list(self.shown), [[] for _ in self.shown]
        return taken


def online(presence: Presence, project_id: UUID = P) -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = orjson.loads(presence.online(project_id))
    return people


def ids(presence: Presence, project_id: UUID = P) -> list[str]:
    return [entry["user_id"] for entry in online(presence, project_id)]


def test_first_connection_is_shown_to_the_rooms_of_the_persons_projects() -> None:
    """The first device brings a person online in each of their projects; further ones only count."""
    cluster = Cluster()
    (server,) = cluster.servers
    server.arrive(ANNA.id, "Anna", [P, Q])
    assert sorted(cluster.take_shown()[0]) == sorted([("user_online", P), ("user_online", Q)])
    server.arrive(ANNA.id, "Anna", [P, Q])
    assert cluster.take_shown() == [[]]
    assert online(server) == [{"user_id": str(ANNA.id), "name": "Anna", "devices": 2, "viewing": None}]
    assert online(server, uuid4()) == []


def test_project_left_elsewhere_is_forgotten_at_the_next_connection() -> None:
    """A new connection brings the truth about somebody's projects with it."""
    (server,) = Cluster().servers
    server.arrive(ANNA.id, "Anna", [P, Q])
    server.arrive(ANNA.id, "Anna", [Q])
    assert (ids(server, P), ids(server, Q)) == ([], [str(ANNA.id)])


def test_last_connection_takes_the_person_offline() -> None:
    """Only when the last device has gone, and then in each project."""
    cluster = Cluster()
    (server,) = cluster.servers
    server.arrive(ANNA.id, "Anna", [P])
    server.arrive(ANNA.id, "Anna", [P])
    cluster.take_shown()
    server.depart(ANNA.id)
    assert cluster.take_shown() == [[]]
    server.depart(ANNA.id)
    assert cluster.take_shown() == [[("user_offline", P)]]
    assert ids(server) == []
    server.depart(ANNA.id)
    assert cluster.take_shown() == [[]]


async def test_reload_within_the_grace_period_is_not_seen() -> None:
    """Somebody who comes back in time was never away, and has a device all the while."""
    cluster = Cluster(grace_s=3600)
    (server,) = cluster.servers
    server.arrive(ANNA.id, "Anna", [P])
    cluster.take_shown()
    server.depart(ANNA.id)
    assert online(server)[0]["devices"] == 1
    server.depart(ANNA.id)
    server.arrive(ANNA.id, "Anna", [P])
    assert cluster.take_shown() == [[]]
    assert server._leaving == {}
    assert online(server)[0]["devices"] == 1


async def test_grace_period_ends() -> None:
    """Somebody who does not come back goes offline after it."""
    cluster = Cluster(grace_s=0.01)
    (server,) = cluster.servers
    server.arrive(ANNA.id, "Anna", [P])
    server.depart(ANNA.id)
    assert ids(server) == [str(ANNA.id)]
    await eventually(lambda: ids(server) == [])
    assert cluster.take_shown()[0][-1] == ("user_offline", P)


async def test_logout_has_no_grace() -> None:
    """Who signs out is offline at once."""
    cluster = Cluster(grace_s=3600)
    (server,) = cluster.servers
    server.arrive(ANNA.id, "Anna", [P])
    server.depart(ANNA.id, at_once=True)
    assert ids(server) == []
    assert server._leaving == {}


async def test_stop_forgets_the_timers() -> None:
    """A server that stops shows nothing afterwards."""
    server = Cluster(grace_s=3600).servers[0]
    server.arrive(ANNA.id, "Anna", [P])
    server.depart(ANNA.id)
    (timer,) = server._leaving.values()
    server.stop()
    assert timer.cancelled()
    assert ids(server) == [str(ANNA.id)]


def test_devices_are_counted_over_servers() -> None:
    """A person on two servers is one person; they go offline when the last device anywhere goes."""
    cluster = Cluster(2)
    one, two = cluster.servers
    one.arrive(ANNA.id, "Anna", [P])
    assert cluster.take_shown() == [[("user_online", P)], [("user_online", P)]]
    two.arrive(ANNA.id, "Anna", [P])
    assert cluster.take_shown() == [[], []]
    assert online(one) == online(two)
    assert online(one)[0]["devices"] == 2
    one.depart(ANNA.id)
    assert cluster.take_shown() == [[], []]
    two.depart(ANNA.id)
    assert cluster.take_shown() == [[("user_offline", P)], [("user_offline", P)]]


def test_card_somebody_looks_at_is_known_everywhere() -> None:
    """Viewing is part of presence, until it ends."""
    cluster, task_id = Cluster(2), uuid4()
    one, two = cluster.servers
    one.arrive(ANNA.id, "Anna", [P])
    one.view(ANNA.id, P, task_id)
    assert online(one)[0]["viewing"] == online(two)[0]["viewing"] == str(task_id)
    one.view(ANNA.id, P, None)
    assert online(one)[0]["viewing"] is online(two)[0]["viewing"] is None
    one.view(BORIS.id, P, task_id)
    assert ids(one) == [str(ANNA.id)]


def test_server_that_falls_silent_takes_its_people_with_it() -> None:
    """Within 30 s, counting the longest time between two looks; one that announces itself stays."""
    assert SERVER_SILENT_S + ANNOUNCE_S <= 30
    cluster = Cluster(2)
    one, two = cluster.servers
    one.arrive(ANNA.id, "Anna", [P])
    two.arrive(BORIS.id, "Boris", [P])
    cluster.take_shown()
    cluster.clock.now += SERVER_SILENT_S
    two.announce_all()
    assert len(ids(one)) == len(ids(two)) == 2
    cluster.is_cut = True
    cluster.clock.now += 1
    two.announce_all()
    assert ids(two) == [str(BORIS.id)]
    assert cluster.take_shown() == [[], [("user_offline", P)]]
    assert "0" not in two._others


def test_announcement_repairs_what_was_lost() -> None:
    """A server that missed signals learns the whole truth from the next announcement."""
    cluster = Cluster(2)
    one, two = cluster.servers
    one.arrive(ANNA.id, "Anna", [P])
    cluster.take_shown()
    cluster.is_cut = True
    one.depart(ANNA.id)
    one.arrive(BORIS.id, "Boris", [P])
    assert ids(two) == [str(ANNA.id)]
    cluster.is_cut = False
    one.announce_all()
    assert ids(two) == [str(BORIS.id)]
    assert set(cluster.take_shown()[1]) == {("user_offline", P), ("user_online", P)}


def test_new_and_lost_members_come_and_go() -> None:
    """Somebody connected who becomes a member is online there; removed, they and what they looked at are gone."""
    cluster = Cluster(2)
    one, two = cluster.servers
    one.arrive(ANNA.id, "Anna", [])
    cluster.take_shown()
    one.set_member(ANNA.id, P, is_member=True)
    assert cluster.take_shown()[0] == [("user_online", P)]
    assert ids(one) == ids(two) == [str(ANNA.id)]
    one.view(ANNA.id, P, uuid4())
    one.set_member(ANNA.id, P, is_member=True)
    assert cluster.take_shown() == [[], []]
    one.set_member(ANNA.id, P, is_member=False)
    assert cluster.take_shown()[0] == [("user_offline", P)]
    assert ids(one) == ids(two) == []
    one.set_member(ANNA.id, P, is_member=True)
    assert online(one)[0]["viewing"] is None


def test_membership_learned_on_a_second_server_reaches_the_first() -> None:
    """The server somebody is connected to tells their new membership on, even when the others knew it already."""
    cluster = Cluster(2)
    one, two = cluster.servers
    one.arrive(ANNA.id, "Anna", [])
    two.set_member(ANNA.id, P, is_member=True)
    assert ids(two) == [str(ANNA.id)]
    one.set_member(ANNA.id, P, is_member=True)
    one.announce_all()
    assert ids(two) == [str(ANNA.id)]


def test_membership_that_one_server_knew_already_is_shown_once() -> None:
    """Where one server has heard of somebody's new project, the other learns it, and nobody hears of it twice."""
    cluster = Cluster(2)
    first, second = cluster.servers
    cluster.is_cut = True
    first.arrive(ANNA.id, "Anna", [P])
    second.arrive(ANNA.id, "Anna", [])
    cluster.is_cut = False
    first.announce_all()
    second.announce_all()
    cluster.take_shown()
    second.set_member(ANNA.id, P, is_member=True)
    assert cluster.take_shown()[1] == []
    assert ids(second) == [str(ANNA.id)]


def test_membership_of_somebody_who_is_not_here_shows_nothing() -> None:
    """Nobody is told about a person who is offline."""
    cluster = Cluster()
    cluster.servers[0].set_member(ANNA.id, P, is_member=True)
    assert cluster.take_shown() == [[]]


def test_server_on_its_own_tells_nobody() -> None:
    """It has nobody to announce to, and shows its rooms the same."""
    shown: list[str] = []
    server = Presence("0", lambda _, event: shown.append(event.type.value), None, grace_s=0)
    server.arrive(ANNA.id, "Anna", [P])
    server.announce_all()
    server.depart(ANNA.id)
    assert shown == ["user_online", "user_offline"]


@pytest.mark.parametrize("type_", [EventType.USER_ONLINE, EventType.USER_OFFLINE])
def test_change_is_told_with_who_it_is(type_: EventType) -> None:
    """Coming tells the whole entry, going who it was."""
    events: list[UserEvent] = []
    server = Presence("0", lambda _, event: events.append(event), lambda _: None, grace_s=0)
    server.arrive(ANNA.id, "Anna", [P])
    server.depart(ANNA.id)
    (event,) = [event for event in events if event.type is type_]
    who = {"user_id": str(ANNA.id), "name": "Anna"}
    came = {"devices": 1, "viewing": None} if type_ is EventType.USER_ONLINE else {}
    assert event.data == who | came
    assert event.user_id == ANNA.id
