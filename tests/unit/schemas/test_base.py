"""Cursors and text: what is given out comes back, and nothing else does."""

import base64
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadRequest
from app.schemas.base import decode_cursor, encode_cursor, make_page

ID = "0199f3a0-1c00-7000-8000-0000000000a1"
SHAPE = (str, str, UUID)


def forge(value: object) -> str:
    """Make a cursor of any JSON."""
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    st.uuids(),
    st.integers(0, 2**53 - 1),
)
def test_cursor_comes_back_as_it_was(text: str, id_: UUID, number: int) -> None:
    """A cursor holds its sort key."""
    assert decode_cursor(encode_cursor(text, id_, number), str, UUID, int) == [text, id_, number]


def test_no_cursor_is_the_beginning() -> None:
    """Without a cursor there is no position."""
    assert decode_cursor(None, *SHAPE) is None


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense",
        "Ж",
        "%00",
        "====",
        "a" * 1000,
        forge({}),
        forge([]),
        forge(["todo", "V"]),
        forge(["todo", "V", "no id"]),
        forge(["todo", "V", 7]),
        forge(["todo", None, ID]),
        forge([["todo"], "V", ID]),
        forge(["todo\x00", "V", ID]),
        forge(["todo", "V", ID, 1]),
        base64.urlsafe_b64encode(b"[" * 700).decode(),
        base64.urlsafe_b64encode(b'["\\ud800","V","x"]').decode(),
    ],
)
def test_what_no_list_gave_out_is_refused(cursor: str) -> None:
    """Garbage, other shapes and forged values are a bad request and nothing worse."""
    with pytest.raises(BadRequest):
        decode_cursor(cursor, *SHAPE)


@pytest.mark.parametrize("value", [True, 1.0, 2**53, -(2**60), "1"])
def test_number_of_another_kind_is_refused(value: object) -> None:
    """A number is a whole one that a database can hold."""
    with pytest.raises(BadRequest):
        decode_cursor(forge([value]), int)


def test_page_tells_whether_there_is_a_next_one() -> None:
    """The item that is one too many is left out and turned into a cursor."""
    page = make_page([1, 2, 3], 2, lambda item: (item,))
    assert (page.items, decode_cursor(page.next_cursor, int)) == ([1, 2], [2])
    assert make_page([1, 2], 2, lambda item: (item,)).next_cursor is None
    assert make_page([], 2, lambda item: (item,)).items == []
