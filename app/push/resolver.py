"""Looks names up in threads of its own, a few at once: one that hangs holds up nothing else, nor the end of the server.

A lookup cannot be cut short, only not be waited for any longer: it keeps its place until it has really ended. Whoever
asks for a name that is being looked up waits for the same answer.
"""

import asyncio
import contextlib
import socket
from collections.abc import Hashable
from dataclasses import dataclass
from ipaddress import ip_address
from threading import Thread
from typing import Final

RESOLVE_S: Final = 5.0
"""A name server that does not answer for so long never will."""


class HostNotFoundError(Exception):
    """The name of the host has no address now; it may have one later."""


class ResolverBusyError(HostNotFoundError):
    """Nothing more is looked up before one of the names that are has been found, or given up."""


class OwnerBusyError(ResolverBusyError):
    """The same, because of lookups of one's own."""


@dataclass(frozen=True, slots=True)
class _Lookup:
    owner: Hashable
    addresses: asyncio.Future[list[str]]


class Resolver:
    """Has so many `places` for lookups, and so many of them for each owner."""

    def __init__(self, places: int, *, for_each: int | None = None) -> None:
        self._places = places
        self._for_each = for_each or places
        self._under_way: dict[tuple[str, int], _Lookup] = {}

    async def find(self, host: str, port: int, owner: Hashable = None) -> list[str]:
        """Return every address of a host, at least one; one that is an address itself is not looked up.

        Raises:
            ResolverBusyError: too many lookups are under way; OwnerBusyError: too many of this owner's.
            HostNotFoundError: there is none, or nobody could say.
        """
        if is_address(host):
            return [host]
        lookup = self._under_way.get((host, port)) or self._start(host, port, owner)
        found: list[str] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RESOLVE_S):
                found = await asyncio.shield(lookup.addresses)
        if not found:
            message = f"{host} has no address now"
            raise HostNotFoundError(message)
        return found

    def _start(self, host: str, port: int, owner: Hashable) -> _Lookup:
        owned = sum(lookup.owner == owner for lookup in self._under_way.values())
        if owned >= self._for_each:
            message = "too many names are being looked up for you"
            raise OwnerBusyError(message)
        if len(self._under_way) >= self._places:
            message = "too many names are being looked up"
            raise ResolverBusyError(message)
        loop = asyncio.get_running_loop()
        lookup = self._under_way[host, port] = _Lookup(owner, loop.create_future())

        def end(addresses: list[str]) -> None:
            del self._under_way[host, port]
            lookup.addresses.set_result(addresses)

        def run() -> None:
            addresses = _look_up(host, port)
            with contextlib.suppress(RuntimeError):  # the server has ended meanwhile, and its loop with it
                loop.call_soon_threadsafe(end, addresses)

        Thread(target=run, name="resolver", daemon=True).start()
        return lookup


def is_address(host: str) -> bool:
    """Whether a host is an address, and no name."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _look_up(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError):  # a name that cannot be one is a ValueError
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
