"""What a client may do before it is told to slow down, and before it is put out."""

import pytest

from app.domain.rate_limit import TokenBucket
from app.websocket.conduct import BAD_MESSAGES_ALLOWED, FLOODED_MESSAGES_ALLOWED, WINDOW_S, Conduct
from app.websocket.protocol import CloseCode, CloseError, ErrorCode, MessageError


def conduct_of(rate_per_s: float, burst: int) -> Conduct:
    """Return the account of somebody who has just come; messages and joins have a bucket each."""
    return Conduct(TokenBucket(rate_per_s, burst, now=0), TokenBucket(rate_per_s, burst, now=0), now=0)


def test_burst_passes_then_the_rate_rules() -> None:
    """A burst is let through; the next is refused with the time to wait, and passes after it."""
    conduct = conduct_of(rate_per_s=2, burst=3)
    for _ in range(3):
        conduct.check_rate(0)
    with pytest.raises(MessageError) as refused:
        conduct.check_rate(0)
    assert refused.value.code is ErrorCode.RATE_LIMITED
    assert refused.value.retry_after_ms == 500
    conduct.check_rate(0.5)


def test_time_to_wait_is_never_nothing() -> None:
    """However soon the next message may come, the client is told to wait at least a millisecond."""
    conduct = conduct_of(rate_per_s=1_000_000, burst=1)
    conduct.check_rate(0)
    with pytest.raises(MessageError) as refused:
        conduct.check_rate(0)
    assert refused.value.retry_after_ms == 1


def flood(conduct: Conduct, count: int, now: float) -> None:
    for _ in range(count):
        with pytest.raises(MessageError):
            conduct.check_rate(now)


def test_flood_closes() -> None:
    """Somebody who goes on after many refusals is put out."""
    conduct = conduct_of(rate_per_s=0.001, burst=1)
    conduct.check_rate(0)
    flood(conduct, FLOODED_MESSAGES_ALLOWED, 0)
    with pytest.raises(CloseError) as closed:
        conduct.check_rate(0)
    assert closed.value.code is CloseCode.FLOODING


def test_tenth_bad_message_closes() -> None:
    """Nine messages that are not of the protocol are answered, the tenth ends it."""
    conduct = conduct_of(rate_per_s=1, burst=1)
    for _ in range(BAD_MESSAGES_ALLOWED - 1):
        conduct.count_bad(0)
    with pytest.raises(CloseError) as closed:
        conduct.count_bad(WINDOW_S)
    assert closed.value.code is CloseCode.NOT_THE_PROTOCOL


def test_window_forgives() -> None:
    """What was done wrong more than ten seconds ago is forgotten."""
    conduct = conduct_of(rate_per_s=0.001, burst=1)
    conduct.check_rate(0)
    flood(conduct, FLOODED_MESSAGES_ALLOWED, 0)
    for _ in range(BAD_MESSAGES_ALLOWED - 1):
        conduct.count_bad(0)
    later = WINDOW_S + 0.1
    conduct.count_bad(later)
    flood(conduct, FLOODED_MESSAGES_ALLOWED, later)


def test_joins_have_a_rate_of_their_own() -> None:
    """A join beyond its burst is refused with the time to wait; messages go on, and it is no flood."""
    conduct = conduct_of(rate_per_s=2, burst=3)
    for _ in range(3):
        conduct.check_join(0)
    for _ in range(FLOODED_MESSAGES_ALLOWED + 1):
        with pytest.raises(MessageError) as refused:
            conduct.check_join(0)
        assert (refused.value.code, refused.value.retry_after_ms) == (ErrorCode.RATE_LIMITED, 500)
    conduct.check_rate(0)
    conduct.check_join(0.5)


def test_time_to_wait_for_a_join_is_never_nothing() -> None:
    """However soon the next join may come, the client is told to wait at least a millisecond."""
    conduct = conduct_of(rate_per_s=1_000_000, burst=1)
    conduct.check_join(0)
    with pytest.raises(MessageError) as refused:
        conduct.check_join(0)
    assert refused.value.retry_after_ms == 1
