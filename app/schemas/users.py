"""Accounts, sign-in and sessions as the API shows them."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, ConfigDict, EmailStr, Field, StrictBool

from app.schemas.base import Color, Line, RequestModel, ResponseModel, Text, UtcTime

MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 1000


class Language(StrEnum):
    """Languages the product speaks."""

    EN = "en"
    RU = "ru"


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        message = "must be a time zone name such as Europe/Moscow"
        raise ValueError(message)
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]
Email = Annotated[EmailStr, AfterValidator(str.lower), Field(max_length=320)]
UserName = Annotated[Line, Field(max_length=100)]
NewPassword = Annotated[Text, Field(min_length=MIN_PASSWORD_LENGTH, max_length=MAX_PASSWORD_LENGTH)]
GivenPassword = Annotated[Text, Field(max_length=MAX_PASSWORD_LENGTH)]


class User(ResponseModel):
    """One's own account."""

    id: UUID
    email: str
    name: str
    language: Language
    time_zone: str
    avatar_color: str
    is_admin: bool
    created_at: UtcTime


class UserUpdate(RequestModel):
    """Fields to change; the others stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Анна Петрова", "language": "ru"}]})

    name: UserName = Field(default="", validate_default=False)
    language: Language = Language.EN
    time_zone: TimeZone = "UTC"
    avatar_color: Color = "#000000"


class Register(RequestModel):
    """A new account. `code` makes the first administrator, `invitation` is the token of an invitation link."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "anna@example.org", "password": "correct horse battery", "name": "Анна"}]
        }
    )

    email: Email
    password: NewPassword
    name: UserName
    language: Language = Language.EN
    time_zone: TimeZone = "UTC"
    code: Annotated[Text, Field(max_length=100)] | None = None
    invitation: Annotated[Text, Field(max_length=100)] | None = None
    use_cookie: StrictBool = False
    """Put the refresh token into an HttpOnly cookie instead of the answer: for browsers."""


class Login(RequestModel):
    """E-mail and password."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "anna@example.org", "password": "correct horse battery"}]}
    )

    email: Annotated[Text, Field(max_length=320)]
    password: GivenPassword
    use_cookie: StrictBool = False


class Refresh(RequestModel):
    """The refresh token, unless it is in the cookie."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"refresh_token": "the one from the last answer"}]})

    refresh_token: Annotated[Text, Field(max_length=200)] | None = None


class PasswordChange(RequestModel):
    """The password now and the next one; every other session ends."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"current_password": "correct horse battery", "new_password": "staple for the horse"}]
        }
    )

    current_password: GivenPassword
    new_password: NewPassword


class PasswordForgotten(RequestModel):
    """Whose password was forgotten."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "anna@example.org"}]})

    email: Email


class PasswordReset(RequestModel):
    """The token of a mailed link, and the new password; every session ends."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"token": "the one after the # of the link", "password": "staple for the horse"}]
        }
    )

    token: Annotated[Text, Field(max_length=200)]
    password: NewPassword


class Tokens(ResponseModel):
    """A signed-in session. `refresh_token` is null when it is in the cookie."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the scheme's name
    expires_in: int
    """Life of the access token in seconds."""
    refresh_token: str | None
    user: User


class AuthSession(ResponseModel):
    """One signed-in device."""

    id: UUID
    created_at: UtcTime
    last_used_at: UtcTime
    expires_at: UtcTime
    user_agent: str
    ip_address: str
    current: bool


class ServerInfo(ResponseModel):
    """What a sign-in page must know."""

    name: str
    version: str
    registration: str
    needs_admin: bool
    """No account exists yet: register with the one-time code the server printed."""
    mail: bool
    """Whether this server sends mail: of invitations, forgotten passwords, what waits unread."""
