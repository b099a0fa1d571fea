"""Where a push may go: https, to an address of the Internet's, whatever stands in front of it."""

import pytest

from app.push.addresses import EndpointRefusedError, is_public, parse_endpoint, resolve
from app.push.resolver import HostNotFoundError, Resolver


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("142.250.74.10", True),
        ("2a00:1450:4010:c0e::5f", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),  # noqa: S104 - nobody listens there
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fc00::1", False),
        ("fe80::1%eth0", False),
        ("ff0e::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:142.250.74.10", True),
        ("2002:a00:1::", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::8efa:4a0a", True),
        ("::10.0.0.1", False),
    ],
)
def test_public_addresses_are_the_internets(address: str, expected: bool) -> None:
    """One that carries another is what the other is."""
    assert is_public(address) is expected


def test_endpoint_is_taken_apart() -> None:
    """The origin is as browsers write it: without the port that goes without saying."""
    endpoint = parse_endpoint("https://push.example.org:443/send/a?b=c", allow_private=False)
    assert (endpoint.origin, endpoint.target) == ("https://push.example.org", "/send/a?b=c")
    other = parse_endpoint("https://[2a00::5]:8443/x", allow_private=False)
    assert (other.origin, other.host, other.port) == ("https://[2a00::5]:8443", "2a00::5", 8443)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://push.example.org/x",
        "ftp://push.example.org/x",
        "https:///x",
        "https://push.example.org",
        "https://push.example.org/",
        "https://push.example.org?id=x",
        "https://push.example.org/?id=x",
        "https://user@push.example.org/x",
        "https://push.example.org:0/x",
        "https://push.example.org:99999/x",
        "https://[::1/x",
        "https://push.example.org/a b",
        "https://push.example.org/a\r\nHost: other",
        "https://пуш.example.org/x",
        "https://push.example.org/" + "x" * 2048,
    ],
)
def test_what_no_push_service_gives_out_is_refused(url: str) -> None:
    """Before anybody is asked for its name."""
    with pytest.raises(EndpointRefusedError):
        parse_endpoint(url, allow_private=False)


async def test_every_address_of_a_name_is_looked_at() -> None:
    """The name of this machine leads to this machine, which only the setting allows."""
    endpoint = parse_endpoint("https://localhost/x", allow_private=False)
    with pytest.raises(EndpointRefusedError):
        await resolve(Resolver(1), endpoint, allow_private=False)
    assert set(await resolve(Resolver(1), endpoint, allow_private=True)) <= {"127.0.0.1", "::1"}


async def test_name_without_an_address_is_told_apart() -> None:
    """It may have one later."""
    for url in ("https://push.example.invalid/x", f"https://{'a' * 64}.example/x"):
        with pytest.raises(HostNotFoundError):
            await resolve(Resolver(1), parse_endpoint(url, allow_private=False), allow_private=False)
