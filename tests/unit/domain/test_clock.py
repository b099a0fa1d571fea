"""Times are UTC, whole milliseconds, RFC 3339, and sort as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.clock import format_time, utc_now, zone_of

MOMENTS = st.datetimes(timezones=st.just(UTC))


def test_now_is_utc_in_whole_milliseconds() -> None:
    """A stored and a sent time are equal: nothing below a millisecond is kept."""
    now = utc_now()
    assert now.tzinfo is UTC
    assert now.microsecond % 1000 == 0


def test_other_zones_are_written_in_utc() -> None:
    """A Moscow time is written as UTC, its microseconds cut."""
    moscow = timezone(timedelta(hours=3))
    assert format_time(datetime(2026, 11, 22, 13, 0, 0, 123999, tzinfo=moscow)) == "2026-11-22T10:00:00.123Z"


@given(MOMENTS, MOMENTS)
def test_written_times_sort_as_times(one: datetime, other: datetime) -> None:
    """Text order is time order, from the year 1 on."""
    if one <= other:
        assert format_time(one) <= format_time(other)
    else:
        assert format_time(one) >= format_time(other)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "/etc/passwd", "../UTC", "Europe", "x\0"])
def test_zone_that_is_not_known_any_more_is_utc(name: str) -> None:
    """One unknown name stops nothing."""
    assert (zone_of(name).key, zone_of("Europe/Moscow").key) == ("UTC", "Europe/Moscow")
