"""What each message does, answers and refuses."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import orjson
import pytest
import structlog

from app.domain.events import EventType
from app.errors import Forbidden, Unauthorized, VersionConflict
from app.permissions import Role, Visibility
from app.websocket.connection import MAX_QUEUED_EPHEMERAL
from app.websocket.protocol import CloseCode, CloseError, encode
from tests.support.realtime import EPOCH, Bench, Peer, make_user, settle

ANNA, BORIS = make_user("Anna"), make_user("Boris")


async def test_welcome_tells_the_terms() -> None:
    """The first message says who one is, which protocol, and what the limits are."""
    async with Bench(
        ws_message_bytes=1000, ws_max_rooms=3, ws_messages_per_s=7, ws_burst=9, ws_heartbeat_s=11
    ) as bench:
        anna, nobody = await bench.connect(ANNA), await bench.connect()
        welcome = anna.sent[0]
        assert welcome["type"] == "welcome"
        server_time = datetime.fromisoformat(welcome["data"].pop("server_time"))
        assert abs(datetime.now(UTC) - server_time) < timedelta(minutes=1)
        expires_at = datetime.fromisoformat(welcome["data"].pop("token_expires_at"))
        assert abs(ANNA.token_expires_at - expires_at) < timedelta(milliseconds=1)
        assert welcome["data"] == {
            "connection_id": str(anna.connection.id),
            "user": {"id": str(ANNA.id), "name": "Anna"},
            "protocol": "timetodo.v1",
            "heartbeat_s": 11,
            "limits": {"message_bytes": 1000, "rooms": 3, "messages_per_s": 7, "burst": 9},
        }
        assert nobody.sent[0]["data"]["user"] is nobody.sent[0]["data"]["token_expires_at"] is None


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"ws_max_connections": 1}, CloseCode.TRY_LATER),
        ({"ws_max_connections_per_user": 1}, CloseCode.TOO_MANY),
    ],
)
async def test_one_connection_too_many_is_refused(settings: dict[str, int], code: CloseCode) -> None:
    """The server's limit and the user's each have their code; the one refused leaves nothing behind."""
    async with Bench(**settings) as bench:
        await bench.connect(ANNA)
        with pytest.raises(CloseError) as closed:
            await bench.connect(ANNA)
        assert closed.value.code is code
        assert len(bench.hub.manager.connections) == 1


async def test_session_that_ended_while_connecting_is_put_out() -> None:
    """And does not take a device of the user's away that is still there."""
    async with Bench() as bench:
        other_session = make_user("Anna", id=ANNA.id)
        project_id = bench.directory.project(ANNA)
        anna = await bench.connect(ANNA)
        bench.directory.dead_sessions = {other_session.session_id}
        with pytest.raises(CloseError) as closed:
            await bench.connect(other_session)
        assert closed.value.code is CloseCode.UNAUTHORIZED
        await bench.peers[-1].leave()
        assert (await anna.join(project_id))["online"][0]["devices"] == 1


@pytest.mark.parametrize(
    ("since", "recovered", "reason", "replayed"),
    [
        (None, None, "fresh", []),
        ({"epoch": "another", "seq": 5}, False, "epoch_changed", []),
        ({"epoch": EPOCH, "seq": 31}, False, "position_ahead", []),
        ({"epoch": EPOCH, "seq": 1}, False, "expired", []),
        ({"epoch": EPOCH, "seq": 9}, False, "too_far", []),
        ({"epoch": EPOCH, "seq": 10}, True, None, list(range(11, 31))),
        ({"epoch": EPOCH, "seq": 29}, True, None, [30]),
        ({"epoch": EPOCH, "seq": 30}, True, None, []),
    ],
)
async def test_join(
    since: dict[str, object] | None, recovered: bool | None, reason: str | None, replayed: list[int]
) -> None:
    """Resuming succeeds wholly or says why not, and live events follow in every case."""
    async with Bench(replay_max_events=20) as bench:
        project_id = bench.directory.project(ANNA, events=30)
        bench.log.trim(project_id, 4)
        anna = await bench.connect(ANNA)
        data = await anna.join(project_id, since)
        assert (data["epoch"], data["seq"], data["recovered"], data["role"]) == (EPOCH, 30, recovered, "editor")
        assert (data.get("reason"), data["replay"]) == (reason, len(replayed))
        await bench.publish(project_id)
        assert anna.seqs == [*replayed, 31]
        assert bench.hub.manager.get_stats()["replays"] == (1 if replayed else 0)


