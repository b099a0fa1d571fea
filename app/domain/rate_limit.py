"""Token buckets: how often somebody may do something (RFC 2697 calls it a rate and a burst)."""

import math
import time
from collections.abc import Callable
from typing import Final

MAX_BUCKETS: Final = 10_000
"""Keys remembered at once; beyond that the full buckets, which say nothing, are forgotten."""


class TokenBucket:
    """Lets `burst` through at once and `rate_per_s` in the long run."""

    __slots__ = ("_at", "_burst", "_rate_per_s", "_tokens")

    def __init__(self, rate_per_s: float, burst: float, now: float) -> None:
        self._rate_per_s, self._burst = rate_per_s, burst
        self._tokens, self._at = float(burst), now

    def take(self, now: float) -> float:
        """Take one token; return 0, or the seconds after which there will be one."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate_per_s)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate_per_s

    def is_full(self, now: float) -> bool:
        """Whether it would let a whole burst through, so that forgetting it changes nothing."""
        return self._tokens + (now - self._at) * self._rate_per_s >= self._burst


class RateLimiter:
    """One bucket for each key (an address), forgotten when idle."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: dict[str, TokenBucket] = {}

    def take(self, key: str) -> int:
        """Count one attempt of `key`; return 0, or the whole seconds to wait."""
        now = self._clock()
        if len(self._buckets) >= MAX_BUCKETS:
            self._buckets = {name: bucket for name, bucket in self._buckets.items() if not bucket.is_full(now)}
        if key not in self._buckets:
            self._buckets[key] = TokenBucket(self._per_minute / 60, self._per_minute, now)
        return math.ceil(self._buckets[key].take(now))
