"""uvicorn's side of a WebSocket, with an end for peers that take nothing.

uvicorn closes gently: it waits until the peer has taken what is left. One that never reads is waited for for ever, with
its socket and its buffer, and no limit of ours counts it any more. Here it has a moment, then its socket is cut.
Likewise whatever a peer can make the server hold by sending alone is bounded: pongs are not piled up for somebody who
does not read, and a message comes in a bounded number of pieces.

Used by `timetodo serve`; under another ASGI server the rest works the same without these.
"""

import asyncio
from typing import Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

LINGER_S: Final = 5.0
"""How long a peer may take to accept the last bytes and to answer the close frame."""
MAX_FRAGMENTS: Final = 256
"""Pieces of one message. Honest clients send one; empty pieces would cost memory and time without ever weighing."""


class SocketProtocol(WebSocketsSansIOProtocol):
    """One WebSocket over TCP."""

    _cut: asyncio.TimerHandle | None = None

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """Wait a moment for the peer once the application is done with it."""
        super().on_task_complete(task)
        if not self.disconnected:
            self._cut = self.loop.call_later(LINGER_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer with the peer."""
        if self._cut is not None:
            self._cut.cancel()
        super().connection_lost(exc)

    def handle_ping(self) -> None:
        """Answer, unless the answers are not being read: RFC 6455 lets the last pong stand for all."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_cont(self, event: Frame) -> None:
        """Take one more piece of a message."""
        if len(self.frames) < MAX_FRAGMENTS:
            super().handle_cont(event)
        elif not self.close_sent:
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
            self.handle_parser_exception()
