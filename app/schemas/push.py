"""Devices that notifications are pushed to."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from app.schemas.base import Line, RequestModel, ResponseModel, UtcTime

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-=]+$", max_length=200)]
_EXAMPLE_KEY = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"


class PushKey(ResponseModel):
    """What a browser subscribes to (`applicationServerKey`)."""

    public_key: str


class PushKeys(RequestModel):
    """The keys of a subscription, as the browser gives them out."""

    p256dh: Key
    auth: Annotated[Key, Field(max_length=100)]


class PushDeviceCreate(RequestModel):
    """A subscription, as the browser's `toJSON()` has it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "endpoint": "https://push.example.org/send/abc",
                    "keys": {
                        "p256dh": _EXAMPLE_KEY,
                        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
                    },
                    "label": "Firefox, Linux",
                }
            ]
        }
    )

    endpoint: Annotated[str, Field(max_length=2048)]
    keys: PushKeys
    label: Annotated[Line, Field(max_length=200)] | None = None


class PushDevice(ResponseModel):
    """A browser that notifications are pushed to."""

    id: UUID
    label: str
    created_at: UtcTime
    last_used_at: UtcTime | None
    current: bool
    """Whether it belongs to the session that asks."""
