"""HTTP clients of the tests."""

from typing import Any, Final

import httpx2

_TLS: Final = httpx2.create_ssl_context()
"""One for all: to read the machine's certificates takes longer than most of what a test asks."""


def http_client(**options: Any) -> httpx2.AsyncClient:
    """Return a client; options are those of the library."""
    defaults: dict[str, Any] = {"verify": _TLS, "timeout": 20}
    return httpx2.AsyncClient(**(defaults | options))
