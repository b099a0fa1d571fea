"""What all servers that are measured have in common: each starts on a core of its own and says how to speak to it."""

import contextlib
import os
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.generator import Target
from benchmarks.machine import ROOT, SERVER_CORE, MissingToolError, pinned
from tests.support.ports import free_port

START_S: Final = 20.0


class Peer(ABC):
    """One kind of server."""

    name: str
    """In figures and files."""
    label: str
    """In reports."""

    def why_missing(self) -> str | None:
        """Return why it cannot be measured here; None when it can."""
        return None

    @contextmanager
    def running(self, *, clients: int = 1000, rooms: int = 1) -> Iterator[Target]:
        """Yield the server, fresh, on its own core, ready for clients."""
        port, control_port = free_port(), free_port()
        with tempfile.TemporaryDirectory(prefix="timetodo-peer-") as folder:
            command = self.command(port, control_port, Path(folder))
            environment = os.environ | self.environment(Path(folder), rooms)
            with (Path(folder) / "log").open("wb") as log:
                process = subprocess.Popen(
                    pinned(command, SERVER_CORE), stdout=log, stderr=log, env=environment, cwd=ROOT
                )
            try:
                _wait_for(process, [port, control_port], Path(folder) / "log")
                yield self.target(port, control_port, process.pid, clients=clients, rooms=rooms)
            finally:
                self.stop(process)

    @abstractmethod
    def command(self, port: int, control_port: int, folder: Path) -> list[str]:
        """Return the command that starts it."""

    @abstractmethod
    def target(self, port: int, control_port: int, pid: int, *, clients: int, rooms: int) -> Target:
        """Return how one speaks to it."""

    def environment(self, folder: Path, rooms: int) -> dict[str, str]:
        """Return what it wants from the environment."""
        del folder, rooms
        return {}

    def stop(self, process: "subprocess.Popen[bytes]") -> None:
        """End it."""
        process.kill()
        process.wait()


def _wait_for(process: "subprocess.Popen[bytes]", ports: list[int], log: Path) -> None:
    deadline = time.monotonic() + START_S
    for port in ports:
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                message = f"a server did not start:\n{log.read_text(errors='replace')[-2000:]}"
                raise MissingToolError(message)
            time.sleep(0.02)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
