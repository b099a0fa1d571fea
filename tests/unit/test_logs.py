"""No credential in any line, whoever logs it and however it is written."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from app import logs

CANARY = "c4n4ry-c4n4ry-c4n4ry-c4n4ry"
JWT = f"eyJhbGciOiJIUzI1NiJ9.eyJ{CANARY}.sig-{CANARY}"


@pytest.mark.parametrize(
    "text",
    [
        f"WebSocket /api/v1/ws?token={CANARY} [accepted]",
        f"/api/v1/ws?x=1&ticket={CANARY}&y=2",
        f"?TOKEN={CANARY}",
        f"Authorization: Bearer {CANARY}",
        f"bearer%20{CANARY}",
        f"Sec-WebSocket-Protocol: timetodo.v1, bearer.{CANARY}",
        f"some text {JWT} more",
        f"GET /invite/{CANARY}",
        f"550 https://board.example.org/reset#{CANARY} looks like spam",
        f"POST /api/v1/mail/unsubscribe/01a222387e7e776e84967af302ba82d5.{CANARY}",
        f"/api/v1/invitations/{CANARY}/accept",
        f"?code={CANARY}",
        f"password={CANARY}",
        f"refresh_token={CANARY}",
    ],
)
def test_credential_is_taken_out_and_the_rest_stays(text: str) -> None:
    """Whatever form a credential is written in, it is not in the line any more."""
    redacted = logs.redact(text)
    assert CANARY not in redacted
    assert logs.REDACTED in redacted


@pytest.mark.parametrize("text", ["", "a usual line", "GET /api/v1/tasks 200", "tokens are fine", "/invite/short"])
def test_usual_text_stays_as_it_is(text: str) -> None:
    """What is no credential is not touched."""
    assert logs.redact(text) == text


@pytest.fixture(params=[True, False], ids=["json", "console"])
def lines(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Logging set up as in the server, its lines caught, and everything as before afterwards."""
    root, uvicorn_loggers = (
        logging.getLogger(),
        [logging.getLogger(f"uvicorn{part}") for part in ("", ".error", ".access")],
    )
    before = (root.handlers, root.level, [(logger.handlers, logger.propagate) for logger in uvicorn_loggers])
    caught = io.StringIO()
    monkeypatch.setattr(sys, "stderr", caught)
    logs.configure("INFO", as_json=request.param)
    yield caught
    logs.configure("WARNING", as_json=False)
    root.handlers, root.level = before[0], before[1]
    for logger, (handlers, propagate) in zip(uvicorn_loggers, before[2], strict=True):
        logger.handlers, logger.propagate = handlers, propagate


@pytest.mark.parametrize("name", ["uvicorn", "uvicorn.error", "uvicorn.access", "alembic.x", "anything"])
def test_foreign_loggers_are_redacted_too(lines: io.StringIO, name: str) -> None:
    """Uvicorn logs the URL of a WebSocket with its token; here it does not."""
    logging.getLogger(name).warning('"WebSocket %s" [accepted]', f"/api/v1/ws?token={CANARY}")
    assert CANARY not in lines.getvalue()
    assert "?token=[redacted]" in lines.getvalue()


def test_own_logger_is_redacted(lines: io.StringIO) -> None:
    """Values, also of nested objects, are redacted."""
    log = structlog.get_logger("app.test")
    log.warning(
        "request", path=f"/invite/{CANARY}", headers={"authorization": f"Bearer {CANARY}"}, parts=[f"?ticket={CANARY}"]
    )
    assert "request" in lines.getvalue()
    assert CANARY not in lines.getvalue()


def test_traceback_is_logged_and_redacted(lines: io.StringIO) -> None:
    """An exception's text and frames are written, its credentials are not."""
    try:
        message = f"refused Bearer {CANARY}"
        raise ValueError(message)
    except ValueError:
        structlog.get_logger("app.test").exception("failed")
        logging.getLogger("uvicorn.error").exception("failed")
    assert lines.getvalue().count("Traceback") == 2
    assert CANARY not in lines.getvalue()


@pytest.mark.parametrize("lines", [True], indirect=True)
def test_json_lines_are_json(lines: io.StringIO) -> None:
    """Every line is one object with time, level, logger and event."""
    structlog.get_logger("app.test").info("one", number=1)
    logging.getLogger("uvicorn.error").info("two")
    one, two = (json.loads(line) for line in lines.getvalue().splitlines())
    assert (one["event"], one["number"], one["level"], one["logger"]) == ("one", 1, "info", "app.test")
    assert (two["event"], two["level"]) == ("two", "info")
    assert one["timestamp"].endswith("Z")
