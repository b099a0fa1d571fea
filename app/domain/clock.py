"""Time as the product tells it: UTC, in whole milliseconds, written as RFC 3339 with a `Z`."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def utc_now() -> datetime:
    """Return the time now, UTC, cut to milliseconds so that a stored and a sent time are equal."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def format_time(moment: datetime) -> str:
    """Write an aware time as `2026-11-22T10:00:00.123Z`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone that somebody once chose; UTC when this machine does not know it (any more)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
