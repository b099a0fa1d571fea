"""Bodies of accounts."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.schemas.users import Register, UserUpdate


def make(**fields: Any) -> Register:
    """Return a body as a caller would send it."""
    return Register.model_validate({"email": "anna@example.org", "password": "long enough", "name": "Анна"} | fields)


def test_address_is_kept_in_lower_case() -> None:
    """One person is not two because of a capital."""
    assert make(email="Anna@Example.ORG").email == "anna@example.org"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "anna"),
        ("email", "anna@"),
        ("email", "a\x00@example.org"),
        ("email", "a" * 400 + "@example.org"),
        ("password", "too short"),
        ("password", "x" * 1001),
        ("password", "nul\x00nul\x00nul"),
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 101),
        ("language", "de"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../../etc/passwd"),
        ("use_cookie", "true"),
        ("code", "x" * 101),
        ("is_admin", True),
    ],
)
def test_bad_field_is_named(field: str, value: object) -> None:
    """A refusal names the field it is about."""
    with pytest.raises(ValidationError) as refusal:
        make(**{field: value})
    assert refusal.value.errors()[0]["loc"][0] == field


@pytest.mark.parametrize("color", ["", "red", "#fff", "#12345G", "#ABCDEF", "#123456\n"])
def test_colour_is_six_small_hex_digits(color: str) -> None:
    """One written form of each colour."""
    with pytest.raises(ValidationError):
        UserUpdate(avatar_color=color)
