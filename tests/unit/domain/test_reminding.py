"""When somebody is reminded: in their own time, also in the weeks in which clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.clock import format_time
from app.domain.notifying import Kind
from app.domain.reminding import Reminder, find_due, find_windows, reminders_of

USUAL = (timedelta(days=1), timedelta(hours=1))


def times(due: str, zone: str, before: tuple[timedelta, ...] = USUAL) -> list[tuple[str, str]]:
    """Return kinds and local times of the reminders."""
    found = reminders_of(due, ZoneInfo(zone), before)
    return [(reminder.kind.value, f"{reminder.moment.astimezone(ZoneInfo(zone)):%m-%d %H:%M}") for reminder in found]


def test_due_time_is_reminded_of_before_and_at_it() -> None:
    """As long before as asked for, earliest first."""
    assert times("2026-11-25T15:00:00.000Z", "Europe/Moscow") == [
        ("due_soon", "11-24 18:00"),
        ("due_soon", "11-25 17:00"),
        ("overdue", "11-25 18:00"),
    ]


def test_due_day_is_reminded_of_in_the_morning() -> None:
    """The day before, the day itself, and once it is over; less than a day before means the day."""
    expected = [("due_soon", "11-24 09:00"), ("due_soon", "11-25 09:00"), ("overdue", "11-26 09:00")]
    assert times("2026-11-25", "Asia/Vladivostok") == expected
    assert times("2026-11-25", "America/New_York", ()) == [("overdue", "11-26 09:00")]
    twice = (timedelta(hours=1), timedelta(hours=2))
    assert times("2026-11-25", "UTC", twice) == [("due_soon", "11-25 09:00"), ("overdue", "11-26 09:00")]


@pytest.mark.parametrize(
    ("day", "utc_hour"), [("2026-03-28", 8), ("2026-03-29", 7), ("2026-10-24", 7), ("2026-10-25", 8)]
)
def test_morning_is_by_the_clock_on_the_wall(day: str, utc_hour: int) -> None:
    """Nine in Berlin, before and after its clocks have changed."""
    (soon, _) = reminders_of(day, ZoneInfo("Europe/Berlin"), (timedelta(hours=1),))
    assert (soon.moment.hour, soon.moment.tzinfo) == (utc_hour, UTC)


def test_of_several_missed_reminders_the_latest_is_told() -> None:
    """And none twice, nor what lies before the moment from which one wants to hear."""
    moments = [datetime(2026, 11, 25, hour, tzinfo=UTC) for hour in (9, 10, 11)]
    reminders = [Reminder(Kind.DUE_SOON, lead, moment) for lead, moment in zip((120, 60, 0), moments, strict=True)]
    long_ago = datetime(2026, 11, 1, tzinfo=UTC)
    assert find_due(reminders, datetime(2026, 11, 25, 8, tzinfo=UTC), after=long_ago) is None
    assert find_due(reminders, moments[0], after=long_ago) == reminders[0]
    late = datetime(2026, 11, 25, 10, 30, tzinfo=UTC)
    assert find_due(reminders, late, after=long_ago) == reminders[1]
    assert find_due(reminders, late, after=moments[1]) is None
    assert find_due(reminders, late, after=long_ago, told_min=60) is None
    assert find_due(reminders, moments[2], after=long_ago, told_min=60) == reminders[2]


@pytest.mark.parametrize(
    ("due", "leads"), [("2026-11-25T15:00:00.000Z", [1440, 60, -1]), ("2026-11-25", [1440, 0, -1])]
)
def test_reminder_is_the_same_in_every_time_zone(due: str, leads: list[int]) -> None:
    """It is named by how long before it comes, each less than the one before it."""
    for zone in ("Pacific/Auckland", "America/Los_Angeles"):
        assert [reminder.lead_min for reminder in reminders_of(due, ZoneInfo(zone), USUAL)] == leads


NOW = datetime(2026, 11, 25, 6, 2, tzinfo=UTC)
"""Nine in the morning in Moscow, and two minutes."""


def test_due_dates_to_look_at_are_those_of_the_moment() -> None:
    """So long ahead as people are reminded; whole days while it is morning where somebody lives."""
    habits = [(ZoneInfo("Europe/Moscow"), USUAL), (ZoneInfo("Asia/Tokyo"), (timedelta(hours=1),))]
    assert find_windows(habits, NOW - timedelta(minutes=5), NOW) == [
        ("2026-11-24", "2026-11-24"),
        ("2026-11-25", "2026-11-25"),
        ("2026-11-25T05:57:00.000Z", "2026-11-25T06:02:00.000Z"),
        ("2026-11-25T06:57:00.000Z", "2026-11-25T07:02:00.000Z"),
        ("2026-11-26", "2026-11-26"),
        ("2026-11-26T05:57:00.000Z", "2026-11-26T06:02:00.000Z"),
    ]
    later = NOW + timedelta(hours=1)
    assert not any(len(last) == len("2026-11-25") for _, last in find_windows(habits, NOW, later))
    assert find_windows(habits[:1], NOW - timedelta(hours=30), NOW)[-1][1] == "2026-11-26T06:02:00.000Z"


@given(
    minutes=st.integers(-9 * 24 * 60, 33 * 24 * 60),
    is_day=st.booleans(),
    zone=st.sampled_from(["UTC", "Europe/Moscow", "America/New_York", "Pacific/Apia", "Pacific/Kiritimati"]),
    before=st.lists(st.integers(0, 30 * 24 * 60).map(lambda lead: timedelta(minutes=lead)), max_size=3),
    since=st.integers(1, 7 * 24 * 60),
)
def test_nothing_due_lies_outside_the_windows(
    minutes: int, is_day: bool, zone: str, before: list[timedelta], since: int
) -> None:
    """Whatever somebody is reminded of is among what is looked at."""
    due = format_time(NOW + timedelta(minutes=minutes))
    due = due[: len("2026-11-25")] if is_day else due
    after, place = NOW - timedelta(minutes=since), ZoneInfo(zone)
    if find_due(reminders_of(due, place, before), NOW, after=after):
        assert any(first <= due <= last for first, last in find_windows([(place, before)], after, NOW))
