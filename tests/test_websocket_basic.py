"""The realtime side at a glance: the specification's 25 tests on its public names."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx2
import orjson
import pytest

from app.main import create_app
from app.permissions import Role
from app.services.history import LogHead
from app.websocket.connection import Connection
from app.websocket.events import CommentEvent, EventType, ProjectEvent, TaskEvent, WebSocketEvent
from app.websocket.framing import payloads
from app.websocket.handlers import WebSocketHandler
from app.websocket.manager import ConnectionManager
from app.websocket.protocol import CloseCode
from tests.support.http import http_client
from tests.support.realtime import EPOCH, Bench, FakeLog, FakeTransport, connect, make_room, make_user, settle
from tests.support.server import make_settings, migrated

ANNA, BORIS = make_user("Anna"), make_user("Boris")


class TestConnection:
    """One socket: who it is, what it reads, what it writes."""

    def test_anonymous(self) -> None:
        """Without a user it is nobody's."""
        connection = Connection(FakeTransport())
        assert connection.user_id is None
        assert not connection.is_authenticated

    def test_authenticated(self) -> None:
        """With one it is theirs, and every connection has a name of its own."""
        connection = Connection(FakeTransport(), ANNA)
        assert connection.user_id == ANNA.id
        assert connection.is_authenticated
        assert connection.id != Connection(FakeTransport(), ANNA).id

    async def test_joins_and_leaves_projects(self) -> None:
        """It is in a project from opening its cursor to closing it."""
        connection, room = Connection(FakeTransport()), make_room(FakeLog())
        assert not connection.is_in_project(room.project_id)
        connection.open_cursor(room, 0, Role.EDITOR)
        assert connection.is_in_project(room.project_id)
        assert connection.close_cursor(room.project_id)
        assert not connection.is_in_project(room.project_id)

    async def test_sends_json_and_text(self) -> None:
        """Messages are written in the order they were given."""
        transport = FakeTransport()
        connection = connect(transport)
        connection.send_json({"type": "notification", "data": {"text": "Привет"}})
        connection.send_text(b'{"type":"pong"}')
        await settle()
        assert transport.sent == [{"type": "notification", "data": {"text": "Привет"}}, {"type": "pong"}]
        assert connection.messages_sent == 2

    async def test_reads_a_room_from_its_position(self) -> None:
        """A cursor gets what was missed and then what comes, each event once."""
        transport, log = FakeTransport(), FakeLog()
        connection, room = connect(transport), make_room(log, events=5)
        connection.open_cursor(room, 3, Role.VIEWER)
        await settle()
        for event in log.fill(room.project_id, 2):
            room.append(event.seq, event.encoded)
        await settle()
        assert transport.seqs == [4, 5, 6, 7]

    async def test_slow_peer_delays_nobody_and_loses_nothing(self) -> None:
        """While one peer takes nothing the other gets everything; the slow one reads on later."""
        transports, log = (FakeTransport(), FakeTransport()), FakeLog()
        room = make_room(log)
        for transport in transports:
            connect(transport).open_cursor(room, 0, None)
        transports[0].block()
        for event in log.fill(room.project_id, 50):
            room.append(event.seq, event.encoded)
        await settle()
        assert [len(transport.seqs) for transport in transports] == [0, 50]
        transports[0].unblock()
        await settle()
        assert transports[0].seqs == list(range(1, 51))

    async def test_closes_with_a_code(self) -> None:
        """Its end is decided once, and told with a code."""
        transport = FakeTransport()
        connection = connect(transport)
        connection.close(CloseCode.LOGGED_OUT, "this session has ended")
        connection.close(CloseCode.NORMAL, "")
        await settle()
        assert transport.closed == (4410, "this session has ended")