async def test_answer_comes_once_and_before_the_replay() -> None:
    """One answer with the id, then the events."""
    async with Bench() as bench:
        project_id = bench.directory.project(ANNA, events=2)
        anna = await bench.connect(ANNA)
        messages = await anna.say("join_project", id="x", project_id=project_id, since={"epoch": EPOCH, "seq": 0})
        assert [message.get("id") for message in messages] == ["x", None, None]
        assert messages[0]["project_id"] == str(project_id)


async def test_join_tells_who_is_there() -> None:
    """Members by name with their devices and cards, strangers as a number, oneself not among those."""
    async with Bench() as bench:
        project_id, task_id = bench.directory.project(ANNA, BORIS), uuid4()
        bench.directory.visibility[project_id] = Visibility.PUBLIC
        anna, nobody, boris = await bench.connect(ANNA), await bench.connect(), await bench.connect(BORIS)
        await anna.join(project_id)
        await anna.say("viewing", project_id=project_id, task_id=task_id)
        assert (await nobody.join(project_id))["anonymous"] == 0
        assert (await nobody.join(project_id))["anonymous"] == 0
        data = await boris.join(project_id)
        assert data["anonymous"] == 1
        assert sorted(data["online"], key=lambda entry: entry["name"]) == [
            {"user_id": str(ANNA.id), "name": "Anna", "devices": 1, "viewing": str(task_id)},
            {"user_id": str(BORIS.id), "name": "Boris", "devices": 1, "viewing": None},
        ]


async def test_joining_again_moves_the_cursor() -> None:
    """Asking again from a position is how a client fills a gap; it stays one viewer."""
    async with Bench() as bench:
        project_id = bench.directory.project(ANNA, events=5)
        anna = await bench.connect(ANNA)
        await anna.join(project_id)
        await anna.join(project_id, {"epoch": EPOCH, "seq": 3})
        assert anna.seqs == [4, 5]
        assert bench.hub.manager.viewers(project_id) == {anna.connection}


async def test_rooms_are_limited() -> None:
    """One room too many is refused; one already joined is not one more."""
    async with Bench(ws_max_rooms=1) as bench:
        one, two = bench.directory.project(ANNA), bench.directory.project(ANNA)
        anna = await bench.connect(ANNA)
        await anna.join(one)
        (refused,) = await anna.say("join_project", id=1, project_id=two)
        assert refused["data"]["code"] == "limit_exceeded"
        await anna.join(one)


async def test_what_may_not_be_seen_and_what_is_not_there_get_one_answer() -> None:
    """Nobody learns that a private project exists."""
    async with Bench() as bench:
        boris = await bench.connect(BORIS)
        answers = [
            (await boris.say("join_project", id=1, project_id=project_id))[0]
            for project_id in (bench.directory.project(ANNA), uuid4())
        ]
        assert answers[0] == answers[1]
        assert answers[0]["data"]["code"] == "not_found"


async def test_connection_closed_while_it_joins_joins_nothing() -> None:
    """A join whose permission comes back too late opens no cursor."""
    async with Bench() as bench:
        project_id = bench.directory.project(ANNA)
        anna = await bench.connect(ANNA)
        bench.directory.entering = lambda: anna.connection.close(CloseCode.LOGGED_OUT, "")
        assert await anna.say("join_project", id=1, project_id=project_id) == []
        assert anna.connection.cursors == {}


