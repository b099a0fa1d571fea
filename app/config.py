"""Settings: one class, read from `TIMETODO_*` environment variables; every quantity names its unit.

Nothing here has a secret as its default: secrets are made on the first start and kept in the data directory.
"""

import os
import re
from email.headerregistry import Address
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

CHECKOUT_ROOT = Path(__file__).resolve().parent.parent
WEAK_SECRETS = frozenset({"secret", "changeme", "change-me", "password", "timetodo", "development", "insecure"})
MIN_SECRET_LENGTH = 32
DATABASES = ("sqlite:", "postgresql+asyncpg:")
SQLITE_OF_OLD = "sqlite+aiosqlite:"
"""How SQLite was written when it had another driver; it means the same."""


class Registration(StrEnum):
    """Who may make an account."""

    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


class SmtpSecurity(StrEnum):
    """How the way to the mail server is kept secret."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


SMTP_PORTS: Final = {SmtpSecurity.STARTTLS: 587, SmtpSecurity.TLS: 465, SmtpSecurity.NONE: 25}
USUAL_PORTS: Final = {"http": 80, "https": 443}
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_HOST: Final = re.compile(r"[a-z\d_.-]+|\[[\da-f:.]+\]", re.ASCII)
_REDIS: Final = re.compile(r"rediss?://[^/?#\s]*?(:\d{1,5})?(/\d*)?(\?\S*)?|unix://\S+")
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_SENDER: Final = re.compile(
    r'(?:"?(?P<name>[^<>"@]*)"?\s*<)?(?P<user>[\w.!#$%&\'*+/=?^`{|}~-]+)@(?P<domain>[a-z\d-]+(?:\.[a-z\d-]+)*)(?(name)>)',
    re.ASCII | re.IGNORECASE,
)


def default_data_dir() -> Path:
    """`./data` of a checkout, else the user's data directory (XDG Base Directory Specification)."""
    if (CHECKOUT_ROOT / "pyproject.toml").is_file():
        return CHECKOUT_ROOT / "data"
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "timetodo"


