"""What a client may say, and what happens to everything else."""

import json
from uuid import UUID

import pytest

from app.websocket import messages
from app.websocket.protocol import ErrorCode, MessageError

P = "0199f3a0-1c00-7000-8000-0000000000a1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f'{{"type":"join_project","project_id":"{P}"}}',
            messages.JoinProject(type="join_project", project_id=UUID(P)),
        ),
        (
            '{"type":"join_user","since":{"epoch":"k3f","seq":2}}',
            messages.JoinUser(type="join_user", since=messages.Since(epoch="k3f", seq=2)),
        ),
        (
            f'{{"type":"join_project","id":7,"project_id":"{P}","since":{{"epoch":"k3f","seq":418}}}}',
            messages.JoinProject(
                type="join_project", id=7, project_id=UUID(P), since=messages.Since(epoch="k3f", seq=418)
            ),
        ),
        (
            f'{{"type":"leave_project","project_id":"{P}"}}',
            messages.LeaveProject(type="leave_project", project_id=UUID(P)),
        ),
        ('{"type":"ping","id":"a"}', messages.Ping(type="ping", id="a")),
        ('{"type":"pong"}', messages.Pong(type="pong")),
        ('{"type":"authenticate","token":"t"}', messages.Authenticate(type="authenticate", token="t")),
        (
            f'{{"type":"typing","project_id":"{P}","task_id":"{P}"}}',
            messages.Typing(type="typing", project_id=UUID(P), task_id=UUID(P), field="comment"),
        ),
        (
            f'{{"type":"typing","project_id":"{P}","task_id":"{P}","field":"description"}}',
            messages.Typing(type="typing", project_id=UUID(P), task_id=UUID(P), field="description"),
        ),
        (
            f'{{"type":"viewing","project_id":"{P}","task_id":null}}',
            messages.Viewing(type="viewing", project_id=UUID(P), task_id=None),
        ),
    ],
)
def test_every_message_is_read(text: str, expected: messages.AnyMessage) -> None:
    """Each message of the protocol is read, from text and from bytes."""
    assert messages.parse(text) == expected
    assert messages.parse(text.encode()) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", ErrorCode.BAD_REQUEST),
        ("no json", ErrorCode.BAD_REQUEST),
        ("[]", ErrorCode.BAD_REQUEST),
        ("null", ErrorCode.BAD_REQUEST),
        ('"ping"', ErrorCode.BAD_REQUEST),
        ("[" * 20_000, ErrorCode.BAD_REQUEST),
        ('{"type":"ping","id":' + "[" * 5000 + "]" * 5000 + "}", ErrorCode.BAD_REQUEST),
        (b"\xff\xfe", ErrorCode.BAD_REQUEST),
        ('{"type":"ping"', ErrorCode.BAD_REQUEST),
        ("{}", ErrorCode.UNKNOWN_TYPE),
        ('{"type":null}', ErrorCode.UNKNOWN_TYPE),
        ('{"type":[]}', ErrorCode.UNKNOWN_TYPE),
        ('{"type":{"a":1}}', ErrorCode.UNKNOWN_TYPE),
        ('{"type":1}', ErrorCode.UNKNOWN_TYPE),
        ('{"type":"welcome"}', ErrorCode.UNKNOWN_TYPE),
        ('{"type":"create_task"}', ErrorCode.UNKNOWN_TYPE),
        ('{"type":"ping","more":1}', ErrorCode.BAD_REQUEST),
        ('{"type":"ping","id":NaN}', ErrorCode.BAD_REQUEST),
        ('{"type":"ping","id":1.5}', ErrorCode.BAD_REQUEST),
        ('{"type":"ping","id":true}', ErrorCode.BAD_REQUEST),
        ('{"type":"ping","id":[1]}', ErrorCode.BAD_REQUEST),
        ('{"type":"ping","id":9007199254740992}', ErrorCode.BAD_REQUEST),
        ('{"type":"ping","id":' + "9" * 5000 + "}", ErrorCode.BAD_REQUEST),
        ('{"type":"ping","id":"' + "x" * 101 + '"}', ErrorCode.BAD_REQUEST),
        ('{"type":"ping","id":"\\ud800"}', ErrorCode.BAD_REQUEST),
        ('{"type":"join_project"}', ErrorCode.BAD_REQUEST),
        ('{"type":"join_project","project_id":7}', ErrorCode.BAD_REQUEST),
        ('{"type":"join_project","project_id":"x"}', ErrorCode.BAD_REQUEST),
        (f'{{"type":"join_project","project_id":"{P}","since":7}}', ErrorCode.BAD_REQUEST),
        (f'{{"type":"join_project","project_id":"{P}","since":{{"epoch":"e","seq":-1}}}}', ErrorCode.BAD_REQUEST),
        (f'{{"type":"join_project","project_id":"{P}","since":{{"epoch":"e","seq":"1"}}}}', ErrorCode.BAD_REQUEST),
        (f'{{"type":"join_project","project_id":"{P}","since":{{"epoch":"e","seq":Infinity}}}}', ErrorCode.BAD_REQUEST),
        (f'{{"type":"join_project","project_id":"{P}","since":{{"seq":1}}}}', ErrorCode.BAD_REQUEST),
        ('{"type":"authenticate","token":"' + "x" * 4097 + '"}', ErrorCode.BAD_REQUEST),
        ('{"type":"authenticate","token":null}', ErrorCode.BAD_REQUEST),
        (f'{{"type":"typing","project_id":"{P}","task_id":null}}', ErrorCode.BAD_REQUEST),
        (f'{{"type":"typing","project_id":"{P}","task_id":"{P}","field":"labels"}}', ErrorCode.BAD_REQUEST),
        (f'{{"type":"viewing","project_id":"{P}"}}', ErrorCode.BAD_REQUEST),
    ],
)
def test_everything_else_is_refused_by_name(text: str | bytes, code: ErrorCode) -> None:
    """Whatever is not a message of the protocol is a MessageError of one of two codes, never anything else."""
    with pytest.raises(MessageError) as refused:
        messages.parse(text)
    assert refused.value.code is code
    assert 0 < len(refused.value.message) < 300


def test_refusal_names_the_field() -> None:
    """A client's author is told which field is wrong."""
    with pytest.raises(MessageError, match=r"since\.seq: "):
        messages.parse(f'{{"type":"join_project","project_id":"{P}","since":{{"epoch":"e","seq":-1}}}}')


def test_refusal_does_not_repeat_a_secret() -> None:
    """A token in a field that is wrong is not quoted back."""
    with pytest.raises(MessageError) as refused:
        messages.parse('{"type":"authenticate","token":"t","more":"canary-4711"}')
    assert "canary" not in refused.value.message


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"type":"no","id":7}', 7),
        ('{"type":"no","id":-9007199254740991}', -9007199254740991),
        ('{"type":"no","id":"abc"}', "abc"),
        (b'{"id":"abc"}', "abc"),
        ('{"id":""}', ""),
        ('{"type":"no"}', None),
        ('{"id":null}', None),
        ('{"id":true}', None),
        ('{"id":1.5}', None),
        ('{"id":[1]}', None),
        ('{"id":9007199254740992}', None),
        ('{"id":"' + "x" * 101 + '"}', None),
        ("[1]", None),
        ("no json", None),
        ("[" * 20_000, None),
        (json.dumps({"id": 10**30}), None),
    ],
)
def test_usable_id_is_found_in_a_message_that_is_not(text: str | bytes, found: str | int | None) -> None:
    """The answer to a bad message carries its id whenever that is one."""
    assert messages.find_id(text) == found