async def test_room_forgotten_while_it_is_repaired_is_opened_again() -> None:
    """The last viewer leaves while a newcomer waits for the room: the newcomer gets one that hears."""
    async with Bench() as bench:
        project_id = bench.directory.project(ANNA, BORIS)
        anna, boris = await bench.connect(ANNA), await bench.connect(BORIS)
        await anna.join(project_id)
        bench.log.append(project_id)
        bench.log.gate.clear()
        joining = asyncio.create_task(boris.say("join_project", id=1, project_id=project_id))
        await settle()
        bench.hub.manager.leave_project(anna.connection, project_id)
        bench.log.gate.set()
        (answer,) = await joining
        assert answer["data"]["seq"] == 1
        await bench.publish(project_id)
        assert boris.seqs == [2]


async def test_leave() -> None:
    """Leaving is answered, and nothing of the room comes after; leaving again is refused."""
    async with Bench() as bench:
        project_id = bench.directory.project(ANNA)
        anna = await bench.connect(ANNA)
        await anna.join(project_id)
        (answer,) = await anna.say("leave_project", id=2, project_id=project_id)
        left = {"type": "project_left", "id": 2, "project_id": str(project_id), "data": {"reason": "left"}}
        assert answer == left
        await bench.publish(project_id)
        assert anna.seqs == []
        (refused,) = await anna.say("leave_project", id=3, project_id=project_id)
        assert refused["data"]["code"] == "not_joined"


async def test_ping_and_pong() -> None:
    """A ping is answered with the time, a pong not at all; both show that somebody is there."""
    async with Bench() as bench:
        nobody = await bench.connect()
        (pong,) = await nobody.say("ping", id=1)
        assert (pong["type"], pong["id"]) == ("pong", 1)
        assert datetime.fromisoformat(pong["data"]["server_time"]).tzinfo
        nobody.connection.heard_at = 0
        assert await nobody.say("pong") == []
        assert nobody.connection.heard_at > 0


async def test_token_is_renewed_on_a_live_connection() -> None:
    """The same user stays connected under the new token; another user is refused and changes nothing."""
    async with Bench() as bench:
        anna = await bench.connect(ANNA)
        renewed = make_user("Anna", id=ANNA.id, token_expires_at=ANNA.token_expires_at + timedelta(hours=1))
        bench.directory.tokens |= {"new": renewed, "boris": BORIS}
        (answer,) = await anna.say("authenticate", id=1, token="new")
        assert (answer["type"], answer["data"]["user"]["id"]) == ("authenticated", str(ANNA.id))
        assert anna.connection.user == renewed
        (refused,) = await anna.say("authenticate", id=2, token="boris")
        assert refused["data"]["code"] == "forbidden"
        assert anna.connection.user == renewed


@pytest.mark.parametrize(("token", "code"), [("garbage", "unauthorized"), ("old", "token_expired")])
async def test_bad_token_is_answered(token: str, code: str) -> None:
    """A first message with a bad token is answered with what is wrong; the connection stays as it was."""
    async with Bench() as bench:
        nobody = await bench.connect()
        (refused,) = await nobody.say("authenticate", id=1, token=token)
        assert refused["data"]["code"] == code
        assert not nobody.connection.is_authenticated


async def test_anonymous_connection_signs_in() -> None:
    """It is the user's from then on: online, with the role they have in rooms joined before."""
    async with Bench() as bench:
        project_id, foreign = bench.directory.project(ANNA), bench.directory.project(BORIS)
        for public in (project_id, foreign):
            bench.directory.visibility[public] = Visibility.PUBLIC
        bench.directory.tokens["anna"] = ANNA
        peer = await bench.connect()
        for joined in (project_id, foreign):
            assert (await peer.join(joined))["role"] is None
        bench.directory.visibility[foreign] = Visibility.PRIVATE
        told = await peer.say("authenticate", token="anna")
        assert [message["type"] for message in told] == ["authenticated", "user_online", "presence"]
        assert peer.connection.cursors[project_id].role is Role.EDITOR
        assert await peer.say("typing", project_id=project_id, task_id=uuid4()) == []
        assert orjson.loads(bench.hub.presence.online(project_id))[0]["user_id"] == str(ANNA.id)
        assert bench.hub.manager.connections_of(ANNA.id) == {peer.connection}


