"""Ports to listen on in tests."""

import contextlib
import itertools
import os
import socket

_FIRST_PORT, _LAST_PORT = 15_000, 32_000
"""Below the ports that outgoing connections take, which could steal one between looking and listening."""
_ports = itertools.cycle(range(_FIRST_PORT, _LAST_PORT))
_next_port = itertools.islice(_ports, os.getpid() * 101 % (_LAST_PORT - _FIRST_PORT), None)


def free_port() -> int:
    """Return a port that nobody listens on; two test processes look in different places."""
    for port in _next_port:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError
