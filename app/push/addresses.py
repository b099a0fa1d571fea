"""Where a push may go: https, to a public address. Whoever subscribes names the address, and we send the request.

Every address a name resolves to is looked at, when the subscription is stored and again when it is used, and the
connection is made to an address that was looked at: a name that answers differently the next time gains nothing.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

from app.push.resolver import Resolver

MAX_ENDPOINT_LENGTH: Final = 2048
_PORTS: Final = {"https": 443, "http": 80}
_NAT64: Final = IPv6Network("64:ff9b::/96")

IpAddress = IPv4Address | IPv6Address


class EndpointRefusedError(Exception):
    """Nothing is sent to this address; the text says why."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of one subscription, taken apart. `host` is a name or an address without brackets."""

    url: str
    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> str:
        """Scheme, host and port as browsers write an origin: the audience of our token."""
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """Host and port as the `Host` header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse_endpoint(url: str, *, allow_private: bool) -> Endpoint:
    """Take an address apart; with `allow_private`, it may be plain http.

    Raises:
        EndpointRefusedError: not an address that a push service gives out.
    """
    if len(url) > MAX_ENDPOINT_LENGTH or not url.isascii() or any(sign <= " " or sign == "\x7f" for sign in url):
        message = f"must be an address of at most {MAX_ENDPOINT_LENGTH} ASCII characters without spaces"
        raise EndpointRefusedError(message)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ({"https", "http"} if allow_private else {"https"}):
        message = "must be an https address"
        raise EndpointRefusedError(message)
    if not host or parts.username is not None or parts.password is not None or port == 0:
        message = "must be the address of a push service, with a host and without a password"
        raise EndpointRefusedError(message)
    if parts.path in {"", "/"}:
        message = "must be the address of one subscription, with a path after the host"
        raise EndpointRefusedError(message)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    return Endpoint(url, parts.scheme, host, port or _PORTS[parts.scheme], target)


async def resolve(resolver: Resolver, endpoint: Endpoint, *, allow_private: bool, owner: Hashable = None) -> list[str]:
    """Return the addresses of the endpoint's host, every one of them public unless `allow_private`.

    Raises:
        EndpointRefusedError: one of them is not public.
        HostNotFoundError: there is none, or nobody could say.
    """
    addresses = await resolver.find(endpoint.host, endpoint.port, owner)
    if not allow_private and not all(is_public(address) for address in addresses):
        message = "must be on a public address"
        raise EndpointRefusedError(message)
    return addresses


def is_public(address: str) -> bool:
    """Whether an address is one of the Internet's. One that carries another is what the other one is."""
    bare = ip_address(address.partition("%")[0])
    if isinstance(bare, IPv6Address) and (carried := _carried(bare)) is not None:
        bare = carried
    return bare.is_global and not (bare.is_multicast or bare.is_reserved or bare.is_unspecified)


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped (RFC 4291), 6to4 (RFC 3056), NAT64 (RFC 6052)."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None
