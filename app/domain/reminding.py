"""When somebody is reminded of what is due: in their own time, through changes of the clocks.

A due date without a time is reminded of in the morning: of that day, or as many days before as asked for. With a time
it is reminded of that long before, to the minute. Overdue is told at the time, or on the morning after the day.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.clock import format_time
from app.domain.notifying import Kind

MORNING: Final = time(9)
_DATE_LENGTH: Final = len("2026-11-25")
_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
_OVERDUE_MIN: Final = -1
"""The lead of the last reminder: less than any other."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """That somebody is to be told of a due date at a moment (UTC).

    `lead_min` names it among those of one due date, wherever its reader lives: minutes before, whole days for a day.
    """

    kind: Kind
    lead_min: int
    moment: datetime


def reminders_of(due: str, zone: ZoneInfo, before: Iterable[timedelta]) -> list[Reminder]:
    """Return the reminders of a due date (`2026-11-25`, or a UTC time) for somebody in a time zone, in their order."""
    if len(due) == _DATE_LENGTH:
        day = date.fromisoformat(due)
        soon = {lead: _morning(day - lead, zone) for lead in (_DAY * (ahead // _DAY) for ahead in before)}
        over = _morning(day + _DAY, zone)
    else:
        over = datetime.fromisoformat(due).astimezone(UTC)
        soon = {lead: over - lead for lead in before}
    reminders = [Reminder(Kind.DUE_SOON, lead // _MINUTE, soon[lead]) for lead in sorted(soon, reverse=True)]
    return [*reminders, Reminder(Kind.OVERDUE, _OVERDUE_MIN, over)]


def find_due(
    reminders: Iterable[Reminder], now: datetime, *, after: datetime, told_min: int | None = None
) -> Reminder | None:
    """Return the latest reminder whose time has come after `after`: what was missed is told once, late.

    `told_min` is the lead of the last one that was told: neither that nor an earlier one is told again, whatever the
    reader's time zone has become.
    """
    passed = [
        reminder
        for reminder in reminders
        if after < reminder.moment <= now and (told_min is None or reminder.lead_min < told_min)
    ]
    return passed[-1] if passed else None


def find_windows(
    habits: Iterable[tuple[ZoneInfo, Iterable[timedelta]]], after: datetime, now: datetime
) -> list[tuple[str, str]]:
    """Return between which due dates, both included, all those are of which somebody is reminded after `after`.

    `habits` are in which zones, and how long before, people are reminded: in most moments the windows are narrow.
    """
    windows: set[tuple[str, str]] = set()
    for zone, before in habits:
        leads = list(before)
        for lead in (*leads, timedelta(0)):
            windows.add((format_time(after + lead), format_time(now + lead)))
        day, last = after.astimezone(zone).date(), now.astimezone(zone).date()
        while day <= last:
            if after < _morning(day, zone) <= now:
                due = {(day + _DAY * ahead).isoformat() for ahead in (-1, *(lead // _DAY for lead in leads))}
                windows.update((one, one) for one in due)
            day += _DAY
    return _joined(sorted(windows))


def _joined(windows: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return windows, which are sorted, without overlap."""
    joined: list[tuple[str, str]] = []
    for first, last in windows:
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def _morning(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, MORNING, zone).astimezone(UTC)
