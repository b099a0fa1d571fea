"""Whether what the server depends on works, within a time after which it counts as down."""

import asyncio
from collections.abc import Awaitable
from typing import Final

CHECK_S: Final = 2.0
"""A dependency that takes longer than this to answer counts as down."""


async def works(check: Awaitable[None]) -> bool:
    """Return whether a check passes in time."""
    try:
        await asyncio.wait_for(check, CHECK_S)
    except Exception:  # noqa: BLE001 - whatever it is, it is down
        return False
    return True
