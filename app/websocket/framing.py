"""RFC 6455 frames: what we write is framed once for all sockets, what clients send is read strictly.

A server's frames are not masked, so the bytes of one frame are the same for every reader: rooms keep them ready, and
several in a row are one write. Clients' frames are masked, and bounded from their header on.
"""

import time
from collections.abc import Iterator
from enum import IntEnum
from typing import Final

try:
    from websockets.speedups import apply_mask
except ImportError:  # pragma: no cover - a platform without the compiled module
    from websockets.utils import apply_mask

from app.websocket.protocol import CloseCode

MAX_FRAGMENTS: Final = 256
"""Pieces of one message. Honest clients send one; empty pieces would cost memory and time without ever weighing."""
MAX_FRAMES: Final = 2000
FRAMES_WINDOW_S: Final = 10.0
"""Frames of any kind within the window; honest clients send a few, empty ones would cost time without a message."""
MAX_CONTROL_BYTES: Final = 125
MAX_REASON_BYTES: Final = 123
"""What a close frame has room for beside its code."""
_FIN: Final = 0x80
_RESERVED: Final = 0x70
_MASKED: Final = 0x80
_LENGTH: Final = 0x7F
_TWO_BYTES, _EIGHT_BYTES = 126, 127
_CLIENT_CLOSE_CODES: Final = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})


class Opcode(IntEnum):
    """What a frame is (section 5.2)."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


_OPCODES: Final = frozenset(Opcode)


class FramingError(Exception):
    """What came is not what RFC 6455 allows, or more than we take; `code` is the close code that says so."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def frame(payload: bytes, opcode: Opcode = Opcode.TEXT) -> bytes:
    """Return the frame of a whole message or of a control frame, as a server writes it."""
    size = len(payload)
    if size < _TWO_BYTES:
        return bytes((_FIN | opcode, size)) + payload
    if size < 1 << 16:
        return bytes((_FIN | opcode, _TWO_BYTES)) + size.to_bytes(2) + payload
    return bytes((_FIN | opcode, _EIGHT_BYTES)) + size.to_bytes(8) + payload


def close_frame(code: int, reason: str) -> bytes:
    """Return the frame that ends a conversation; a reason too long for it is cut between letters."""
    text = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore").encode()
    return frame(code.to_bytes(2) + text, Opcode.CLOSE)


def payloads(frames: bytes) -> Iterator[bytes]:
    """Return the messages of whole frames that `frame` made: for those who have a framing of their own."""
    at = 0
    while at < len(frames):
        begin, size = at + 2, frames[at + 1]
        if size == _TWO_BYTES:
            begin, size = at + 4, int.from_bytes(frames[at + 2 : at + 4])
        elif size == _EIGHT_BYTES:
            begin, size = at + 10, int.from_bytes(frames[at + 2 : at + 10])
        at = begin + size
        yield frames[begin:at]


def read_close(payload: bytes) -> tuple[int, str]:
    """Return the code and the reason of a client's close frame; 1005 when it gives none.

    Raises:
        FramingError: neither.
    """
    if not payload:
        return 1005, ""
    code = int.from_bytes(payload[:2])
    if len(payload) == 1 or code not in _CLIENT_CLOSE_CODES:
        raise FramingError(1002, "not a close code")
    try:
        return code, payload[2:].decode()
    except UnicodeDecodeError:
        raise FramingError(1007, "the reason is not UTF-8") from None


def check_utf8(text: bytes) -> None:
    """Let a text message pass.

    Raises:
        FramingError: it is none.
    """
    if text.isascii():
        return
    try:
        text.decode()
    except UnicodeDecodeError:
        raise FramingError(1007, "a text message must be UTF-8") from None