class TestConnectionManager:
    """All connections of a server, and the rooms they are in."""

    def connect(self, manager: ConnectionManager, *, user: bool = False) -> Connection:
        connection = Connection(FakeTransport(), ANNA if user else None)
        manager.connect(connection)
        return connection

    def test_connect(self) -> None:
        """A connection taken in is counted and found by its user."""
        manager = ConnectionManager()
        connection = self.connect(manager, user=True)
        assert manager.connections == {connection.id: connection}
        assert manager.connections_of(ANNA.id) == {connection}

    def test_disconnect(self) -> None:
        """A connection let go is nowhere any more, and going twice is harmless."""
        manager = ConnectionManager()
        connection = self.connect(manager, user=True)
        room = manager.open_room(uuid4(), LogHead(EPOCH, 0, 0))
        manager.join_project(connection, room, since=None, role=None)
        for _ in range(2):
            manager.disconnect(connection)
        assert (manager.connections, manager.rooms) == ({}, {})
        assert manager.connections_of(ANNA.id) == set()

    def test_join_project(self) -> None:
        """Who joins is a viewer of the room, from its head on."""
        manager = ConnectionManager()
        connection = self.connect(manager)
        room = manager.open_room(uuid4(), LogHead(EPOCH, 7, 0))
        manager.join_project(connection, room, since=None, role=Role.EDITOR)
        assert manager.viewers(room.project_id) == {connection}
        assert connection.cursors[room.project_id].seq == 7

    def test_leave_project(self) -> None:
        """Who leaves is none; an empty room is forgotten."""
        manager = ConnectionManager()
        connection = self.connect(manager)
        room = manager.open_room(uuid4(), LogHead(EPOCH, 0, 0))
        manager.join_project(connection, room, since=None, role=None)
        assert manager.leave_project(connection, room.project_id)
        assert manager.rooms == {}
        assert not manager.leave_project(connection, room.project_id)

    async def test_broadcast_to_project(self) -> None:
        """Viewers of the project get it, its author and others do not."""
        async with Bench() as bench:
            project_id = bench.directory.project(ANNA, BORIS)
            anna, boris, outside = await bench.connect(ANNA), await bench.connect(BORIS), await bench.connect()
            await anna.join(project_id)
            await boris.join(project_id)
            event = TaskEvent(EventType.TASK_UPDATED, {"title": "x"}, project_id)
            assert bench.hub.manager.broadcast_to_project(project_id, event, exclude=anna.connection) == 1
            await settle()
            assert boris.sent[-1]["data"] == {"title": "x"}
            assert anna.transport.of_type("task_updated") == outside.transport.of_type("task_updated") == []

    async def test_broadcast_to_user(self) -> None:
        """Every device of the user gets it, nobody else."""
        async with Bench() as bench:
            one, two, other = await bench.connect(ANNA), await bench.connect(ANNA), await bench.connect(BORIS)
            event = WebSocketEvent(EventType.NOTIFICATION, {"text": "x"})
            assert bench.hub.manager.broadcast_to_user(ANNA.id, event) == 2
            await settle()
            assert [len(peer.transport.of_type("notification")) for peer in (one, two, other)] == [1, 1, 0]

    async def test_revoke(self) -> None:
        """Whoever loses access is put out and told; the others stay."""
        manager = ConnectionManager()
        leaving, staying = self.connect(manager, user=True), self.connect(manager)
        room = manager.open_room(uuid4(), LogHead(EPOCH, 0, 0))
        for connection in (leaving, staying):
            manager.join_project(connection, room, since=None, role=None)
        assert manager.revoke(room.project_id, lambda viewer: viewer.user_id == ANNA.id, "revoked") == 1
        assert manager.viewers(room.project_id) == {staying}
        (told,) = leaving._queue
        assert orjson.loads(next(payloads(told)))["data"] == {"reason": "revoked"}

    def test_limits(self) -> None:
        """One connection too many for a user or for the server is known before it is taken in."""
        manager = ConnectionManager(max_connections=2, max_connections_per_user=1)
        self.connect(manager, user=True)
        assert manager.why_full(ANNA.id) is CloseCode.TOO_MANY
        assert manager.why_full(BORIS.id) is None
        self.connect(manager)
        assert manager.why_full(BORIS.id) is CloseCode.TRY_LATER

    def test_stats(self) -> None:
        """What is there now, and totals that only grow."""
        manager = ConnectionManager()
        gone = self.connect(manager)
        self.connect(manager, user=True)
        manager.disconnect(gone)
        stats = manager.get_stats()
        assert (stats["active_connections"], stats["total_connections"]) == (1, 2)
        assert (stats["authenticated_users"], stats["anonymous_connections"]) == (1, 0)
        assert "users" not in stats
        assert manager.get_stats(details=True)["users"] == {str(ANNA.id): 1}