async def test_sign_in_of_a_session_that_ended_changes_nothing() -> None:
    """The token is good but its session is not: the connection stays anonymous and can be used on."""
    async with Bench() as bench:
        bench.directory.tokens["anna"] = ANNA
        bench.directory.dead_sessions = {ANNA.session_id}
        peer = await bench.connect()
        (refused,) = await peer.say("authenticate", id=1, token="anna")
        assert refused["data"]["code"] == "unauthorized"
        assert not peer.connection.is_authenticated
        assert bench.hub.manager.get_stats()["authenticated_users"] == 0


async def test_sign_in_counts_against_the_users_limit_alone() -> None:
    """On a full server an anonymous connection may still sign in, for it is in already; not beyond the user's limit."""
    async with Bench(ws_max_connections=2, ws_max_connections_per_user=1) as bench:
        bench.directory.tokens["anna"] = ANNA
        one, two = await bench.connect(), await bench.connect()
        await one.say("authenticate", token="anna")
        assert one.connection.is_authenticated
        with pytest.raises(CloseError) as closed:
            await two.say("authenticate", token="anna")
        assert closed.value.code is CloseCode.TOO_MANY
        assert not two.connection.is_authenticated


async def test_signs_of_life_reach_the_others_in_the_room() -> None:
    """Typing and viewing are shown to everybody else there, never stored and never to their author."""
    async with Bench() as bench:
        project_id, task_id = bench.directory.project(ANNA, BORIS), uuid4()
        anna, boris, outside = await bench.connect(ANNA), await bench.connect(BORIS), await bench.connect(BORIS)
        for peer in (anna, boris):
            await peer.join(project_id)
        for type_ in ("typing", "viewing"):
            assert await anna.say(type_, project_id=project_id, task_id=task_id) == []
            (shown,) = boris.transport.of_type(type_)
            assert (shown["user_id"], shown["project_id"]) == (str(ANNA.id), str(project_id))
            where = {"field": "comment"} if type_ == "typing" else {}
            assert shown["data"] == {"task_id": str(task_id), **where, "name": "Anna"}
            assert "seq" not in shown
            assert outside.transport.of_type(type_) == []
        await anna.say("typing", project_id=project_id, task_id=task_id, field="title")
        assert boris.transport.of_type("typing")[-1]["data"]["field"] == "title"
        await anna.say("viewing", project_id=project_id, task_id=None)
        assert boris.transport.of_type("viewing")[-1]["data"]["task_id"] is None


@pytest.mark.parametrize("type_", ["typing", "viewing"])
async def test_signs_of_life_are_for_members_in_the_room(type_: str) -> None:
    """Who has not joined is told to; an anonymous or foreign viewer of a public project is never shown."""
    async with Bench() as bench:
        project_id = bench.directory.project(ANNA)
        bench.directory.visibility[project_id] = Visibility.PUBLIC
        anna, stranger, nobody = await bench.connect(ANNA), await bench.connect(BORIS), await bench.connect()
        codes = []
        for peer in (anna, stranger, nobody):
            if peer is not anna:
                await peer.join(project_id)
            (refused,) = await peer.say(type_, id=1, project_id=project_id, task_id=uuid4())
            codes.append(refused["data"]["code"])
        assert codes == ["not_joined", "forbidden", "forbidden"]


async def watched(bench: Bench, project_id: UUID) -> tuple[Peer, Peer, Peer]:
    boris, one, two = await bench.connect(BORIS), await bench.connect(ANNA), await bench.connect(ANNA)
    for peer in (boris, one, two):
        await peer.join(project_id)
    return boris, one, two


