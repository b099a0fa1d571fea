"""The connections and rooms of one server."""

from uuid import uuid4

import pytest

from app.permissions import Role
from app.services.history import LogHead
from app.websocket.connection import Connection, SocketUser
from app.websocket.events import EventType, UserEvent
from app.websocket.manager import ConnectionManager
from app.websocket.protocol import CloseCode, encode
from tests.support.realtime import EPOCH, FakeClock, FakeLog, FakeTransport, make_user, settle

HEAD = LogHead(EPOCH, 0, 0)


def connect(manager: ConnectionManager, user: SocketUser | None = None) -> Connection:
    connection = Connection(FakeTransport(), user)
    manager.connect(connection)
    return connection


async def types(connection: Connection) -> list[str]:
    """Return the types of what it has been sent."""
    await settle()
    assert isinstance(connection.transport, FakeTransport)
    return connection.transport.types


async def test_nothing_is_left_of_a_connection_that_went() -> None:
    """Rooms, users and the connection itself are forgotten; the totals remain; going twice is harmless."""
    manager, log = ConnectionManager(), FakeLog()
    connection = connect(manager, make_user())
    room = manager.open_room(uuid4(), HEAD)
    manager.join_project(connection, room, since=None, role=None)
    for event in log.fill(room.project_id, 5):
        room.append(event.seq, event.encoded)
    connection.send_json({"type": "pong"})
    connection.send_json({"type": "pong"})
    await settle()
    for _ in range(2):
        manager.disconnect(connection)
    assert (manager.connections, manager.rooms, manager._by_user) == ({}, {}, {})
    stats = manager.get_stats()
    assert (stats["total_connections"], stats["messages_sent"], stats["events_delivered"]) == (1, 7, 5)


async def test_closing_connection_is_cleaned_up_too() -> None:
    """A connection whose end was decided before it is let go leaves no empty room behind."""
    manager = ConnectionManager()
    connection = connect(manager)
    manager.join_project(connection, manager.open_room(uuid4(), HEAD), since=None, role=None)
    connection.close(CloseCode.NORMAL, "")
    manager.disconnect(connection)
    assert manager.rooms == {}


def test_user_with_two_connections_stays_until_both_are_gone() -> None:
    """A user is known while one connection is."""
    manager, user = ConnectionManager(), make_user()
    one, two = connect(manager, user), connect(manager, user)
    assert manager.connections_of(user.id) == {one, two}
    manager.disconnect(one)
    assert manager.connections_of(user.id) == {two}
    manager.disconnect(two)
    assert manager.connections_of(user.id) == set()


def test_limits() -> None:
    """The server's limit holds for all, the user's for each."""
    manager, user = ConnectionManager(max_connections=3, max_connections_per_user=1), make_user()
    assert manager.why_full(user.id) is None
    connect(manager, user)
    assert manager.why_full(user.id) is CloseCode.TOO_MANY
    assert manager.why_full(make_user().id) is None
    assert manager.why_full(None) is None
    connect(manager)
    connect(manager)
    assert manager.why_full(user.id) is manager.why_full(None) is CloseCode.TRY_LATER


def test_anonymous_connection_that_signed_in_is_its_users() -> None:
    """After `identify` a connection is found by its user; an anonymous one is nobody's."""
    manager, user = ConnectionManager(), make_user()
    connection = connect(manager)
    manager.identify(connection)
    assert manager.get_stats()["authenticated_users"] == 0
    connection.user = user
    manager.identify(connection)
    assert manager.connections_of(user.id) == {connection}
    connect(manager)
    assert manager.connections_by_session() == {user.session_id: [connection]}
    assert manager.get_stats()["anonymous_connections"] == 1


def test_connections_from_one_address_are_counted() -> None:
    """While they are open; an address nobody comes from any more is forgotten."""
    manager = ConnectionManager()
    connections = [Connection(FakeTransport(), network=network) for network in ("a", "a", "b")]
    for connection in connections:
        manager.connect(connection)
    assert [manager.count_from(network) for network in "abc"] == [2, 1, 0]
    for connection in connections[1:]:
        manager.disconnect(connection)
    assert [manager.count_from(network) for network in "abc"] == [1, 0, 0]
    assert manager._by_network == {"a": 1}


async def test_join_reads_from_the_head_or_from_a_position() -> None:
    """Without a position reading begins at the head; with one after it, and a replay is counted if there is any."""
    manager = ConnectionManager(FakeLog().read)
    room = manager.open_room(uuid4(), LogHead(EPOCH, 5, 0))
    assert manager.open_room(room.project_id, HEAD) is room
    for since, seq, replays in ((None, 5, 0), (5, 5, 0), (2, 2, 1)):
        connection = connect(manager)
        manager.join_project(connection, room, since=since, role=Role.VIEWER)
        cursor = connection.cursors[room.project_id]
        assert (cursor.seq, cursor.epoch, cursor.role) == (seq, EPOCH, Role.VIEWER)
        assert manager.replays == replays
    assert len(manager.viewers(room.project_id)) == 3


