"""What the routes need of the running server; `main` makes one and the routes find it on the application."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from app.broker.base import Broker
from app.config import Settings
from app.db.backup import BACKUP_MARK
from app.db.unit_of_work import Database
from app.domain.rate_limit import RateLimiter
from app.push.keys import PushKey
from app.security import AccessTokens, Passwords
from app.services.device_checks import DeviceChecks
from app.services.mailing import Mailing


class SocketStats(Protocol):
    """Numbers of the sockets; with `details`, room ids and users too."""

    def __call__(self, *, details: bool) -> dict[str, Any]:
        """Return them by name."""


ADMIN_CODE_FILE = "admin-code"


@dataclass(frozen=True, slots=True)
class ApiContext:
    """The server as the routes see it."""

    settings: Settings
    database: Database
    broker: Broker
    passwords: Passwords
    tokens: AccessTokens
    auth_limiter: RateLimiter
    """How often passwords may be tried from one address."""
    account_limiter: RateLimiter
    """How often those of one account, from wherever nobody is signed in to it."""
    socket_stats: SocketStats
    cluster_stats: Callable[[], dict[str, Any] | None]
    """The numbers of all servers together; None while they cannot be known."""
    is_draining: Callable[[], bool]
    push_key: PushKey
    device_checks: DeviceChecks
    mailing: Mailing

    def read_admin_code(self) -> str | None:
        """Return the one-time code of the first administrator, while there is one."""
        path = self.settings.data_dir / ADMIN_CODE_FILE
        return path.read_text().strip() if path.exists() else None

    def last_backup_at(self) -> datetime | None:
        """Return when `timetodo backup` last succeeded, or None."""
        path = self.settings.data_dir / BACKUP_MARK
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else None

    def drop_admin_code(self) -> None:
        """Make the one-time code useless: it has been used."""
        (self.settings.data_dir / ADMIN_CODE_FILE).unlink(missing_ok=True)
