"""What administrators of the server see: accounts, and how the server is."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StrictBool

from app.schemas.base import PageQuery, RequestModel, ResponseModel, Text, UtcTime
from app.schemas.users import User


class AdminUser(User):
    """An account as an administrator sees it."""

    is_active: bool
    last_seen_at: UtcTime | None
    """When one of their sessions was last used; null when none is remembered."""
    project_count: int


class AdminUserFilter(PageQuery):
    """Whom to list, and which page of it."""

    q: Annotated[Text, Field(max_length=200)] | None = None
    """Part of the name or of the e-mail address."""


class AdminUserUpdate(RequestModel):
    """Fields to change; the others stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"is_active": False}]})

    is_active: StrictBool = True
    is_admin: StrictBool = False


class DatabaseHealth(ResponseModel):
    """The database, its size, how long it took to answer, and which migration it has."""

    kind: Literal["sqlite", "postgresql"]
    size_bytes: int | None
    latency_ms: float
    migration: str


class BrokerHealth(ResponseModel):
    """What carries events between servers; `memory` is one server alone."""

    kind: Literal["memory", "redis"]
    connected: bool


class BackupHealth(ResponseModel):
    """When `timetodo backup` last succeeded here."""

    last_at: UtcTime | None


class Health(ResponseModel):
    """How the server is."""

    version: str
    database: DatabaseHealth
    broker: BrokerHealth
    data_free_bytes: int | None
    """Free space where the data directory is."""
    backup: BackupHealth
    uptime_s: float
