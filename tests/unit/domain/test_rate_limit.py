"""Token buckets, by an injected clock."""

import pytest

from app.domain import rate_limit
from app.domain.rate_limit import RateLimiter, TokenBucket


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_bucket_lets_a_burst_through_and_then_the_rate() -> None:
    """Two at once, then one each half second."""
    bucket = TokenBucket(rate_per_s=2, burst=2, now=0)
    assert [bucket.take(0), bucket.take(0), bucket.take(0)] == [0, 0, 0.5]
    assert bucket.take(0.5) == 0
    assert bucket.take(0.6) == pytest.approx(0.4)


def test_bucket_never_holds_more_than_a_burst() -> None:
    """An hour of silence earns a burst and no more."""
    bucket = TokenBucket(rate_per_s=2, burst=2, now=0)
    assert [bucket.take(3600) for _ in range(3)] == [0, 0, 0.5]


def test_limiter_counts_each_key_by_itself_in_whole_seconds() -> None:
    """One address that tries too often does not keep another one out."""
    clock = Clock()
    limiter = RateLimiter(per_minute=2, clock=clock)
    assert [limiter.take("a"), limiter.take("a"), limiter.take("a")] == [0, 0, 30]
    assert limiter.take("b") == 0
    clock.now += 30
    assert limiter.take("a") == 0


def test_limiter_forgets_only_those_who_are_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """When there are too many keys the full buckets go; one that is used up stays used up."""
    monkeypatch.setattr(rate_limit, "MAX_BUCKETS", 3)
    clock = Clock()
    limiter = RateLimiter(per_minute=1, clock=clock)
    for key in ("idle", "idle too"):
        limiter.take(key)
    clock.now += 60
    limiter.take("busy")
    limiter.take("new")
    assert set(limiter._buckets) == {"busy", "new"}
    assert limiter.take("busy") == 60
