"""Ports to listen on in tests: no two processes are given the same."""

import contextlib
import itertools
import os
import socket
from collections.abc import Iterator
from typing import Final

_FIRST: Final = 10_000
_LAST: Final = 32_000
"""Below the ports that outgoing connections take, which could steal one between looking and listening."""
_BLOCK: Final = 500
"""Ports of one process. They are many: whoever still tries to reach a server that has ended shall find nobody."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    for port in itertools.islice(_ports, _BLOCK):
        if bound := _bind(port):
            bound.close()
            return port
    message = f"none of {_BLOCK} ports is free"
    raise OSError(message)


def _own_ports() -> Iterator[int]:
    """Yield the ports of a block over and over. Whoever holds its first one has it, until their process ends."""
    blocks = range(_FIRST, _LAST, _BLOCK)
    start = os.getpid() % len(blocks)  # where nobody looks at the same time, as a rule
    for first in (*blocks[start:], *blocks[:start]):
        if held := _bind(first, to_hold=True):
            with held:
                yield from itertools.cycle(range(first + 1, first + _BLOCK))
    message = "too many processes of tests: no block of ports is left"
    raise OSError(message)


def _bind(port: int, *, to_hold: bool = False) -> socket.socket | None:
    """Take a port, unless it is taken; to look only, also where old connections have not quite ended."""
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, not to_hold)
    with contextlib.suppress(OSError):
        taken.bind(("127.0.0.1", port))
        return taken
    taken.close()
    return None


_ports: Final = _own_ports()
