"""What a client may say: one model for each message type, unknown fields refused."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field, StrictInt, TypeAdapter, ValidationError

from app.websocket.protocol import ErrorCode, MessageError

MAX_SAFE_INTEGER: Final = 2**53 - 1
MessageId = (
    Annotated[str, Field(max_length=100)] | Annotated[StrictInt, Field(ge=-MAX_SAFE_INTEGER, le=MAX_SAFE_INTEGER)]
)


class ClientMessage(BaseModel):
    """Base of all messages; `id` is repeated in the answer."""

    model_config = ConfigDict(extra="forbid")

    id: MessageId | None = None


class Since(BaseModel):
    """The last position the client has applied."""

    model_config = ConfigDict(extra="forbid")

    epoch: Annotated[str, Field(max_length=100)]
    seq: Annotated[StrictInt, Field(ge=0, le=MAX_SAFE_INTEGER)]


class JoinProject(ClientMessage):
    """Read a project's room, with `since` from there on."""

    type: Literal["join_project"]
    project_id: UUID
    since: Since | None = None


class JoinUser(ClientMessage):
    """Read one's own room, which tells of one's notifications, with `since` from there on."""

    type: Literal["join_user"]
    since: Since | None = None


class LeaveProject(ClientMessage):
    """Read it no more."""

    type: Literal["leave_project"]
    project_id: UUID


class Ping(ClientMessage):
    """Ask for a sign of life."""

    type: Literal["ping"]


class Pong(ClientMessage):
    """Answer the server's ping."""

    type: Literal["pong"]


class Authenticate(ClientMessage):
    """Say who one is, or renew the token."""

    type: Literal["authenticate"]
    token: Annotated[str, Field(max_length=4096)]


class Typing(ClientMessage):
    """One writes something about a task, in one of its texts."""

    type: Literal["typing"]
    project_id: UUID
    task_id: UUID
    field: Literal["comment", "description", "title"] = "comment"


class Viewing(ClientMessage):
    """One looks at a task, or at none."""

    type: Literal["viewing"]
    project_id: UUID
    task_id: UUID | None


AnyMessage = JoinProject | JoinUser | LeaveProject | Ping | Pong | Authenticate | Typing | Viewing
_ADAPTER: Final[TypeAdapter[AnyMessage]] = TypeAdapter(Annotated[AnyMessage, Field(discriminator="type")])


def parse(text: str | bytes) -> AnyMessage:
    """Read one message.

    Raises:
        MessageError: it is not one of ours; the message names the field.
    """
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        if first["type"] in {"union_tag_invalid", "union_tag_not_found"}:
            message = (
                "type must be one of join_project, join_user, leave_project, ping, pong, authenticate, typing, viewing"
            )
            raise MessageError(ErrorCode.UNKNOWN_TYPE, message) from None
        field = ".".join(str(part) for part in first["loc"][1:])
        message = f"{field}: {first['msg']}" if field else "a message must be one JSON object with a type"
        raise MessageError(ErrorCode.BAD_REQUEST, message) from None


def find_id(text: str | bytes) -> str | int | None:
    """Return the `id` of a message that could not be read, if it has a usable one."""
    try:
        raw: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    found = raw.get("id") if isinstance(raw, dict) else None
    if isinstance(found, str) and len(found) <= 100:
        return found
    return found if type(found) is int and abs(found) <= MAX_SAFE_INTEGER else None