@pytest.mark.parametrize("how", ["disconnects", "leaves", "looks away"])
async def test_card_a_person_looks_at_is_what_their_other_device_shows(how: str) -> None:
    """One of two devices looks away: the others see the card of the one that stays, and in the end none."""
    async with Bench() as bench:
        project_id, task_id, other_id = bench.directory.project(ANNA, BORIS), uuid4(), uuid4()
        boris, one, two = await watched(bench, project_id)
        await one.say("viewing", project_id=project_id, task_id=task_id)
        await two.say("viewing", project_id=project_id, task_id=other_id)
        for device in (two, one):
            if how == "disconnects":
                device.connection.close(CloseCode.NORMAL, "")
                bench.hub.handler.disconnect(device.connection)
            elif how == "leaves":
                await device.say("leave_project", project_id=project_id)
            else:
                await device.say("viewing", project_id=project_id, task_id=None)
            await settle()
        shown = [message["data"]["task_id"] for message in boris.transport.of_type("viewing")]
        assert shown == [str(task_id), str(other_id), str(task_id), None]


async def test_logout_takes_offline_at_once_and_another_end_after_the_grace() -> None:
    """The close code decides; leaving twice counts once."""
    async with Bench(presence_grace_s=3600) as bench:
        project_id = bench.directory.project(ANNA, BORIS)
        watcher = await bench.connect(ANNA)
        await watcher.join(project_id)
        for code, shown in ((CloseCode.NORMAL, 0), (CloseCode.LOGGED_OUT, 1)):
            boris = await bench.connect(BORIS)
            boris.connection.close(code, "")
            for _ in range(2):
                bench.hub.handler.disconnect(boris.connection)
            await settle()
            assert len(watcher.transport.of_type("user_offline")) == shown


async def test_presence_is_told_whole_after_signs_of_life_were_dropped() -> None:
    """A peer that slept through comings and goings gets the list when it takes messages again."""
    async with Bench() as bench:
        project_id = bench.directory.project(ANNA)
        anna = await bench.connect(ANNA)
        await anna.join(project_id)
        anna.transport.block()
        for _ in range(MAX_QUEUED_EPHEMERAL * 2):
            bench.hub.manager.broadcast_to_project(project_id, encode("typing"))
            await asyncio.sleep(0)
        anna.transport.unblock()
        await settle()
        told = anna.sent[-1]
        assert (told["type"], told["project_id"]) == ("presence", str(project_id))
        assert told["data"]["online"][0]["user_id"] == str(ANNA.id)


async def test_bad_message_is_answered_with_its_id() -> None:
    """Whatever is wrong with a message, the answer is one error, with the id if there is one."""
    async with Bench() as bench:
        nobody = await bench.connect()
        (answer,) = await nobody.say("fly", id="a")
        assert (answer["id"], answer["data"]["code"]) == ("a", "unknown_type")
        (answer,) = await nobody.say_raw(b"{")
        assert "id" not in answer
        assert answer["data"]["code"] == "bad_request"


async def test_tenth_bad_message_is_answered_and_ends_it() -> None:
    """Somebody who does not speak the protocol is put out."""
    async with Bench() as bench:
        nobody = await bench.connect()
        for _ in range(9):
            await nobody.say_raw(b"{")
        with pytest.raises(CloseError) as closed:
            await nobody.say_raw(b"{")
        await settle()
        assert closed.value.code is CloseCode.NOT_THE_PROTOCOL
        assert len(nobody.transport.of_type("error")) == 10


async def test_rate_is_limited_with_a_hint() -> None:
    """Beyond the burst messages are refused with the time to wait; that does not count as bad, a flood does."""
    async with Bench(ws_burst=2, ws_messages_per_s=0.1) as bench:
        nobody = await bench.connect()
        for _ in range(2):
            await nobody.say("ping")
        for number in range(100):
            (refused,) = await nobody.say("ping", id=number)
            assert refused["data"]["code"] == "rate_limited"
            assert refused["data"]["retryable"] is True
            assert 0 < refused["data"]["retry_after_ms"] <= 10_000
            assert refused["id"] == number
        with pytest.raises(CloseError) as closed:
            await nobody.say("ping")
        assert closed.value.code is CloseCode.FLOODING