class Settings(BaseSettings):
    """All that can be set; `TIMETODO_PORT=9000` sets `port`."""

    model_config = SettingsConfigDict(env_prefix="TIMETODO_", extra="ignore", frozen=True, hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    data_dir: Path = Field(default_factory=default_data_dir)
    public_url: str | None = None
    """Address people use, such as https://board.example.org; the browser origin that may connect."""
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """More origins (comma separated) whose pages may use the API and the socket."""
    database_url: str | None = None
    """`sqlite:///path` or `postgresql+asyncpg://…`; default: a SQLite file in the data directory."""
    redis_url: str | None = None
    """`redis://…` when several servers share one database; default: in-process."""
    redis_prefix: str = "timetodo"
    """Begins the names of the channels, so that several boards can share one Redis."""
    secret_key: SecretStr | None = None
    """Signs tokens; default: made on first start in the data directory."""
    registration: Registration = Registration.INVITE
    log_level: str = "INFO"
    log_json: bool = False

    access_token_s: int = Field(default=15 * 60, ge=1)
    refresh_token_s: int = Field(default=30 * 24 * 3600, ge=60)
    refresh_grace_s: int = Field(default=10, ge=0)
    """Two tabs may present the same refresh token; after this it counts as stolen."""
    invitation_s: int = Field(default=7 * 24 * 3600, ge=60)
    auth_attempts_per_minute: int = Field(default=20, ge=1)
    """Password checks one address may ask for."""

    push_timeout_s: float = Field(default=10, gt=0)
    """How long one request to a push service may take."""
    push_interval_s: float = Field(default=5, gt=0)
    """How often a server looks for pushes that are due, besides at once for its own."""
    push_allow_private: bool = False
    """Push also over http and to addresses that are not public: for a push service of one's own."""

    reminder_interval_s: float = Field(default=30, gt=0)
    """How often a server looks who is to be reminded of what is due."""

    smtp_host: str | None = None
    """The mail server; without one there is no mail."""
    smtp_port: int | None = Field(default=None, ge=1, le=65535)
    """Default: 587, 465 or 25, by `smtp_security`."""
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_security: SmtpSecurity = SmtpSecurity.STARTTLS
    smtp_from: str | None = None
    """Who mails come from: `board@example.org` or `Board <board@example.org>`."""
    smtp_timeout_s: float = Field(default=60, gt=0)
    """How long the mail server may take to answer one command."""
    mail_interval_s: float = Field(default=10, gt=0)
    """How often a server looks for mails that are due, besides at once for its own."""
    mail_invitations_per_hour: int = Field(default=50, ge=1)
    """Invitations one person may have mailed."""

    max_body_bytes: int = Field(default=1024 * 1024, ge=1024)
    idempotency_s: int = Field(default=24 * 3600, ge=1)
    trash_s: int = Field(default=30 * 24 * 3600, ge=1)
    log_keep_s: int = Field(default=90 * 24 * 3600, ge=1)
    log_keep_events: int = Field(default=100_000, ge=1)
    """Events kept per project; older ones are trimmed and replay says `expired`."""
    retention_interval_s: float = Field(default=600, gt=0)

    ws_message_bytes: int = Field(default=65_536, ge=256)
    ws_max_rooms: int = Field(default=100, ge=1)
    ws_messages_per_s: float = Field(default=20, gt=0)
    ws_burst: int = Field(default=40, ge=1)
    ws_joins_per_s: float = Field(default=10, gt=0)
    ws_join_burst: int = Field(default=200, ge=1)
    """A client that was away joins all its projects again at once."""
    ws_connects_per_s: float = Field(default=50, gt=0)
    """Connections one address may open in the long run; an IPv6 network of 64 bits counts as one address."""
    ws_connect_burst: int = Field(default=2000, ge=1)
    """Connections one address may open at once: everybody in an office comes back after a restart."""
    ws_heartbeat_s: float = Field(default=25, gt=0)
    ws_slow_s: float = Field(default=30, gt=0)
    """A connection that takes nothing for this long is closed with 4200."""
    ws_max_connections: int = Field(default=10_000, ge=1)
    ws_max_connections_per_user: int = Field(default=50, ge=1)
    ws_max_connections_per_address: int = Field(default=2000, ge=1)
    ws_ticket_s: int = Field(default=30, ge=1)
    replay_max_events: int = Field(default=1000, ge=1)
    room_tail_events: int = Field(default=1000, ge=1)
    """Frames a room keeps in memory for those who come back or fall behind."""
    presence_grace_s: float = Field(default=10, ge=0)
    relay_check_s: float = Field(default=1.0, gt=0)
    """How often rooms are compared with the log."""
    drain_s: float = Field(default=2, ge=0)
    shutdown_s: int = Field(default=5, ge=1)

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        return (
            tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("allowed_origins")
    @classmethod
    def _normalize_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_normalize(origin, "TIMETODO_ALLOWED_ORIGINS", is_origin=True) for origin in value)

    @field_validator("public_url")
    @classmethod
    def _normalize_public_url(cls, value: str | None) -> str | None:
        return None if value is None else _normalize(value, "TIMETODO_PUBLIC_URL", is_origin=False)

    @field_validator("log_level")
    @classmethod
    def _refuse_other_levels(cls, value: str) -> str:
        if value.upper() not in LOG_LEVELS:
            message = f"TIMETODO_LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}"
            raise ValueError(message)
        return value.upper()

    @field_validator("redis_url")
    @classmethod
    def _refuse_other_brokers(cls, value: str | None) -> str | None:
        if value is not None and _REDIS.fullmatch(value) is None:
            message = "TIMETODO_REDIS_URL must be an address such as redis://host:6379/0"
            raise ValueError(message)
        return value

    @field_validator("database_url")
    @classmethod
    def _refuse_other_databases(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith((*DATABASES, SQLITE_OF_OLD)):
            message = f"TIMETODO_DATABASE_URL must begin with {' or '.join(DATABASES)}"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _refuse_weak_secret(self) -> Self:
        if self.secret_key is not None:
            secret = self.secret_key.get_secret_value()
            if len(secret) < MIN_SECRET_LENGTH or secret.lower() in WEAK_SECRETS:
                message = f"TIMETODO_SECRET_KEY needs {MIN_SECRET_LENGTH} random characters; unset it to have one made"
                raise ValueError(message)
        return self

    @field_validator("smtp_host", "smtp_port", "smtp_username", "smtp_password", "smtp_from", mode="before")
    @classmethod
    def _take_empty_for_unset(cls, value: object) -> object:
        """Files of settings often name every variable and leave those unused empty."""
        return None if value == "" else value

    @field_validator("smtp_from")
    @classmethod
    def _refuse_other_senders(cls, value: str | None) -> str | None:
        if value is not None:
            parse_sender(value)
        return value

    @model_validator(mode="after")
    def _refuse_half_a_mail_server(self) -> Self:
        message = None
        if self.smtp_host is None:
            names = ("smtp_port", "smtp_username", "smtp_password", "smtp_from")
            set_ = [f"TIMETODO_{name.upper()}" for name in names if getattr(self, name) is not None]
            if set_:
                message = f"TIMETODO_SMTP_HOST must be set with {' and '.join(set_)}; unset them to have no mail"
        elif self.smtp_from is None:
            message = "TIMETODO_SMTP_FROM must be set with TIMETODO_SMTP_HOST, such as: Board <board@example.org>"
        elif self.public_url is None:
            message = "TIMETODO_PUBLIC_URL must be set with TIMETODO_SMTP_HOST: it is where the links in mails lead"
        elif (self.smtp_username is None) is not (self.smtp_password is None):
            message = "TIMETODO_SMTP_USERNAME and TIMETODO_SMTP_PASSWORD must be set both or neither"
        elif self.smtp_username and self.smtp_security is SmtpSecurity.NONE and self.smtp_host not in LOOPBACK:
            message = "TIMETODO_SMTP_SECURITY=none would send the password unencrypted; use starttls or tls"
        if message is not None:
            raise ValueError(message)
        return self

    @property
    def has_mail(self) -> bool:
        """Whether mails can be sent."""
        return self.smtp_host is not None

    @property
    def resolved_smtp_port(self) -> int:
        """The port of the mail server: the configured one or the usual one."""
        return self.smtp_port or SMTP_PORTS[self.smtp_security]

    @property
    def resolved_database_url(self) -> str:
        """The database to open: the configured one or the SQLite file in the data directory."""
        return self.database_url or f"sqlite:///{self.data_dir / 'timetodo.sqlite3'}"

    @property
    def origins(self) -> frozenset[str]:
        """Browser origins that may connect. Taken from configuration only: a request's own Host proves nothing."""
        own = self.public_url or f"http://{self.host}:{self.port}"
        found = {_origin(own), *self.allowed_origins}
        if self.public_url is None:
            found |= {f"http://{name}:{self.port}" for name in ("localhost", "127.0.0.1", "[::1]")}
        return frozenset(found)

    @property
    def base_url(self) -> str:
        """Address of this server as people type it, without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def parse_sender(text: str) -> Address:
    """Return the one address that `board@example.org` or `Board <board@example.org>` names.

    Raises:
        ValueError: it is something else.
    """
    match = _SENDER.fullmatch(text.strip()) if text.isprintable() else None
    if match is not None:
        return Address((match["name"] or "").strip(), match["user"], match["domain"])
    message = "TIMETODO_SMTP_FROM must be one address, such as: Board <board@example.org>"
    raise ValueError(message)


def _normalize(url: str, name: str, *, is_origin: bool) -> str:
    """Return an address as browsers write it: in small letters, the host in ASCII, without the usual port."""
    message = f"{name} must be an address such as https://board.example.org"
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
        host = f"[{host}]" if ":" in host else host.encode("idna").decode()
    except ValueError:
        raise ValueError(message) from None
    is_clean = parts.username is None and not parts.query and not parts.fragment and _HOST.fullmatch(host)
    is_known = not parts.path if is_origin else parts.scheme in USUAL_PORTS
    if not (parts.scheme and is_clean and is_known):
        raise ValueError(message)
    shown = "" if port is None or port == USUAL_PORTS.get(parts.scheme) else f":{port}"
    return f"{parts.scheme}://{host}{shown}{parts.path.rstrip('/')}"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