class TestWebSocketEvents:
    """The envelope of what is told."""

    def test_event_reads_as_documented(self) -> None:
        """Type, project, time, author and data, as JSON."""
        project_id = uuid4()
        event = WebSocketEvent(EventType.NOTIFICATION, {"text": "x"}, project_id, ANNA.id)
        read = orjson.loads(event.encode())
        assert read == event.to_dict()
        assert (read["type"], read["data"]) == ("notification", {"text": "x"})
        assert (read["project_id"], read["user_id"]) == (str(project_id), str(ANNA.id))
        assert read["timestamp"].endswith("Z")

    def test_classes_take_their_own_types(self) -> None:
        """A task event is about a task, a comment event about a comment, a project event about a project."""
        assert TaskEvent(EventType.TASK_MOVED).group == "task"
        assert CommentEvent(EventType.COMMENT_ADDED).group == "comment"
        assert ProjectEvent(EventType.COLUMN_CREATED).group == "project"
        for kind in (TaskEvent, CommentEvent, ProjectEvent):
            with pytest.raises(ValueError, match="is not an event of the group"):
                kind(EventType.PING)

    def test_types_have_the_documented_names(self) -> None:
        """A client compares strings, so they are the contract."""
        promised = {
            *("task_created", "task_updated", "task_moved", "task_deleted", "task_assigned"),
            *("comment_added", "comment_updated", "comment_deleted"),
            *("project_updated", "project_member_added", "project_member_removed"),
            *("user_online", "user_offline", "typing", "viewing"),
            *("error", "notification", "ping", "pong", "welcome", "authenticated"),
            *("project_joined", "project_left", "resync", "reconnect"),
        }
        assert promised <= {type_.value for type_ in EventType}


class TestWebSocketHandler:
    """What messages do."""

    async def test_connect_welcomes(self) -> None:
        """The first message says who one is, and the terms."""
        async with Bench() as bench:
            anna = await bench.connect(ANNA)
            assert isinstance(bench.hub.handler, WebSocketHandler)
            assert anna.sent[0]["type"] == "welcome"
            assert anna.sent[0]["data"]["user"] == {"id": str(ANNA.id), "name": "Anna"}
            assert anna.sent[0]["data"]["protocol"] == "timetodo.v1"

    async def test_join_asks_for_permission(self) -> None:
        """A member gets in and is told where the log stands; to others the project does not exist."""
        async with Bench() as bench:
            project_id = bench.directory.project(ANNA, events=3)
            anna, boris = await bench.connect(ANNA), await bench.connect(BORIS)
            data = await anna.join(project_id)
            assert (data["epoch"], data["seq"], data["reason"]) == (EPOCH, 3, "fresh")
            (refused,) = await boris.say("join_project", id=1, project_id=project_id)
            assert refused["data"]["code"] == "not_found"

    async def test_join_since_replays_without_a_gap(self) -> None:
        """The events after the position come, then the live ones."""
        async with Bench() as bench:
            project_id = bench.directory.project(ANNA, events=5)
            anna = await bench.connect(ANNA)
            data = await anna.join(project_id, {"epoch": EPOCH, "seq": 3})
            await bench.publish(project_id)
            assert (data["recovered"], data["replay"]) == (True, 2)
            assert anna.seqs == [4, 5, 6]

    async def test_every_message_with_an_id_gets_one_answer(self) -> None:
        """A good one its answer, a bad one an error; the connection lives."""
        async with Bench() as bench:
            nobody = await bench.connect()
            (error,) = await nobody.say("fly", id="a")
            (pong,) = await nobody.say("ping", id=2)
            assert (error["type"], error["id"], error["data"]["code"]) == ("error", "a", "unknown_type")
            assert (pong["type"], pong["id"]) == ("pong", 2)

    async def test_broadcast_task_event(self) -> None:
        """A task event is shown to the room of its project, as done by its user."""
        async with Bench() as bench:
            project_id = bench.directory.project(ANNA)
            anna = await bench.connect(ANNA)
            await anna.join(project_id)
            data = {"project_id": str(project_id), "task_id": str(uuid4()), "title": "Write"}
            assert bench.hub.handler.broadcast_task_event(EventType.TASK_CREATED, data, BORIS.id) == 1
            await settle()
            shown = anna.sent[-1]
            assert (shown["type"], shown["data"], shown["user_id"]) == ("task_created", data, str(BORIS.id))


class TestWebSocketAPI:
    """What is known of the sockets over HTTP."""

    @pytest.fixture
    async def client(self, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
        """A client of the application, in-process."""
        application = create_app(await migrated(make_settings(tmp_path)))
        transport = httpx2.ASGITransport(application)
        async with (
            application.router.lifespan_context(application),
            http_client(transport=transport, base_url="http://test") as client,
        ):
            yield client

    async def test_stats(self, client: httpx2.AsyncClient) -> None:
        """Anybody reads the numbers, all of them, and nobody's ids."""
        answer = await client.get("/api/v1/ws/stats")
        assert answer.status_code == 200
        stats = answer.json()
        assert stats.pop("uptime_s") >= 0
        assert stats.pop("cluster") == {"servers": 1} | stats
        assert stats == dict.fromkeys(
            [
                *("active_connections", "authenticated_users", "anonymous_connections", "active_rooms"),
                *("total_connections", "messages_sent", "messages_received", "events_delivered", "replays"),
            ],
            0,
        )
