"""How long a push that was not taken waits."""

from datetime import timedelta
from itertools import pairwise

from app.services.leases import retry_wait
from app.services.push import FIRST_RETRY_S, MAX_ATTEMPTS


def test_waits_double_up_to_two_hours_and_last_half_a_day() -> None:
    """A push service may be away for a night."""
    waits = [retry_wait(FIRST_RETRY_S, attempts, 0.5) for attempts in range(1, MAX_ATTEMPTS)]
    assert (waits[0], waits[-1]) == (timedelta(seconds=5), timedelta(hours=2))
    assert all(after in {2 * before, timedelta(hours=2)} for before, after in pairwise(waits))
    assert timedelta(hours=10) < sum(waits, timedelta()) < timedelta(hours=12)


def test_waits_are_spread() -> None:
    """What failed at once is not tried again at once."""
    assert [retry_wait(FIRST_RETRY_S, 3, jitter) for jitter in (0, 1)] == [timedelta(seconds=10), timedelta(seconds=30)]
