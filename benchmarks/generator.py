"""The load generator, started from Python: options in, one dictionary of figures a phase out."""

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.machine import LOAD_CORE, compile_c, pinned

Figures = dict[str, Any]
"""What one phase measured; the names are in README.md."""

EVENT_BYTES: Final = 304
"""What one event weighs as JSON, at every peer."""
_TEXTS = frozenset({"upgrade", "join", "rejoin"})
"""Options whose value the generator reads from a file, for they have lines."""


class LoadError(Exception):
    """The generator could not measure; the message is its own."""


@dataclass(frozen=True)
class Target:
    """A running server, and how one speaks to it."""

    port: int
    control_port: int
    pids: list[int]
    options: dict[str, str] = field(default_factory=dict)
    """How one joins and how one publishes: `upgrade`, `after`, `join`, `ready`, `ping`, `pong`, `control` …"""
    tokens: list[str] = field(default_factory=list)
    """One a connection, in their order; taken again from the start when there are more connections."""
    room_names: list[str] = field(default_factory=list)


class Load:
    """One run of the generator, under way."""

    def __init__(self, target: Target, *, http: list[str] | None = None, **options: Any) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="timetodo-load-")
        arguments = [f"port={target.port}", f"control_port={target.control_port}"]
        arguments += [f"pid={pid}" for pid in target.pids]
        for name, value in (target.options | options).items():
            arguments.append(f"{name}={self._file(name, value) if name in _TEXTS else value}")
        if target.tokens:
            arguments.append(f"tokens={self._file('tokens', chr(10).join(target.tokens))}")
        if target.room_names:
            arguments.append(f"room_names={self._file('room_names', chr(10).join(target.room_names))}")
        arguments += [f"http={self._file(f'http{n}', text)}" for n, text in enumerate(http or [])]
        command = pinned([str(compile_c("load/load.c")), *arguments], LOAD_CORE)
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait_until_ready(self) -> None:
        """Return when every client is in its room.

        Raises:
            LoadError: that did not happen.
        """
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            if line == "ready\n":
                return
            said.append(line)
        raise LoadError("".join(said) or "the load generator ended")

    def finish(self) -> list[Figures]:
        """Return the figures of each phase.

        Raises:
            LoadError: something went wrong that makes them worthless.
        """
        out, errors = self._process.communicate()
        self._folder.cleanup()
        if self._process.returncode != 0:
            raise LoadError(errors.strip() or f"the load generator ended with {self._process.returncode}")
        return [json.loads(line) for line in out.splitlines()]

    def _file(self, name: str, text: str) -> Path:
        path = Path(self._folder.name) / name
        path.write_text(text)
        return path


def run(target: Target, **options: Any) -> list[Figures]:
    """Run the generator to its end; see `Load`."""
    return Load(target, **options).finish()


def upgrade_request(path: str, *headers: str) -> str:
    """Return the template of a WebSocket handshake."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *headers,
    ]
    return "\r\n".join(lines) + "\r\n\r\n"


def http_request(method: str, path: str, token: str, body: str | None = None) -> str:
    """Return a request's template; ten `@` in it become its number, wherever they stand."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}"]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body.encode())}"]
    return "\r\n".join(lines) + "\r\n\r\n" + (body or "")