def test_leaving_the_last_forgets_the_room() -> None:
    """A room lives while somebody reads it; leaving what one does not read says so."""
    manager, (one, two) = ConnectionManager(), (Connection(FakeTransport()), Connection(FakeTransport()))
    room = manager.open_room(uuid4(), HEAD)
    for connection in (one, two):
        manager.join_project(connection, room, since=None, role=None)
    assert manager.leave_project(one, room.project_id)
    assert manager.is_open(room)
    assert manager.leave_project(two, room.project_id)
    assert not manager.is_open(room)
    assert not manager.leave_project(two, room.project_id)
    assert manager.viewers(room.project_id) == set()


async def test_revoke_puts_out_whom_it_means() -> None:
    """Matching viewers are told and read no more, also not as somebody who looks at a card; others stay."""
    manager, anna, boris = ConnectionManager(), make_user("Anna"), make_user("Boris")
    room = manager.open_room(uuid4(), HEAD)
    staying, leaving = connect(manager, anna), connect(manager, boris)
    for connection in (staying, leaving):
        manager.join_project(connection, room, since=None, role=Role.EDITOR)
        connection.viewing[room.project_id] = uuid4()
    assert manager.revoke(room.project_id, lambda viewer: viewer.user_id == boris.id, "revoked") == 1
    assert (await types(staying), await types(leaving)) == ([], ["project_left"])
    assert (staying.is_in_project(room.project_id), leaving.is_in_project(room.project_id)) == (True, False)
    assert leaving.viewing == {}


def test_role_is_set_while_the_room_is_read() -> None:
    """A new role reaches the cursor, and nobody who has left."""
    manager = ConnectionManager()
    connection, room = connect(manager), manager.open_room(uuid4(), HEAD)
    manager.set_role(connection, room, Role.ADMIN)
    manager.join_project(connection, room, since=None, role=Role.VIEWER)
    manager.set_role(connection, room, Role.ADMIN)
    assert connection.cursors[room.project_id].role is Role.ADMIN


async def test_broadcasts_reach_whom_they_name() -> None:
    """To a project's viewers but one, to a user's connections, to all: the number says how many."""
    manager, user = ConnectionManager(), make_user()
    viewer, author, other = connect(manager, user), connect(manager, user), connect(manager)
    room = manager.open_room(uuid4(), HEAD)
    for connection in (viewer, author):
        manager.join_project(connection, room, since=None, role=None)
    event = UserEvent(EventType.TYPING, {}, room.project_id, user.id)
    assert manager.broadcast_to_project(room.project_id, event, exclude=author) == 1
    assert manager.broadcast_to_project(room.project_id, event, exclude=other) == 2
    assert manager.broadcast_to_project(uuid4(), event) == 0
    assert manager.broadcast_to_user(user.id, encode("notification")) == 2
    assert manager.broadcast_to_all(encode("reconnect")) == 3
    assert await types(viewer) == ["typing", "typing", "notification", "reconnect"]
    assert await types(author) == ["typing", "notification", "reconnect"]
    assert await types(other) == ["reconnect"]


async def test_close_all() -> None:
    """Every one of them is given the same end."""
    manager = ConnectionManager()
    connections = [connect(manager), connect(manager)]
    manager.close_all(connections, CloseCode.LOGGED_OUT, "over")
    assert [connection.close_code for connection in connections] == [CloseCode.LOGGED_OUT] * 2


def test_stats_count_and_name_details_on_request_only() -> None:
    """Numbers for everybody; ids of rooms and users only when asked for."""
    clock, user = FakeClock(), make_user()
    manager = ConnectionManager(clock=clock)
    connection = connect(manager, user)
    connect(manager)
    room = manager.open_room(uuid4(), HEAD)
    manager.join_project(connection, room, since=None, role=None)
    clock.now += 12.3456
    stats = manager.get_stats()
    assert stats == {
        "active_connections": 2,
        "authenticated_users": 1,
        "anonymous_connections": 1,
        "active_rooms": 1,
        "total_connections": 2,
        "messages_sent": 0,
        "messages_received": 0,
        "events_delivered": 0,
        "replays": 0,
        "uptime_s": 12.346,
    }
    details = manager.get_stats(details=True)
    assert details["rooms"] == {str(room.project_id): 1}
    assert details["users"] == {str(user.id): 1}


async def test_manager_without_a_log_serves_live_events_alone() -> None:
    """With no log to read, somebody behind gets a resync instead of hanging."""
    room = ConnectionManager().open_room(uuid4(), LogHead(EPOCH, 5, 0))
    assert await room.read(3) is None
    assert room.floor == 5


@pytest.mark.parametrize("tail", [1, 3])
async def test_tail_size_is_set(tail: int) -> None:
    """Rooms get the tail they are configured to have."""
    log = FakeLog()
    room = ConnectionManager(log.read, max_tail_events=tail).open_room(uuid4(), HEAD)
    for event in log.fill(room.project_id, 5):
        room.append(event.seq, event.encoded)
    await room.read(5 - tail)
    assert log.readings == []
    await room.read(4 - tail)
    assert len(log.readings) == 1
