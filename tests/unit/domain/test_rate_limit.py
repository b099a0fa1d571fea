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


def test_bucket_is_full_after_the_time_it_takes_to_fill() -> None:
    """Then forgetting it changes nothing; a moment before that it would."""
    bucket = TokenBucket(rate_per_s=2, burst=2, now=0)
    assert bucket.is_full(0)
    bucket.take(0)
    assert not bucket.is_full(0.4)
    assert bucket.is_full(0.5)


def test_limiter_counts_each_key_by_itself() -> None:
    """One address that tries too often does not keep another one out."""
    clock = Clock()
    limiter = RateLimiter(1 / 30, 2, clock)
    assert [limiter.take("a"), limiter.take("a"), limiter.take("a")] == [0, 0, pytest.approx(30)]
    assert limiter.take("b") == 0
    clock.now += 30.01
    assert limiter.take("a") == 0
    assert limiter.take("a") > 0


def test_limiter_forgets_those_who_are_idle() -> None:
    """The full buckets go as others are used; one that is used up stays used up."""
    clock = Clock()
    limiter = RateLimiter(1, 60, clock)
    for key in ("idle", "idle too"):
        limiter.take(key)
    clock.now += 1
    for _ in range(60):
        limiter.take("busy")
    assert set(limiter._buckets) == {"busy"}
    assert limiter.take("busy") == 1


def test_limiter_remembers_who_used_it_up_until_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit the one not used for longest is forgotten, full or not: memory is bounded before all else."""
    monkeypatch.setattr(rate_limit, "MAX_BUCKETS", 3)
    limiter = RateLimiter(0.001, 1, Clock())
    for key in "abcabcd":
        limiter.take(key)
    assert list(limiter._buckets) == ["b", "c", "d"]
    assert limiter.take("b") > 0
