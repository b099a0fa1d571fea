"""What one ill-willed client can do to the others: each attack is a program, the victim is the load generator.

`python -m benchmarks.attacks NAME PORT PATH [HEADER]` attacks until it is ended, and comes back when it is thrown out.
"""

import contextlib
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from benchmarks.generator import upgrade_request

CHUNK_BYTES: Final = 64 * 1024
"""Written by one system call."""
HALF_OPEN: Final = 2000
"""Connections that one client may keep half-open."""
TIMEOUT_S: Final = 5.0
NICENESS: Final = 10
"""The attacker shares a core with the victim and must not slow it down by itself."""


class Attacker:
    """One client, and where it attacks."""

    def __init__(self, port: int, path: str, headers: list[str]) -> None:
        self._port = port
        self._path = path
        self._headers = headers

    def ping_flood(self) -> None:
        """Pings, as many as go through, whose answers are read."""
        self._flood(frame(9, b"") * (CHUNK_BYTES // 6), reads=True)

    def pings_unread(self) -> None:
        """Pings as heavy as they may be, whose answers are never read."""
        self._flood(frame(9, b"x" * 125) * (CHUNK_BYTES // 131), reads=False)

    def empty_continuations(self) -> None:
        """A message in pieces of no bytes that never ends."""
        self._flood(frame(0, b"", fin=False) * (CHUNK_BYTES // 6), reads=True, first=frame(1, b"", fin=False))

    def tiny_messages(self) -> None:
        """Text messages of two bytes, as many as go through."""
        self._flood(frame(1, b"{}") * (CHUNK_BYTES // 8), reads=True)

    def huge_message(self) -> None:
        """A message that declares a terabyte and begins to come."""
        self._flood(b"x" * CHUNK_BYTES, reads=True, first=bytes([0x82, 0xFF]) + (1 << 40).to_bytes(8) + bytes(4))

    def endless_header(self) -> None:
        """One line of an HTTP request that never ends."""
        with self._dial() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
            while True:
                connection.sendall(b"x" * CHUNK_BYTES)

    def half_handshakes(self) -> None:
        """Connections that begin a handshake and leave it at that."""
        self._leave_half_open(f"GET {self._path} HTTP/1.1\r\nHost: localhost\r\n")

    def half_bodies(self) -> None:
        """Calls of our API that are to change something, and whose body never comes."""
        token = " ".join(self._headers).rpartition("bearer.")[2]
        self._leave_half_open(
            f"POST /api/v1/tasks/{UUID(int=0)}/archive HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {token}\r\nIdempotency-Key: key\r\nContent-Length: 1\r\n\r\n"
        )

    def _leave_half_open(self, beginning: str) -> None:
        held: list[socket.socket] = []
        while True:
            with contextlib.suppress(OSError):
                connection = self._dial()
                connection.sendall(beginning.encode())
                held.append(connection)
            while len(held) >= HALF_OPEN:
                held.pop(0).close()
            time.sleep(0.0005)

    def _flood(self, chunk: bytes, *, reads: bool, first: bytes = b"") -> None:
        with self._join() as connection:
            if reads:
                threading.Thread(target=_swallow, args=(connection,), daemon=True).start()
            connection.sendall(first)
            while True:
                connection.sendall(chunk)

    def _join(self) -> socket.socket:
        connection = self._dial()
        connection.sendall(upgrade_request(self._path, *self._headers).encode())
        connection.recv(CHUNK_BYTES)
        return connection

    def _dial(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._port), timeout=TIMEOUT_S)


ATTACKS: Final[dict[str, Callable[[Attacker], None]]] = {
    "ping_flood": Attacker.ping_flood,
    "pings_unread": Attacker.pings_unread,
    "empty_continuations": Attacker.empty_continuations,
    "tiny_messages": Attacker.tiny_messages,
    "huge_message": Attacker.huge_message,
    "endless_header": Attacker.endless_header,
    "half_handshakes": Attacker.half_handshakes,
    "half_bodies": Attacker.half_bodies,
}


def frame(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """Return a client's frame of less than 126 bytes, masked with zeros."""
    return bytes([opcode | (0x80 if fin else 0), 0x80 | len(payload), 0, 0, 0, 0]) + payload


def _swallow(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while connection.recv(CHUNK_BYTES):
            pass


def main() -> None:
    """Attack for ever."""
    name, port, path, *headers = sys.argv[1:]
    os.nice(NICENESS)
    attacker = Attacker(int(port), path, headers)
    while True:
        with contextlib.suppress(OSError):
            ATTACKS[name](attacker)
        time.sleep(0.001)


if __name__ == "__main__":
    main()
