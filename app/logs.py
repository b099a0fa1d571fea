"""Structured logs, with every credential taken out of every line, whoever writes it.

uvicorn logs the whole URL of a WebSocket, `?token=` included; its loggers go through here too.
"""

import logging
import re
import sys
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor

REDACTED: Final = "[redacted]"
_JWT: Final = r"eyJ[\w-]*\.[\w-]+\.[\w-]*"
_SECRETS: Final = re.compile(
    rf"(?P<name>(?:token|ticket|code|password|secret)=)[^&\s\"']+|(?P<scheme>bearer[ .%20]+)[^\s,\"']+|{_JWT}|"
    r"(?P<path>/invit(?:e|ations)/|/reset#|/unsubscribe[/#])[\w.-]{20,}",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """Return the text without tokens, tickets, codes and the links in mails."""
    return _SECRETS.sub(lambda match: (match["name"] or match["scheme"] or match["path"] or "") + REDACTED, text)


def _redact_all(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return {name: _redact_value(value) for name, value in event.items()}


def _redact_value(value: Any) -> Any:
    """Texts at any depth of what JSON can hold; whatever else there is, is logged by its own rules."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: _redact_value(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_redact_value(inner) for inner in value]
    return value


def configure(level: str, *, as_json: bool) -> None:
    """Send every logger of the process through one chain to standard error."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact_all,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    logging.getLogger("alembic").setLevel(logging.WARNING)
