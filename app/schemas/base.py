"""What every request and response body shares: unknown fields are refused, text is storable, times are UTC.

NUL, which PostgreSQL refuses, is turned away here with the field's name; lone surrogates already fail as text.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Generic, TypeVar
from uuid import UUID

import orjson
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from app.domain.clock import format_time
from app.errors import BadRequest

MAX_PAGE_SIZE: Final = 200
Item = TypeVar("Item")


class RequestModel(BaseModel):
    """Base of request bodies: a field we do not know is a mistake, and we say so."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class ResponseModel(BaseModel):
    """Base of response bodies, which are also the `data` of events."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class PageQuery(RequestModel):
    """Where a page of a list begins and how long it is."""

    cursor: Annotated[str, StringConstraints(max_length=1000)] | None = None
    """`next_cursor` of the page before."""
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)] = 50
    """Most items to return."""


class Page(ResponseModel, Generic[Item]):
    """One page of a list; `next_cursor` is null on the last one."""

    # Of each `Page[...]` pydantic would look for the source among all modules: half of the time that a start took.
    model_config = ConfigDict(use_attribute_docstrings=False)

    items: list[Item]
    next_cursor: str | None


def _without_nul(text: str) -> str:
    if "\x00" in text:
        message = "must not contain the NUL character"
        raise ValueError(message)
    return text


def not_blank(text: str) -> str:
    """Refuse a text of nothing but white space."""
    if not text.strip():
        code = "blank"
        raise PydanticCustomError(code, "must not be blank")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
Line = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(not_blank)]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]
UtcTime = Annotated[
    datetime,
    PlainSerializer(format_time, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T10:00:00.123Z"]}),
]


def _only_text(value: object) -> object:
    if not isinstance(value, str):
        code = "not_text"
        raise PydanticCustomError(code, "must be a time as text, such as 2026-11-22T10:00:00Z")
    return value


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        code = "time_out_of_range"
        raise PydanticCustomError(code, "must be within the years 1 to 9999 in UTC") from None


GivenTime = Annotated[AwareDatetime, BeforeValidator(_only_text), AfterValidator(_in_utc)]
"""A time in a request: text with an offset, never a number; it is kept in UTC."""
KeyPart = str | int | UUID | datetime


def make_page(found: Sequence[Item], limit: int, key: Callable[[Item], tuple[KeyPart, ...]]) -> Page[Item]:
    """Return the first `limit` of `found`, which holds one more when there is a next page; `key` is the sort key."""
    items = list(found[:limit])
    return Page(items=items, next_cursor=encode_cursor(*key(items[-1])) if len(found) > limit else None)


def encode_cursor(*key: KeyPart) -> str:
    """Make the opaque mark of the last item of a page from its sort key."""
    raw = orjson.dumps(key)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, *shape: type) -> list[Any] | None:
    """Read a cursor back; `shape` are the types of the key's parts.

    Raises:
        BadRequest: not a cursor this list has given out.
    """
    if cursor is None:
        return None
    try:
        key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(key, list) or len(key) != len(shape):
            raise ValueError
        return [_part(value, kind) for value, kind in zip(key, shape, strict=True)]
    except (ValueError, TypeError, OverflowError, binascii.Error):
        message = "this cursor was not given out by this list; start without one"
        raise BadRequest(message) from None


def _part(value: object, kind: type) -> object:
    if kind is UUID and isinstance(value, str):
        return UUID(value)
    if kind is datetime and isinstance(value, str):
        return datetime.fromisoformat(value).astimezone(UTC)
    if type(value) is not kind:
        raise TypeError
    if isinstance(value, str):
        return _without_nul(value)
    if isinstance(value, int) and abs(value) >= 1 << 53:
        raise ValueError
    return value
