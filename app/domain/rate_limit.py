"""Token buckets: how often somebody may do something (RFC 2697 calls it a rate and a burst)."""

import time
from collections.abc import Callable
from typing import Final

MAX_BUCKETS: Final = 10_000
"""Keys remembered at once; beyond that the one not used for longest is forgotten."""
FORGOTTEN_PER_USE: Final = 2


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

    def __init__(self, rate_per_s: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate_per_s, self._burst = rate_per_s, burst
        self._clock = clock
        self._buckets: dict[str, TokenBucket] = {}

    def take(self, key: str) -> float:
        """Count one attempt of `key`; return 0, or the seconds to wait."""
        now = self._clock()
        bucket = self._buckets.pop(key, None) or TokenBucket(self._rate_per_s, self._burst, now)
        self._buckets[key] = bucket  # the latest used is the last
        self._forget(now)
        return bucket.take(now)

    def _forget(self, now: float) -> None:
        """Forget the bucket used longest ago, a few at each use: those that are full again, and what is too many."""
        for _ in range(FORGOTTEN_PER_USE):
            key, bucket = next(iter(self._buckets.items()))
            if len(self._buckets) == 1 or not (bucket.is_full(now) or len(self._buckets) > MAX_BUCKETS):
                return
            del self._buckets[key]