@pytest.mark.parametrize(("text", "is_too_big"), [("я" * 500, False), ("я" * 501, True), (b"x" * 1001, True)])
async def test_message_is_measured_in_bytes(text: str | bytes, is_too_big: bool) -> None:
    """Where the ASGI server does not refuse a large message we do, by bytes and not by letters."""
    async with Bench(ws_message_bytes=1000) as bench:
        nobody = await bench.connect()
        if is_too_big:
            with pytest.raises(CloseError) as closed:
                await nobody.say_raw(text)
            assert closed.value.code is CloseCode.TOO_BIG
        else:
            (answer,) = await nobody.say_raw(text)
            assert answer["data"]["code"] == "bad_request"


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (RuntimeError("SELECT secret FROM /var/lib"), "internal"),
        (Forbidden("no"), "forbidden"),
        (VersionConflict("no", extra={}), "bad_request"),
        (Unauthorized("no"), "unauthorized"),
    ],
)
async def test_failed_command_is_answered_without_its_inside(failure: Exception, code: str) -> None:
    """A bug or a refusal below is one error; the client learns no SQL, no path, and may go on."""
    async with Bench() as bench:
        project_id = bench.directory.project(ANNA)
        anna = await bench.connect(ANNA)

        def fail() -> None:
            raise failure

        bench.directory.entering = fail
        with structlog.testing.capture_logs() as logs:
            (answer,) = await anna.say("join_project", id=1, project_id=project_id)
        assert answer["data"]["code"] == code
        assert b"SELECT" not in orjson.dumps(answer)
        assert [entry["event"] for entry in logs] == (["message_failed"] if code == "internal" else [])
        assert (await anna.say("ping", id=2))[0]["type"] == "pong"


@pytest.mark.parametrize(
    ("broadcast", "type_"),
    [
        ("broadcast_task_event", EventType.TASK_UPDATED),
        ("broadcast_comment_event", EventType.COMMENT_ADDED),
        ("broadcast_project_event", EventType.LABEL_CREATED),
    ],
)
async def test_event_that_is_not_stored_is_shown_to_its_room(broadcast: str, type_: EventType) -> None:
    """For plug-ins: shown now, to the viewers of the project in its data, as done by somebody."""
    async with Bench() as bench:
        project_id = bench.directory.project(ANNA)
        anna = await bench.connect(ANNA)
        await anna.join(project_id)
        data = {"project_id": str(project_id), "title": "x"}
        assert getattr(bench.hub.handler, broadcast)(type_, data, BORIS.id) == 1
        assert getattr(bench.hub.handler, broadcast)(type_, {"project_id": uuid4()}) == 0
        await settle()
        shown = anna.sent[-1]
        assert (shown["type"], shown["data"], shown["user_id"]) == (type_.value, data, str(BORIS.id))
        with pytest.raises(ValueError, match="is not an event of the group"):
            getattr(bench.hub.handler, broadcast)(EventType.PING, data)


async def test_stream_is_answered_as_it_stands_when_joined() -> None:
    """Whatever is told between the reading and the room's opening, what is unread belongs to the position answered."""
    async with Bench() as bench:
        bench.log.events[ANNA.id] = []
        first, anna = await bench.connect(ANNA), await bench.connect(ANNA)
        await first.say("join_user")

        def tell() -> None:
            if not bench.log.events[ANNA.id]:
                bench.directory.unread[ANNA.id] = 1
                bench.hub._relay.on_event(bench.log.append(ANNA.id))

        bench.directory.entering = tell
        answer, *later = await anna.say("join_user", id=1)
        data = answer["data"]
        assert (answer["type"], data["seq"], data["unread"], later) == ("user_joined", 1, 1, [])


async def test_presence_is_told_of_projects_alone() -> None:
    """After a drain the rooms of projects are told who is online; one's own stream has nobody to show."""
    async with Bench() as bench:
        bench.log.events[ANNA.id] = []
        anna = await bench.connect(ANNA)
        await anna.join(bench.directory.project(ANNA))
        await anna.say("join_user")
        anna.transport.block()
        anna.connection.missed_ephemeral = True
        anna.transport.unblock()
        await settle()
        assert [message["type"] for message in anna.sent].count("presence") == 1
