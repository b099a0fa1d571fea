"""Which encodings an `Accept-Encoding` header wants."""

import pytest

from app.api.compression import accepted_encodings


@pytest.mark.parametrize(
    ("asked", "accepted"),
    [
        ("gzip, deflate, br, zstd", ["br", "gzip"]),
        ("GZIP", ["gzip"]),
        ("", []),
        ("identity", []),
        ("gzip;q=0", []),
        ("br; q=0.0, gzip; q=0.000", []),
        ("br;q=0, gzip;q=0.5", ["gzip"]),
        ("br;q=0.5, gzip;q=0.8", ["gzip", "br"]),
        ("*", ["br", "gzip"]),
        ("*;q=0", []),
        ("gzip;q=0, *", ["br"]),
        ("identity, gzip;q=0.5", []),
        ("identity;q=0.5, gzip;q=0.5", ["gzip"]),
        ("identity;q=0, gzip", ["gzip"]),
        ("gzip;q=nan, br;q=2, br;level=3", []),
        ("gzipped", []),
    ],
)
def test_encodings_are_those_that_the_header_wants(asked: str, accepted: list[str]) -> None:
    """Weights decide, then length; what is refused, or wanted less than the plain text, is not sent."""
    assert accepted_encodings(asked) == accepted
