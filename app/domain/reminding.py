"""When somebody is reminded of what is due: in their own time, through changes of the clocks.

A due date without a time is reminded of in the morning: of that day, or as many days before as asked for. With a time
it is reminded of that long before, to the minute. Overdue is told at the time, or on the morning after the day.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.notifying import Kind

MORNING: Final = time(9)
_DATE_LENGTH: Final = len("2026-11-25")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Reminder:
    """That somebody is to be told of a due date at a moment (UTC)."""

    kind: Kind
    moment: datetime


def reminders_of(due: str, zone: ZoneInfo, before: Iterable[timedelta]) -> list[Reminder]:
    """Return the reminders of a due date (`2026-11-25`, or a UTC time) for somebody in a time zone, in their order."""
    if len(due) == _DATE_LENGTH:
        day = date.fromisoformat(due)
        soon = {_morning(day - _DAY * (ahead // _DAY), zone) for ahead in before}
        over = _morning(day + _DAY, zone)
    else:
        over = datetime.fromisoformat(due).astimezone(UTC)
        soon = {over - ahead for ahead in before}
    return [Reminder(Kind.DUE_SOON, moment) for moment in sorted(soon)] + [Reminder(Kind.OVERDUE, over)]


def find_due(reminders: Iterable[Reminder], now: datetime, *, after: datetime) -> Reminder | None:
    """Return the latest reminder whose time has come, if it lies after `after`: what was missed is told once, late."""
    passed = [reminder for reminder in reminders if after < reminder.moment <= now]
    return passed[-1] if passed else None


def _morning(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, MORNING, zone).astimezone(UTC)