class FrameReader:
    """Reads one client's frames, however they are cut into pieces on their way.

    Whole messages and control frames come out. Held in between is at most one unfinished message and one unfinished
    frame, no larger together than a message may be.
    """

    __slots__ = ("_buffer", "_frame_count", "_max_bytes", "_opcode", "_pieces", "_weight", "_window_ends")

    def __init__(self, max_message_bytes: int) -> None:
        self._max_bytes = max_message_bytes
        self._buffer = b""
        self._opcode: Opcode | None = None
        self._pieces: list[bytes] | None = None
        self._weight = 0
        self._frame_count, self._window_ends = 0, 0.0

    def feed(self, data: bytes) -> Iterator[tuple[Opcode, bytes]]:
        """Take what came; yield each control frame, and each message that is whole now, with its opcode.

        Raises:
            FramingError: what came breaks the rules; nothing after it is read.
        """
        if self._buffer:
            data = self._buffer + data
        at, size = 0, len(data)
        while (end := self._find_end(data, at, size)) <= size:
            opcode, is_last = Opcode(data[at] & 0x0F), bool(data[at] & _FIN)
            payload = _unmask(data, at, end)
            at = end
            self._count_frame()
            if opcode >= Opcode.CLOSE:
                yield opcode, payload
            elif (message := self._join(opcode, payload, is_last=is_last)) is not None:
                yield message
        self._buffer = data[at:]

    def _count_frame(self) -> None:
        now = time.monotonic()
        if now > self._window_ends:
            self._frame_count, self._window_ends = 0, now + FRAMES_WINDOW_S
        self._frame_count += 1
        if self._frame_count > MAX_FRAMES:
            raise FramingError(CloseCode.FLOODING, "too many frames")

    def _find_end(self, data: bytes, at: int, size: int) -> int:
        """Return where the frame at `at` ends; beyond `size` when it is not all there. Its header is checked."""
        if size - at < 2:
            return size + 1
        first, length = data[at], data[at + 1] & _LENGTH
        opcode = first & 0x0F
        if first & _RESERVED or opcode not in _OPCODES:
            raise FramingError(1002, "a reserved bit or opcode is set")
        if not data[at + 1] & _MASKED:
            raise FramingError(1002, "a client's frames must be masked")
        if opcode >= Opcode.CLOSE:
            if length > MAX_CONTROL_BYTES or not first & _FIN:
                raise FramingError(1002, "a control frame is short and whole")
            return at + 6 + length
        self._check_sequence(opcode)
        if length < _TWO_BYTES:
            self._check_weight(length)
            return at + 6 + length
        width = 2 if length == _TWO_BYTES else 8
        if size - at < 2 + width:
            return size + 1
        length = int.from_bytes(data[at + 2 : at + 2 + width])
        if length < (_TWO_BYTES if width == 2 else 1 << 16):
            raise FramingError(1002, "a length must be written in the fewest bytes")
        self._check_weight(length)
        return at + 6 + width + length

    def _check_sequence(self, opcode: int) -> None:
        if (opcode == Opcode.CONTINUATION) != (self._opcode is not None):
            raise FramingError(1002, "pieces of a message must follow each other")
        if self._pieces is not None and len(self._pieces) >= MAX_FRAGMENTS:
            raise FramingError(1009, "too many fragments")

    def _check_weight(self, length: int) -> None:
        if self._weight + length > self._max_bytes:
            raise FramingError(1009, f"a message has at most {self._max_bytes} bytes")

    def _join(self, opcode: Opcode, payload: bytes, *, is_last: bool) -> tuple[Opcode, bytes] | None:
        if is_last and self._opcode is None:
            return opcode, payload
        if self._opcode is None:
            self._opcode, self._pieces = opcode, []
        assert self._pieces is not None
        self._pieces.append(payload)
        self._weight += len(payload)
        if not is_last:
            return None
        whole = self._opcode, b"".join(self._pieces)
        self._opcode, self._pieces, self._weight = None, None, 0
        return whole


def _unmask(data: bytes, at: int, end: int) -> bytes:
    width = {_TWO_BYTES: 2, _EIGHT_BYTES: 8}.get(data[at + 1] & _LENGTH, 0)
    begin = at + 6 + width
    return apply_mask(data[begin:end], data[begin - 4 : begin])
