"""Bodies of tasks: what is brought into form and what is refused."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.schemas.tasks import MAX_CHECKLIST_ITEMS, MAX_IDS, TaskCreate, TaskFilter, TaskUpdate

PROJECT = "0199f3a0-1c00-7000-8000-0000000000a1"


def make(**fields: Any) -> TaskCreate:
    """Return a body as a caller would send it."""
    return TaskCreate.model_validate({"project_id": PROJECT, "title": "Write"} | fields)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-11-25", "2026-11-25"),
        ("2026-11-25T15:00:00Z", "2026-11-25T15:00:00.000Z"),
        ("2026-11-25T18:00:00+03:00", "2026-11-25T15:00:00.000Z"),
        ("2026-11-25 15:00:00.1234567+00:00", "2026-11-25T15:00:00.123Z"),
        ("2026-11-25T00:30:00+03:00", "2026-11-24T21:30:00.000Z"),
        ("0900-01-01T00:00:00Z", "0900-01-01T00:00:00.000Z"),
        (None, None),
    ],
)
def test_due_is_brought_into_one_form(given: str | None, kept: str | None) -> None:
    """A date stays a date; a time becomes UTC in milliseconds."""
    assert make(due=given).due == kept


@pytest.mark.parametrize(
    "due",
    [
        "",
        "tomorrow",
        "2026-13-01",
        "2026-02-30",
        "2026-11-25T15:00:00",
        "20261125",
        "٢٠٢٦-١١-٢٥",
        "0001-01-01T00:00:00+10:00",
        "9999-12-31T23:59:59-10:00",
        "2026-11-25T15:00:00Z" + " " * 30,
        "2026-11-25\n",
        1764082800,
        True,
    ],
)
def test_due_that_is_no_moment_is_refused(due: object) -> None:
    """A day that does not exist, or a time without its offset, is refused by the field's name."""
    with pytest.raises(ValidationError) as refusal:
        make(due=due)
    assert refusal.value.errors()[0]["loc"] == ("due",)


@given(st.datetimes(min_value=datetime(1000, 1, 1)), st.datetimes(min_value=datetime(1000, 1, 1)))  # noqa: DTZ001
def test_due_texts_sort_as_the_times_do(one: datetime, other: datetime) -> None:
    """Text order is time order, so a database can compare them."""
    first, second = (make(due=moment.isoformat() + "Z").due for moment in sorted((one, other)))
    assert first is not None
    assert second is not None
    assert first <= second


def test_title_is_stripped() -> None:
    """Spaces around a title are nobody's intention."""
    assert make(title="  Купить билеты \n").title == "Купить билеты"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", " \t "),
        ("title", "x" * 501),
        ("title", "a\x00b"),
        ("title", None),
        ("description", "x" * 50_001),
        ("description", "\x00"),
        ("priority", "huge"),
        ("label_ids", ["x"]),
        ("label_ids", [PROJECT] * (MAX_IDS + 1)),
        ("assignee_ids", "x"),
        ("checklist", [{"text": "x"}] * (MAX_CHECKLIST_ITEMS + 1)),
        ("checklist", [{"text": " "}]),
        ("checklist", [{"text": "x", "done": "yes"}]),
        ("checklist", [{"text": "x", "extra": 1}]),
        ("status", ""),
        ("status", "x" * 51),
        ("project_id", 7),
        ("surprise", 1),
    ],
)
def test_bad_field_is_named(field: str, value: object) -> None:
    """A refusal names the field it is about."""
    with pytest.raises(ValidationError) as refusal:
        make(**{field: value})
    assert refusal.value.errors()[0]["loc"][0] == field


def test_card_goes_before_or_after_and_not_both() -> None:
    """Two neighbours could contradict each other."""
    with pytest.raises(ValidationError, match="not both"):
        make(before_id=PROJECT, after_id=PROJECT)


def test_update_knows_what_was_sent() -> None:
    """A field that was not sent is not among those to change, one sent as null is."""
    assert TaskUpdate.model_validate({}).model_fields_set == set()
    assert TaskUpdate.model_validate({"due": None}).model_fields_set == {"due"}


@pytest.mark.parametrize("field", ["title", "status", "description", "priority", "label_ids", "checklist"])
def test_update_refuses_null_where_nothing_can_be_null(field: str) -> None:
    """Only `due` can be taken away."""
    with pytest.raises(ValidationError):
        TaskUpdate.model_validate({field: None})


def test_filter_wants_its_times_in_order() -> None:
    """A span that ends before it begins is a mistake, not an empty answer."""
    assert TaskFilter(due_after="2026-11-25", due_before="2026-11-26").due_after == "2026-11-25"
    with pytest.raises(ValidationError, match="due_after must not be later"):
        TaskFilter(due_after="2026-11-26", due_before="2026-11-25")
