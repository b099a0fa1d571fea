"""The one decision about whom to tell how, as a table; and quiet hours over midnight and clock changes."""

import json
from datetime import UTC, datetime, time
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from app.domain.notifying import (
    ABOUT_ONESELF,
    DEFAULTS,
    PERSONAL,
    Channel,
    Kind,
    ProjectWishes,
    QuietHours,
    Watching,
    Why,
    Wishes,
    decide,
)

PROJECT = UUID(int=1)
IN_APP, PUSH, EMAIL = Channel.IN_APP, Channel.PUSH, Channel.EMAIL
ALL = frozenset(Channel)
NONE: frozenset[Channel] = frozenset()
BY_DEFAULT = Wishes()
MUTED = Wishes(projects={PROJECT: ProjectWishes(muted=True)})
WATCHED = Wishes(projects={PROJECT: ProjectWishes(watched=True)})
ONLY_PUSH = Wishes(matrix={Kind.COMMENTED: frozenset({PUSH})})
QUIET_COMMENTS = Wishes(matrix={Kind.COMMENTED: frozenset({IN_APP})})
LOUD_HERE = Wishes(
    matrix={Kind.COMMENTED: frozenset()}, projects={PROJECT: ProjectWishes({Kind.COMMENTED: frozenset({IN_APP, PUSH})})}
)
SILENT_HERE = Wishes(projects={PROJECT: ProjectWishes({Kind.MENTIONED: frozenset()})})


@pytest.mark.parametrize(
    ("kind", "why", "wishes", "watching", "expected"),
    [
        (Kind.COMMENTED, Why.AUTHOR, BY_DEFAULT, Watching.DEFAULT, ALL),
        (Kind.STATUS_CHANGED, Why.ASSIGNEE, BY_DEFAULT, Watching.DEFAULT, frozenset({IN_APP})),
        (Kind.COMMENTED, Why.AUTHOR, QUIET_COMMENTS, Watching.DEFAULT, frozenset({IN_APP})),
        (Kind.MENTIONED, Why.MENTIONED, QUIET_COMMENTS, Watching.DEFAULT, ALL),
        (Kind.COMMENTED, Why.AUTHOR, LOUD_HERE, Watching.DEFAULT, frozenset({IN_APP, PUSH})),
        (Kind.MENTIONED, Why.MENTIONED, SILENT_HERE, Watching.DEFAULT, NONE),
        (Kind.COMMENTED, Why.AUTHOR, ONLY_PUSH, Watching.DEFAULT, NONE),
        (Kind.COMMENTED, Why.ASSIGNEE, MUTED, Watching.DEFAULT, NONE),
        (Kind.COMMENTED, Why.ASSIGNEE, MUTED, Watching.WATCHING, ALL),
        (Kind.DUE_SOON, Why.REMINDER, MUTED, Watching.DEFAULT, NONE),
        (Kind.MENTIONED, Why.MENTIONED, MUTED, Watching.DEFAULT, ALL),
        (Kind.ASSIGNED, Why.ASSIGNEE, MUTED, Watching.MUTED, ALL),
        (Kind.PROJECT_REMOVED, Why.MEMBER, MUTED, Watching.DEFAULT, frozenset({IN_APP, EMAIL})),
        (Kind.COMMENTED, Why.AUTHOR, BY_DEFAULT, Watching.MUTED, NONE),
        (Kind.COMMENTED, Why.WATCHER, BY_DEFAULT, Watching.WATCHING, ALL),
        (Kind.COMMENTED, Why.WATCHER, WATCHED, Watching.DEFAULT, ALL),
        (Kind.COMMENTED, Why.WATCHER, WATCHED, Watching.MUTED, NONE),
        (Kind.COMMENTED, Why.WATCHER, BY_DEFAULT, Watching.DEFAULT, NONE),
    ],
)
def test_what_is_told_on_which_way(
    kind: Kind, why: Why, wishes: Wishes, watching: Watching, expected: frozenset[Channel]
) -> None:
    """A task's own wish is stronger than a project's, a project's than the general one."""
    assert decide(kind, why, wishes, PROJECT, watching) == expected


def test_every_kind_has_a_default() -> None:
    """Nothing can be told that nobody decided about; what is told together is not chosen."""
    assert set(Kind) - {Kind.CHANGES} == DEFAULTS.keys()
    assert not PERSONAL & ABOUT_ONESELF
    assert all(IN_APP in channels for channels in DEFAULTS.values())


def test_defaults_are_those_the_page_shows() -> None:
    """The page knows them too, and its tests read the same file."""
    file = Path(__file__).parents[2] / "fixtures" / "notification_defaults.json"
    assert {kind.value: sorted(channels) for kind, channels in DEFAULTS.items()} == {
        kind: sorted(channels) for kind, channels in json.loads(file.read_text()).items()
    }


@pytest.mark.parametrize(
    ("begins", "ends", "now", "expected"),
    [
        ("22:00", "08:00", "2026-11-25T23:30+03:00", "2026-11-26T08:00+03:00"),
        ("22:00", "08:00", "2026-11-25T03:00+03:00", "2026-11-25T08:00+03:00"),
        ("22:00", "08:00", "2026-11-25T08:00+03:00", None),
        ("22:00", "08:00", "2026-11-25T21:59+03:00", None),
        ("13:00", "14:00", "2026-11-25T13:30+03:00", "2026-11-25T14:00+03:00"),
        ("13:00", "14:00", "2026-11-25T14:00+03:00", None),
    ],
)
def test_quiet_hours_end_in_the_persons_own_time(begins: str, ends: str, now: str, expected: str | None) -> None:
    """They may go over midnight; their last minute is the one before they end."""
    hours = QuietHours(time.fromisoformat(begins), time.fromisoformat(ends))
    end = hours.end_after(datetime.fromisoformat(now).astimezone(UTC), ZoneInfo("Europe/Moscow"))
    assert end == (datetime.fromisoformat(expected) if expected else None)


def test_quiet_hours_end_by_the_wall_clock_when_clocks_change() -> None:
    """In the night in which clocks go forward, eight o'clock comes an hour sooner."""
    hours = QuietHours(time(22), time(8))
    night = datetime(2026, 3, 28, 22, tzinfo=UTC)  # 23:00 in Berlin, whose clocks change at 1:00 UTC
    assert hours.end_after(night, ZoneInfo("Europe/Berlin")) == datetime(2026, 3, 29, 6, tzinfo=UTC)
