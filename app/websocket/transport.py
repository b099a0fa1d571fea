"""The portable way to a peer: a task that writes one message after the other through anything that can send one.

It serves a WebSocket of any ASGI server and server-sent events. `app.websocket.server` needs no task.
"""

import asyncio
from collections import deque
from typing import Protocol

from app.websocket.connection import Connection
from app.websocket.framing import payloads


class Peer(Protocol):
    """The other side, reached by one message at a time."""

    async def send(self, text: bytes) -> None:
        """Send one encoded message; return when the peer's side can take the next.

        Raises:
            ConnectionError: the peer has gone.
        """

    async def close(self, code: int, reason: str) -> None:
        """End the conversation; harmless when it has ended."""


class WriterTransport:
    """Takes frames at once and has its task write them; it can take more when all is written."""

    def __init__(self, peer: Peer) -> None:
        self.connection: Connection | None = None
        """Whom to tell that more can be taken."""
        self.ending = asyncio.Event()
        """Set when the conversation is to end."""
        self.backlog_bytes = 0
        self._peer = peer
        self._frames: deque[bytes] = deque()
        self._end: tuple[int, str] | None = None
        self._wakened = asyncio.Event()

    @property
    def is_writable(self) -> bool:
        """Whether everything taken has been written."""
        return not self._frames

    def write(self, frames: bytes) -> None:
        """Take some whole frames; none follow the end."""
        if self._end is not None:
            return
        self._frames.append(frames)
        self.backlog_bytes += len(frames)
        if self.connection is not None:
            self.connection.pause()
        self._wakened.set()

    def close(self, code: int, reason: str) -> None:
        """End the conversation after what was written."""
        if self._end is None:
            self._end = code, reason
            self.ending.set()
            self._wakened.set()

    async def run(self) -> None:
        """Write until the conversation ends or the peer has gone."""
        try:
            while self._end is None or self._frames:
                await self._wakened.wait()
                self._wakened.clear()
                await self._write_pending()
            await self._peer.close(*self._end)
        except ConnectionError:
            if self.connection is not None:
                self.connection.stop()

    async def _write_pending(self) -> None:
        while self._frames:
            for text in payloads(self._frames[0]):
                await self._peer.send(text)
            self.backlog_bytes -= len(self._frames.popleft())
            await asyncio.sleep(0)  # a peer that takes everything must not hold the loop
            if not self._frames and self.connection is not None:
                self.connection.resume()
