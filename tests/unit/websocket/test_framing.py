"""Frames, with the `websockets` library as a second opinion on what RFC 6455 says."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ProtocolError
from websockets.frames import Close, Frame
from websockets.frames import Opcode as TheirOpcode
from websockets.protocol import Protocol, Side, State

from app.websocket.framing import (
    MAX_CONTROL_BYTES,
    MAX_FRAGMENTS,
    MAX_REASON_BYTES,
    FrameReader,
    FramingError,
    Opcode,
    close_frame,
    frame,
    payloads,
    read_close,
)

MAX_BYTES = 70_000
"""So that all three ways to write a length occur."""
KEY = b"\x01\x02\x03\x04"
steady = settings(deadline=None, derandomize=True)
sizes = st.sampled_from([0, 1, 2, 124, 125, 126, 127, 1000, 65_535, 65_536, MAX_BYTES])
contents = st.one_of(st.binary(max_size=300), st.builds(lambda size: b"x" * size, sizes))
Read = tuple[Opcode, bytes]


def client_frame(opcode: int, payload: bytes = b"", *, is_last: bool = True) -> bytes:
    """Return a client's frame as the other library writes it."""
    return Frame(TheirOpcode(opcode), payload, is_last).serialize(mask=True)


def raw(first: int, second: int, more: bytes = b"") -> bytes:
    """Return the beginning of a frame as no library writes it: its first two bytes, and what follows them."""
    return bytes((first, second)) + more


def mask(payload: bytes) -> bytes:
    return bytes(byte ^ KEY[index % 4] for index, byte in enumerate(payload))


def read_all(reader: FrameReader, parts: Iterable[bytes]) -> list[Read]:
    return [read for part in parts for read in reader.feed(part)]


def refusal(*parts: bytes, max_bytes: int = MAX_BYTES) -> int | None:
    """Return the code with which something is refused; None when it is not."""
    try:
        read_all(FrameReader(max_bytes), parts)
    except FramingError as error:
        return error.code
    return None


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[bytes], list[Read]]:
    """Frames of some messages, cut into pieces with control frames among them; and what is to be read of them."""
    frames: list[bytes] = []
    reads: list[Read] = []
    for _ in range(draw(st.integers(0, 4))):
        opcode = draw(st.sampled_from([Opcode.TEXT, Opcode.BINARY]))
        payload = draw(contents)
        cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=4)))
        for number, (begin, end) in enumerate(pairwise([0, *cuts, len(payload)])):
            is_last = number == len(cuts)
            frames.append(client_frame(Opcode.CONTINUATION if number else opcode, payload[begin:end], is_last=is_last))
            reads += [(opcode, payload)] if is_last else []
            if draw(st.booleans()):
                control, word = draw(st.sampled_from([Opcode.PING, Opcode.PONG])), draw(st.binary(max_size=125))
                frames.append(client_frame(control, word))
                reads.append((control, word))
    return frames, reads


