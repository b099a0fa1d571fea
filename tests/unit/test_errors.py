"""The tree of refusals: stable codes and statuses."""

from collections.abc import Iterator

import pytest

from app import errors
from app.errors import AppError, Gone, InvalidField, RateLimited

CONTRACT = {
    "bad_request": 400,
    "unauthorized": 401,
    "token_expired": 401,
    "invalid_credentials": 401,
    "forbidden": 403,
    "registration_closed": 403,
    "mail_off": 403,
    "not_found": 404,
    "conflict": 409,
    "version_conflict": 409,
    "email_taken": 409,
    "last_owner": 409,
    "last_admin": 409,
    "own_account": 409,
    "column_not_empty": 409,
    "expired": 410,
    "too_large": 413,
    "validation_error": 422,
    "idempotency_key_reused": 422,
    "rate_limited": 429,
    "unavailable": 503,
}


def descendants(kind: type[AppError]) -> Iterator[type[AppError]]:
    """Yield every refusal there is."""
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from descendants(child)


def test_codes_and_statuses_are_those_of_the_contract() -> None:
    """Programs rely on them: none is added or changed in passing."""
    assert {kind.code: kind.status for kind in descendants(AppError)} == CONTRACT


def test_tree_in_the_docstring_names_every_refusal() -> None:
    """The drawing at the top of the module is complete."""
    assert errors.__doc__ is not None
    assert [kind.__name__ for kind in descendants(AppError) if kind.__name__ not in errors.__doc__] == []


def test_reason_can_be_more_precise_than_the_class() -> None:
    """A Gone says which of its reasons it is."""
    assert Gone("too old").reason == "expired"
    assert Gone("other log", code="epoch_changed").reason == "epoch_changed"


def test_invalid_field_names_the_field() -> None:
    """The answer's `errors` hold the field as the caller wrote it."""
    refusal = InvalidField("label_ids", "names a label that this project does not have")
    assert refusal.extra["errors"] == [{"field": "label_ids", "message": refusal.detail, "code": "invalid"}]


def test_rate_limited_says_when_to_come_back() -> None:
    """The whole seconds to wait are part of the answer."""
    assert RateLimited("slow down", retry_after_s=7).extra == {"retry_after_s": 7}


@pytest.mark.parametrize("kind", [*descendants(AppError)])
def test_every_refusal_has_a_title(kind: type[AppError]) -> None:
    """No refusal is called an internal error."""
    assert kind.title != AppError.title
