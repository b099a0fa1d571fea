"""The broker's contract: one suite for the in-process broker and for Redis, and two servers on one Redis."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from signal import SIGCONT, SIGSTOP
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import orjson
import pytest
import structlog
from redis.asyncio import Redis

from app.broker import redis as redis_module
from app.broker.base import Broker, Signal, SignalType
from app.broker.memory import MemoryBroker
from app.broker.redis import RedisBroker
from app.config import Settings
from app.domain.events import Event, EventType
from app.websocket import cluster as cluster_module
from tests.support import servers
from tests.support.people import Json, Person, register
from tests.support.ports import free_port
from tests.support.realtime import eventually, eventually_found, make_event
from tests.support.server import TestServer, run_server
from tests.support.sockets import open_socket

QUICK_S = 2.0
SIGNAL = Signal(SignalType.STATS, "one", None, {})


async def wait_for_stats(server: TestServer, holds: Callable[[Json], Any]) -> Json:
    """Return a server's numbers when they are as wanted; each answer is quick."""
    async with server.client() as client:

        async def look() -> Json:
            async with asyncio.timeout(QUICK_S):
                stats: Json = (await client.get("/ws/stats")).json()
            return stats

        return await eventually_found(look, holds, deadline_s=10)


class Listener:
    """Notes what a broker delivers; some of it makes it stumble."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.signals: list[Signal] = []

    def on_event(self, event: Event) -> None:
        if event.op_id == "bad":
            message = "a bug in the listener"
            raise RuntimeError(message)
        self.events.append(event)

    def on_signal(self, signal: Signal) -> None:
        if signal.data.get("bad"):
            message = "a bug in the listener"
            raise RuntimeError(message)
        self.signals.append(signal)


def count_calls(monkeypatch: pytest.MonkeyPatch, broker: Broker, method: str) -> list[None]:
    """Return what grows by one with each call of a method, which is made all the same."""
    calls: list[None] = []
    real = getattr(broker, method)

    def count(*arguments: Any) -> None:
        calls.append(None)
        real(*arguments)

    monkeypatch.setattr(broker, method, count)
    return calls


@pytest.fixture(params=["memory", "redis"])
def redis_url_or_none(request: pytest.FixtureRequest) -> str | None:
    """Where the broker under test lives; None is in-process."""
    return None if request.param == "memory" else str(request.getfixturevalue("redis_url"))


@pytest.fixture
async def broker(redis_url_or_none: str | None) -> AsyncIterator[Broker]:
    """Each implementation."""
    name = f"test-{uuid4().hex}"
    made: Broker = RedisBroker(redis_url_or_none, prefix=name) if redis_url_or_none else MemoryBroker()
    yield made
    await made.close()


@pytest.fixture
async def listener(broker: Broker) -> Listener:
    """Somebody who listens to it."""
    listener = Listener()
    await broker.start(listener.on_event, listener.on_signal)
    return listener


async def test_events_arrive_whole_and_in_order(broker: Broker, listener: Listener) -> None:
    """What is published one after the other, or at once, comes out the same, in that order."""
    project_id = uuid4()
    moment = datetime(2026, 11, 22, 10, 0, 0, 123_000, tzinfo=UTC)
    data = '{"title":"Купить \\"билеты\\"","n":null}'.encode()
    events = [
        Event(
            project_id,
            seq,
            EventType.TASK_MOVED,
            moment,
            uuid4() if seq % 2 else None,
            "key" if seq % 3 else None,
            data,
        )
        for seq in range(1, 101)
    ]
    for event in events[:10]:
        await broker.publish(event)
    await broker.publish(*events[10:])
    await eventually(lambda: len(listener.events) == 100)
    assert [event.encoded for event in listener.events] == [event.encoded for event in events]
    assert listener.events == events


@pytest.mark.parametrize("identifier", [None, uuid4()], ids=["without an id", "with an id"])
@pytest.mark.parametrize("type_", SignalType)
async def test_signals_arrive_whole_and_in_order(
    broker: Broker, listener: Listener, type_: SignalType, identifier: UUID | None
) -> None:
    """Of every type, with and without a subject."""
    signals = [Signal(type_, "server", identifier, {"n": number, "text": "я"}) for number in range(20)]
    for signal in signals:
        await broker.signal(signal)
    await eventually(lambda: len(listener.signals) == 20)
    assert listener.signals == signals


async def test_bad_message_deafens_nobody_and_fails_no_publisher(broker: Broker, listener: Listener) -> None:
    """A listener that stumbles over one message gets the next; who published it has committed and is not bothered."""
    project_id = uuid4()
    good = make_event(project_id, 2)
    with structlog.testing.capture_logs() as logs:
        await broker.publish(Event(project_id, 1, EventType.TASK_CREATED, good.timestamp, None, "bad", b"{}"))
        await broker.signal(Signal(SignalType.PRESENCE, "x", None, {"bad": True}))
        await broker.publish(good)
        await broker.signal(Signal(SignalType.PRESENCE, "y", None, {}))
        await eventually(lambda: bool(listener.events and listener.signals))
    assert listener.events == [good]
    assert [signal.origin for signal in listener.signals] == ["y"]
    assert [entry["event"] for entry in logs] == ["publication_not_delivered"] * 2


async def test_works_without_a_listener(broker: Broker) -> None:
    """A command line that only publishes needs nobody to listen here; ping says that the broker is there."""
    await broker.publish(make_event(uuid4(), 1))
    await broker.signal(Signal(SignalType.SESSION_ENDED, "cli", uuid4(), {}))
    await broker.ping()


async def test_closed_broker_delivers_no_more(broker: Broker, listener: Listener) -> None:
    """After closing nobody is called, and nothing runs on."""
    before = {task.get_name() for task in asyncio.all_tasks()}
    await broker.close()
    assert "redis-listener" not in {task.get_name() for task in asyncio.all_tasks()} & before
    if isinstance(broker, MemoryBroker):
        await broker.publish(make_event(uuid4(), 1))
    assert listener.events == []


@asynccontextmanager
async def answering_after(redis_url: str, word: bytes, count: int) -> AsyncIterator[str]:
    """Yield the address of a Redis that answers the first `word` when it has been asked so often."""
    upstream = urlsplit(redis_url)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_connection(upstream.hostname, upstream.port)
        heard, may_answer = bytearray(), asyncio.Event()

        async def ask() -> None:
            while piece := await reader.read(65_536):
                heard.extend(piece)
                if heard.count(word) not in range(1, count):
                    may_answer.set()
                else:
                    may_answer.clear()
                questions.write(piece)
            questions.close()

        async def answer() -> None:
            while piece := await answers.read(65_536):
                await may_answer.wait()
                writer.write(piece)
            writer.close()

        await asyncio.gather(ask(), answer())

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield upstream._replace(netloc=f"127.0.0.1:{server.sockets[0].getsockname()[1]}").geturl()


class TestRedis:
    """What only a broker over a network can do wrong."""

    @pytest.fixture
    def throwaway(self) -> Iterator[servers.Redis]:
        """A Redis that a test may kill."""
        with servers.Redis() as server:
            yield server

    async def test_garbage_on_the_channel(self, redis_url: str) -> None:
        """Whatever anybody writes into the channels, the listener goes on."""
        broker, listener = RedisBroker(redis_url, prefix="garbage"), Listener()
        await broker.start(listener.on_event, listener.on_signal)
        with structlog.testing.capture_logs() as logs:
            async with Redis.from_url(redis_url) as client:
                for body in (b"", b"{}", b"\xff", b"[]", b'{"type":"task_created","project_id":"x"}', b"null"):
                    await client.publish("garbage:events", body)
                    await client.publish("garbage:signals", body)
            await broker.publish(make_event(uuid4(), 1))
            await eventually(lambda: bool(listener.events))
        await broker.close()
        assert len(logs) == 12

    async def test_silence_is_no_failure(self, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """A listener to whom nothing is said for longer than a time-out listens on, on the same connection."""
        monkeypatch.setattr(redis_module, "SOCKET_TIMEOUT_S", 0.2)
        broker, listener = RedisBroker(redis_url), Listener()
        with structlog.testing.capture_logs() as logs:
            heard = count_calls(monkeypatch, broker, "_hear")
            await broker.start(listener.on_event, listener.on_signal)
            await eventually(lambda: len(heard) > 2)
            await broker.publish(make_event(uuid4(), 1))
            await eventually(lambda: bool(listener.events))
        await broker.close()
        assert logs == []

    async def test_many_events_wait_for_redis_once(self, redis_url: str) -> None:
        """A notice for each of a hundred readers costs whoever commits it one round trip: none waits for another."""
        async with answering_after(redis_url, b"PUBLISH", 100) as url:
            broker = RedisBroker(url)
            await broker.publish(*(make_event(uuid4(), seq) for seq in range(1, 101)))
            await broker.close()

    async def test_boards_with_other_names_do_not_hear_each_other(self, redis_url: str) -> None:
        """Two boards may share one Redis."""
        brokers = [RedisBroker(redis_url, prefix=name) for name in ("one", "two")]
        listeners = [Listener(), Listener()]
        for broker, listener in zip(brokers, listeners, strict=True):
            await broker.start(listener.on_event, listener.on_signal)
        for broker in brokers:
            await broker.publish(make_event(uuid4(), 1))
        await eventually(lambda: all(listener.events for listener in listeners))
        assert [len(listener.events) for listener in listeners] == [1, 1]
        for broker in brokers:
            await broker.close()

    async def test_every_server_hears_everything(self, redis_url: str) -> None:
        """The one that published too."""
        brokers, listeners = [RedisBroker(redis_url) for _ in range(3)], [Listener() for _ in range(3)]
        for broker, listener in zip(brokers, listeners, strict=True):
            await broker.start(listener.on_event, listener.on_signal)
        event = make_event(uuid4(), 1)
        await brokers[0].publish(event)
        await eventually(lambda: all(listener.events == [event] for listener in listeners))
        for broker in brokers:
            await broker.close()

    async def test_down_at_the_start(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A server that cannot listen says so instead of starting deaf, and leaves no task."""
        monkeypatch.setattr(redis_module, "START_S", 0.05)
        broker = RedisBroker(f"redis://127.0.0.1:{free_port()}")
        with pytest.raises(ConnectionError):
            await broker.start(lambda _: None, lambda _: None)
        assert "redis-listener" not in {task.get_name() for task in asyncio.all_tasks()}
        await broker.close()

    async def test_dies_and_comes_back(self, throwaway: servers.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
        """While it is down every call fails quickly with ConnectionError; afterwards all is as before, by itself."""
        monkeypatch.setattr(redis_module, "RECONNECT_S", 0.01)
        broker, listener = RedisBroker(throwaway.url), Listener()
        await broker.start(listener.on_event, listener.on_signal)
        assert throwaway.process is not None
        throwaway.process.kill()
        throwaway.process.wait()
        event = make_event(uuid4(), 1)
        for call in (
            broker.publish(event),
            broker.signal(Signal(SignalType.PRESENCE, "x", None, {})),
            broker.ping(),
        ):
            began = time.monotonic()
            with pytest.raises(ConnectionError):
                await call
            assert time.monotonic() - began < QUICK_S
        throwaway.process = throwaway.launch()
        throwaway.wait_until_ready(throwaway.process)
        async with asyncio.timeout(10):
            while not listener.events:
                with suppress(ConnectionError):
                    await broker.publish(event)
                await asyncio.sleep(0.01)
        await broker.ping()
        await broker.close()

    async def test_frozen_redis_holds_up_nobody(
        self, throwaway: servers.Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that takes connections and answers nothing counts as down after the time-out, and then at once.

        It is looked for in the background, and used again when it answers.
        """
        monkeypatch.setattr(redis_module, "SOCKET_TIMEOUT_S", 0.1)
        monkeypatch.setattr(redis_module, "RECONNECT_S", 0.01)
        broker = RedisBroker(throwaway.url)
        await broker.ping()
        assert throwaway.process is not None
        throwaway.process.send_signal(SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(ConnectionError):
                await broker.publish(make_event(uuid4(), 1))
            assert time.monotonic() - began < QUICK_S
            for hint in (broker.publish(make_event(uuid4(), 2)), broker.signal(SIGNAL)):
                with pytest.raises(ConnectionError):
                    hint.send(None)  # without one turn of the event loop
        finally:
            throwaway.process.send_signal(SIGCONT)

        async def publish() -> bool:
            with suppress(ConnectionError):
                await broker.publish(make_event(uuid4(), 1), make_event(uuid4(), 1))
                return True
            return False

        assert await eventually_found(publish, bool)
        await broker.close()

    async def test_numbers_of_the_cluster_are_unknown_while_redis_is_frozen(
        self, sqlite_settings: Settings, throwaway: servers.Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """They are asked for without waiting for it, this server's are told all the same, and theirs come back."""
        monkeypatch.setattr(redis_module, "SOCKET_TIMEOUT_S", 0.1)
        monkeypatch.setattr(cluster_module, "TELL_S", 0.05)
        settings = Settings(**(sqlite_settings.model_dump() | {"redis_url": throwaway.url}))
        async with run_server(settings) as server:
            await wait_for_stats(server, lambda stats: stats["cluster"] and stats["cluster"]["servers"] == 1)
            assert throwaway.process is not None
            throwaway.process.send_signal(SIGSTOP)
            try:
                await wait_for_stats(server, lambda stats: stats["cluster"] is None and stats["uptime_s"] > 0)
            finally:
                throwaway.process.send_signal(SIGCONT)
            await wait_for_stats(server, lambda stats: stats["cluster"])

    async def test_bug_in_the_listener_does_not_stay_deaf(
        self, redis_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Even an error nobody foresaw ends in listening again: a silent listener is the worst failure."""
        monkeypatch.setattr(redis_module, "RECONNECT_S", 0.01)
        broker, listener = RedisBroker(redis_url), Listener()
        await broker.start(listener.on_event, listener.on_signal)
        deliver = broker._deliver
        stumbled: list[int] = []

        def stumble(*arguments: Any) -> None:
            if not stumbled:
                stumbled.append(1)
                raise MemoryError
            deliver(*arguments)

        monkeypatch.setattr(broker, "_deliver", stumble)
        async with asyncio.timeout(5):
            while not listener.events:
                await broker.publish(make_event(uuid4(), 1))
                await asyncio.sleep(0.01)
        await broker.close()


class Cluster:
    """Two servers on one database and one Redis; Anna is on the first, Boris on the second."""

    def __init__(self, one: TestServer, two: TestServer, anna: Person, boris: Person, project: Json) -> None:
        self.one, self.two, self.anna, self.boris, self.project = one, two, anna, boris, project


@pytest.fixture
async def cluster(settings: Settings, redis_url: str) -> AsyncIterator[Cluster]:
    """On each kind of database."""
    known = settings.model_dump() | {"redis_url": redis_url, "presence_grace_s": 0.1}
    async with AsyncExitStack() as stack:
        one, two = [
            await stack.enter_async_context(run_server(Settings(**(known | {"port": free_port()})))) for _ in range(2)
        ]
        anna = await stack.enter_async_context(await register(one, "Anna"))
        boris = await stack.enter_async_context(await register(two, "Boris"))
        project = await anna.project()
        await anna.add(project, boris)
        yield Cluster(one, two, anna, boris, project)


async def test_two_servers_see_each_others_events(cluster: Cluster) -> None:
    """Whoever writes wherever, everybody everywhere gets one log, in its order."""
    async with open_socket(cluster.one, cluster.anna) as anna, open_socket(cluster.two, cluster.boris) as boris:
        for socket in (anna, boris):
            await socket.join(cluster.project)
        await asyncio.gather(
            *(person.task(cluster.project, f"{n}") for n in range(10) for person in (cluster.anna, cluster.boris))
        )
        seen = [await socket.receive_events(20) for socket in (anna, boris)]
        assert seen[0] == seen[1]
        assert [event["seq"] for event in seen[0]] == list(range(2, 22))


async def test_two_servers_tell_each_others_people(cluster: Cluster) -> None:
    """Whoever is concerned hears of it wherever they are connected."""
    async with open_socket(cluster.two, cluster.boris) as boris:
        await boris.request("join_user")
        task = await cluster.anna.task(cluster.project, assignee_ids=[cluster.boris.id])
        message = await boris.receive_type("notification")
        assert (message["seq"], message["data"]["notification"]["task_id"]) == (2, task["id"])


async def test_two_servers_see_each_others_people(cluster: Cluster) -> None:
    """Coming, going, typing and viewing are seen across servers."""
    async with open_socket(cluster.one, cluster.anna) as anna:
        await anna.join(cluster.project)
        task = await cluster.anna.task(cluster.project)
        async with open_socket(cluster.two, cluster.boris) as boris:
            assert (await anna.receive_type("user_online"))["user_id"] == cluster.boris.id
            online = (await boris.join(cluster.project))["online"]
            assert {entry["name"] for entry in online} == {"Anna", "Boris"}
            for type_ in ("typing", "viewing"):
                await boris.send(type_, project_id=cluster.project["id"], task_id=task["id"])
                shown = await anna.receive_type(type_)
                assert (shown["user_id"], shown["data"]["task_id"]) == (cluster.boris.id, task["id"])
            entries = {entry["name"]: entry for entry in (await anna.join(cluster.project))["online"]}
            assert entries["Boris"]["viewing"] == task["id"]
        assert (await anna.receive_type("user_offline"))["user_id"] == cluster.boris.id


async def test_two_servers_add_up_their_numbers(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both tell the same sum beside their own numbers, and no ids of other servers' rooms and users."""
    monkeypatch.setattr(cluster_module, "TELL_S", 0.1)
    async with (
        open_socket(cluster.one, cluster.anna) as anna,
        open_socket(cluster.two, cluster.boris) as boris,
        open_socket(cluster.two),
    ):
        for socket in (anna, boris):
            await socket.join(cluster.project)
        await cluster.anna.task(cluster.project)
        for socket in (anna, boris):
            await socket.receive_events(1)
        wanted = {
            "servers": 2,
            "active_connections": 3,
            "authenticated_users": 2,
            "anonymous_connections": 1,
            "active_rooms": 2,
            "total_connections": 3,
            "messages_received": 2,
            "events_delivered": 2,
            "replays": 0,
        }
        for server, connections in ((cluster.one, 1), (cluster.two, 2)):
            stats = await wait_for_stats(
                server, lambda stats: stats["cluster"] and wanted.items() <= stats["cluster"].items()
            )
            assert stats["active_connections"] == connections
            assert stats["cluster"].keys() - wanted.keys() == {"messages_sent"}


async def test_access_lost_on_one_server_is_lost_on_the_other(cluster: Cluster) -> None:
    """A removal and a logout made elsewhere hold here within a second, and nothing comes after."""
    async with open_socket(cluster.two, cluster.boris) as boris:
        await boris.join(cluster.project)
        path = f"/projects/{cluster.project['id']}/members/{cluster.boris.id}"
        await cluster.anna.call("DELETE", path, expect=204)
        async with asyncio.timeout(2):
            assert (await boris.receive_type("project_left"))["data"] == {"reason": "revoked"}
        await cluster.anna.task(cluster.project)
        answer = await boris.request("join_project", project_id=cluster.project["id"])
        assert answer["data"]["code"] == "not_found"
        async with cluster.one.client(headers={"Authorization": f"Bearer {cluster.boris.token}"}) as client:
            assert (await client.post("/auth/logout")).status_code == 204
        async with asyncio.timeout(2):
            assert await boris.closed() == 4410


async def test_member_added_elsewhere_is_online_at_once(cluster: Cluster) -> None:
    """Somebody connected to one server, made a member on the other, is shown online there."""
    project = await cluster.anna.project("Second")
    async with open_socket(cluster.two, cluster.boris), open_socket(cluster.one, cluster.anna) as anna:
        await anna.join(project)
        await cluster.anna.add(project, cluster.boris)
        assert (await anna.receive_type("user_online"))["user_id"] == cluster.boris.id
        cluster.two.hub.presence.announce_all()
        await eventually(lambda: len(orjson.loads(cluster.one.hub.presence.online(UUID(project["id"])))) == 2)


async def test_events_get_through_without_redis(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """While publishing fails, writing goes on and the other server finds the events in the log."""

    async def fail(*_: Event) -> None:
        raise ConnectionError

    for server in (cluster.one, cluster.two):
        monkeypatch.setattr(server.context.broker, "publish", fail)
    async with open_socket(cluster.two, cluster.boris) as boris:
        await boris.join(cluster.project)
        for number in range(3):
            await cluster.anna.task(cluster.project, f"{number}")
        assert [event["seq"] for event in await boris.receive_events(3)] == [2, 3, 4]