@steady
@given(conversations(), st.data())
def test_frames_are_read_however_they_are_cut_on_their_way(
    conversation: tuple[list[bytes], list[Read]], data: st.DataObject
) -> None:
    """TCP knows no frames: whatever arrives together or apart, the same messages come out."""
    frames, reads = conversation
    stream = b"".join(frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    parts = [stream[begin:end] for begin, end in pairwise([0, *cuts, len(stream)])]
    assert read_all(FrameReader(MAX_BYTES), parts) == reads


@steady
@given(conversations())
def test_one_byte_at_a_time(conversation: tuple[list[bytes], list[Read]]) -> None:
    """Also in the smallest parts, as far as patience goes."""
    frames, reads = conversation
    if all(len(one) < 200 for one in frames):
        stream = b"".join(frames)
        assert read_all(FrameReader(MAX_BYTES), (stream[at : at + 1] for at in range(len(stream)))) == reads


@steady
@given(st.lists(contents, max_size=5))
@example([b"", b"x" * 125, b"x" * 126, b"x" * 65_535, b"x" * 65_536])
def test_what_we_write_is_what_others_read(texts: list[bytes]) -> None:
    """Several frames joined are as many messages to a client, and to those who frame anew."""
    stream = b"".join(map(frame, texts))
    client = Protocol(Side.CLIENT, state=State.OPEN, max_size=None)
    client.receive_data(stream)
    assert client.events_received() == [Frame(TheirOpcode.TEXT, text) for text in texts]
    assert list(payloads(stream)) == texts
    assert stream == b"".join(Frame(TheirOpcode.TEXT, text).serialize(mask=False) for text in texts)


@pytest.mark.parametrize("opcode", Opcode)
def test_control_frames_are_written_as_others_write_them(opcode: Opcode) -> None:
    """Bit by bit."""
    assert frame(b"hello", opcode) == Frame(TheirOpcode(opcode), b"hello").serialize(mask=False)


first_bytes = st.integers(0, 255).filter(lambda first: first & 0x0F != Opcode.CLOSE)
"""All but close frames: the other library refuses one in the middle of a message, which the RFC allows."""


@steady
@given(st.lists(st.tuples(first_bytes, st.booleans(), st.binary(max_size=130)), min_size=1, max_size=5))
@example([(0x01, True, b"a"), (0x89, True, b"ping"), (0x80, True, b"b")])
@example([(0x81, False, b"unmasked")])
@example([(0x01, True, b"a"), (0x02, True, b"b")])
def test_what_others_refuse_is_refused(frames: list[tuple[int, bool, bytes]]) -> None:
    """Any opcode, any flag, masked or not, in any order: the same is read, and the same is no WebSocket."""
    stream = b"".join(_write(*one) for one in frames)
    assert list(_read_ours(stream)) == list(_read_theirs(stream))


def _write(first: int, is_masked: bool, payload: bytes) -> bytes:
    flag, size = 0x80 if is_masked else 0, len(payload)
    length = bytes((flag | size,)) if size < 126 else bytes((flag | 126,)) + size.to_bytes(2)
    return bytes((first,)) + length + (KEY + mask(payload) if is_masked else payload)


def _read_ours(stream: bytes) -> Iterator[object]:
    try:
        yield from FrameReader(MAX_BYTES).feed(stream)
    except FramingError as error:
        yield error.code


def _read_theirs(stream: bytes) -> Iterator[object]:
    server = Protocol(Side.SERVER, state=State.OPEN, max_size=MAX_BYTES)
    server.receive_data(stream)
    pieces: list[Frame] = []
    for event in server.events_received():
        assert isinstance(event, Frame)
        if event.opcode in {TheirOpcode.PING, TheirOpcode.PONG}:
            yield Opcode(event.opcode), event.data
            continue
        pieces.append(event)
        if event.fin:
            yield Opcode(pieces[0].opcode), b"".join(piece.data for piece in pieces)
            pieces = []
    if server.parser_exc is not None:
        assert isinstance(server.parser_exc, ProtocolError)
        yield 1002


TEXT, PING, CLOSE = 0x80 | Opcode.TEXT, 0x80 | Opcode.PING, 0x80 | Opcode.CLOSE
VIOLATIONS = {
    "reserved bit 1": raw(0x40 | TEXT, 0x80),
    "reserved bit 2": raw(0x20 | TEXT, 0x80),
    "reserved bit 3": raw(0x10 | TEXT, 0x80),
    "reserved data opcode": raw(0x83, 0x80),
    "reserved control opcode": raw(0x8B, 0x80),
    "not masked": raw(TEXT, 5),
    "not masked and empty": raw(TEXT, 0),
    "ping in pieces": raw(Opcode.PING, 0x80),
    "close in pieces": raw(Opcode.CLOSE, 0x80),
    "long ping": raw(PING, 0x80 | 126),
    "very long ping": raw(PING, 0x80 | 127),
    "125 written in two bytes": raw(TEXT, 0x80 | 126, (125).to_bytes(2)),
    "nothing written in two bytes": raw(TEXT, 0x80 | 126, (0).to_bytes(2)),
    "65,535 written in eight bytes": raw(TEXT, 0x80 | 127, (65_535).to_bytes(8)),
    "continuation of nothing": raw(0x80 | Opcode.CONTINUATION, 0x80),
    "first piece of nothing": raw(Opcode.CONTINUATION, 0x80),
    "message in a message": client_frame(Opcode.TEXT, b"a", is_last=False) + raw(TEXT, 0x80),
    "continuation after the last": client_frame(Opcode.TEXT, b"a") + raw(0x80, 0x80),
}


@pytest.mark.parametrize("stream", VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_what_section_5_forbids_is_refused_from_the_header_on(stream: bytes) -> None:
    """With 1002, before a byte of the payload has come, and however the header is cut."""
    assert refusal(stream) == 1002
    assert refusal(*(stream[at : at + 1] for at in range(len(stream)))) == 1002


@pytest.mark.parametrize("length", [MAX_BYTES + 1, 1 << 32, 1 << 62, 1 << 63, (1 << 64) - 1])
def test_message_too_large_is_refused_before_it_comes(length: int) -> None:
    """With 1009, by what its header declares; the top bit, which must be 0, included."""
    assert refusal(raw(TEXT, 0x80 | 127, length.to_bytes(8))) == 1009


def test_short_message_too_large_for_a_small_limit() -> None:
    """Each way to write a length is weighed."""
    assert refusal(raw(TEXT, 0x80 | 11), max_bytes=10) == 1009
    assert refusal(raw(TEXT, 0x80 | 126, (126).to_bytes(2)), max_bytes=125) == 1009
    assert refusal(client_frame(Opcode.TEXT, b"x" * 10), max_bytes=10) is None


def test_pieces_are_weighed_together() -> None:
    """A message of many pieces may be no larger than one of one piece; control frames between do not count."""
    begin = client_frame(Opcode.TEXT, b"x" * 6, is_last=False) + client_frame(Opcode.PING, b"x" * 125)
    assert refusal(begin, raw(0x80, 0x80 | 4), max_bytes=10) is None
    assert refusal(begin, raw(0x80, 0x80 | 5), max_bytes=10) == 1009
    whole = begin + client_frame(Opcode.CONTINUATION, b"x" * 4)
    assert refusal(whole, whole, max_bytes=10) is None


def test_pieces_are_counted() -> None:
    """Empty ones weigh nothing and are refused all the same; the count begins anew with each message."""
    first = client_frame(Opcode.TEXT, is_last=False)
    more = client_frame(Opcode.CONTINUATION, is_last=False)
    last = client_frame(Opcode.CONTINUATION)
    whole = first + more * (MAX_FRAGMENTS - 2) + last
    assert refusal(whole, whole) is None
    assert refusal(first, more * (MAX_FRAGMENTS - 1)) is None
    assert refusal(first, more * MAX_FRAGMENTS) == 1009


def test_what_came_before_a_violation_is_read() -> None:
    """A message is served although nonsense follows it in the same packet."""
    reading = FrameReader(MAX_BYTES).feed(client_frame(Opcode.TEXT, b"a") + raw(TEXT, 0))
    assert next(reading) == (Opcode.TEXT, b"a")
    with pytest.raises(FramingError):
        next(reading)


@steady
@given(st.integers(0, 65_535), st.binary(max_size=30))
@example(1000, b"")
@example(1005, b"")
@example(1006, b"")
@example(1015, b"")
@example(4999, "прощай".encode())
@example(4000, b"\xff")
def test_close_frame_is_read_as_others_read_it(code: int, reason: bytes) -> None:
    """The same codes are codes, and the same reasons are text."""
    payload = code.to_bytes(2) + reason
    try:
        close = Close.parse(payload)
    except (ProtocolError, UnicodeDecodeError) as theirs:
        with pytest.raises(FramingError) as refused:
            read_close(payload)
        is_bad_text = isinstance(theirs, UnicodeDecodeError) and refused.value.code == 1007
        assert is_bad_text or refused.value.code == 1002
    else:
        assert read_close(payload) == (close.code, close.reason)


def test_close_frame_may_be_empty_but_not_half() -> None:
    """Without a code there is none; one byte of a code is a violation."""
    assert read_close(b"") == (1005, "")
    with pytest.raises(FramingError) as refused:
        read_close(b"\x03")
    assert refused.value.code == 1002


@steady
@given(st.integers(1000, 1003) | st.integers(3000, 4999), st.text(max_size=200))
def test_close_frame_is_what_others_read(code: int, reason: str) -> None:
    """A reason that is too long for it is cut between letters."""
    client = Protocol(Side.CLIENT, state=State.OPEN)
    client.receive_data(close_frame(code, reason))
    assert client.parser_exc is None
    assert client.close_rcvd is not None
    assert client.close_rcvd.code == code
    assert reason.startswith(client.close_rcvd.reason)
    if len(reason.encode()) <= MAX_REASON_BYTES:
        assert client.close_rcvd.reason == reason
    else:
        assert len(client.close_rcvd.reason.encode()) > MAX_REASON_BYTES - 4
    assert len(close_frame(code, reason)) <= 2 + MAX_CONTROL_BYTES
