"""An event on the wire is the fact that was recorded, and back."""

import json
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.events import Event, EventType, Notice

PROJECT = UUID("0199f3a0-1c00-7000-8000-0000000000a1")
USER = UUID("0199f3a0-1c00-7000-8000-0000000000b2")
MOMENT = datetime(2026, 11, 22, 10, 0, 0, 123000, tzinfo=UTC)
JSON = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text())
MOMENTS = st.datetimes(timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)


def test_encoded_event_is_the_documented_envelope() -> None:
    """The wire form has exactly the documented members."""
    event = Event(PROJECT, 42, EventType.TASK_MOVED, MOMENT, USER, 'op "1"', b'{"title":"\xd0\x94\xd0\xb0"}')
    assert json.loads(event.encoded) == {
        "type": "task_moved",
        "project_id": str(PROJECT),
        "seq": 42,
        "timestamp": "2026-11-22T10:00:00.123Z",
        "user_id": str(USER),
        "op_id": 'op "1"',
        "data": {"title": "Да"},
    }


@given(
    st.integers(1, 2**53 - 1),
    st.sampled_from(sorted(set(EventType) - {EventType.NOTIFICATION})),
    MOMENTS,
    st.none() | st.uuids(),
    st.none() | st.text(max_size=200),
    JSON,
)
def test_decoding_what_was_encoded_gives_the_event_back(
    seq: int, type_: EventType, moment: datetime, user: UUID | None, op_id: str | None, data: dict[str, object]
) -> None:
    """Nothing is lost or changed between encoding and decoding."""
    event = Event(PROJECT, seq, type_, moment, user, op_id, orjson.dumps(data))
    assert Event.decode(event.encoded) == event


@given(st.integers(1, 2**53 - 1), MOMENTS, JSON)
def test_notice_is_told_from_an_event_and_comes_back(seq: int, moment: datetime, data: dict[str, object]) -> None:
    """It names its reader, and no project."""
    notice = Notice.make(USER, seq, moment, orjson.dumps(data))
    assert json.loads(notice.encoded).keys() == {"type", "user_id", "seq", "timestamp", "data"}
    back = Event.decode(notice.encoded)
    assert back == notice
    assert back.encoded == notice.encoded


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"type":"notification"}',
        b'{"type":"notification","user_id":1,"seq":1,"timestamp":"","data":1}',
        b"nonsense",
        b"[]",
        b"null",
        b"{}",
        b'{"type":"task_moved"}',
        b'{"project_id":1}',
    ],
)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    """Whatever a broken peer publishes, decoding it raises ValueError and nothing else."""
    with pytest.raises(ValueError, match=r"."):
        Event.decode(body)


def test_event_of_an_unknown_type_is_refused() -> None:
    """A type this version does not know is a ValueError."""
    event = Event(PROJECT, 1, EventType.TASK_MOVED, MOMENT, None, None, b"{}")
    with pytest.raises(ValueError, match="task_sung"):
        Event.decode(event.encoded.replace(b"task_moved", b"task_sung"))
