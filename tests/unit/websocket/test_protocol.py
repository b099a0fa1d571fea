"""Frames as they stand on the wire."""

from uuid import uuid4

import orjson
import pytest

from app.websocket.protocol import CloseCode, ErrorCode, MessageError, encode, encode_error


def test_frame_has_what_was_given_and_no_more() -> None:
    """Optional parts are left out, `data` is always there."""
    assert orjson.loads(encode("pong")) == {"type": "pong", "data": {}}
    assert orjson.loads(encode("pong", message_id=0)) == {"type": "pong", "id": 0, "data": {}}
    project_id = uuid4()
    whole = encode("project_left", {"reason": "left"}, project_id=project_id, message_id="a", more=1)
    assert orjson.loads(whole) == {
        "type": "project_left",
        "id": "a",
        "project_id": str(project_id),
        "more": 1,
        "data": {"reason": "left"},
    }


@pytest.mark.parametrize("code", ErrorCode)
def test_error_says_whether_to_try_again(code: ErrorCode) -> None:
    """Only what may pass by itself is retryable."""
    frame = orjson.loads(encode_error(MessageError(code, "why", retry_after_ms=5), 3))
    assert frame == {
        "type": "error",
        "id": 3,
        "data": {
            "code": code.value,
            "message": "why",
            "retryable": code in {"rate_limited", "unavailable", "internal"},
            "retry_after_ms": 5,
        },
    }


def test_close_codes_are_the_documented_ones() -> None:
    """Clients decide by these numbers whether and when to come back (docs/protocol.md)."""
    assert {int(code) for code in CloseCode} == {
        *(1000, 1009, 1012, 1013),
        *(4200, 4201, 4202, 4203),
        *(4400, 4401, 4403, 4410, 4419),
        4500,
    }
