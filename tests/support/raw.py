"""Clients that do as they like: bytes over TCP, with no library that would keep them from it."""

import asyncio
import os
import socket
import struct
from typing import Final

import orjson
from websockets.frames import Close, Opcode
from websockets.utils import apply_mask

from tests.support.people import Json
from tests.support.server import TestServer

DEADLINE_S: Final = 5.0
HANDSHAKE: Final = {
    "Host": "x",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


class Answer:
    """A whole HTTP answer."""

    def __init__(self, head: bytes, body: bytes) -> None:
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        self.body = body

    def json(self) -> Json:
        """Return the body, which is JSON."""
        body: Json = orjson.loads(self.body)
        return body


class Wire:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def write(self, data: bytes) -> None:
        """Send some bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def rest(self) -> bytes:
        """Return everything that still comes until the server has closed, and close."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await self.reader.read()
        except ConnectionResetError:
            return b""
        finally:
            self.hang_up()

    async def answer(self) -> Answer:
        """Take an HTTP answer."""
        async with asyncio.timeout(DEADLINE_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            answer = Answer(head, b"")
            answer.body = await self.reader.readexactly(int(answer.headers.get("content-length", "0")))
            return answer

    async def send(self, opcode: int, payload: bytes = b"", *, is_last: bool = True, times: int = 1) -> None:
        """Send a masked frame, several times over."""
        key = os.urandom(4)
        assert len(payload) < 126
        head = bytes((opcode | (0x80 if is_last else 0), 0x80 | len(payload)))
        await self.write((head + key + apply_mask(payload, key)) * times)

    async def say(self, type_: str, **fields: object) -> None:
        """Send a message."""
        await self.send(Opcode.TEXT, orjson.dumps({"type": type_} | fields))

    async def receive(self) -> tuple[int, bytes]:
        """Take the next frame, which must be whole and unmasked as a server's are."""
        async with asyncio.timeout(DEADLINE_S):
            first, size = await self.reader.readexactly(2)
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
            assert first & 0xF0 == 0x80
            assert size < 1 << 20
            return first & 0x0F, await self.reader.readexactly(size)

    async def hear(self, *types: str) -> Json:
        """Take the next message of one of some types, passing over everything else."""
        while True:
            opcode, payload = await self.receive()
            assert opcode != Opcode.CLOSE, payload
            if opcode == Opcode.TEXT:
                message: Json = orjson.loads(payload)
                if message["type"] in types:
                    return message

    async def closed(self) -> int:
        """Wait for the server's goodbye, passing over everything else; return its code."""
        opcode, payload = await self.receive()
        while opcode != Opcode.CLOSE:
            opcode, payload = await self.receive()
        return int(Close.parse(payload).code)

    def hang_up(self) -> None:
        """Be gone."""
        self.writer.transport.abort()


async def dial(server: TestServer, *, sock: socket.socket | None = None) -> Wire:
    """Connect, and say nothing yet."""
    if sock is not None:
        return Wire(*await asyncio.open_connection(sock=sock, limit=1024))
    return Wire(*await asyncio.open_connection("127.0.0.1", server.settings.port))


def request(target: str = "/api/v1/ws", method: str = "GET", **headers: str) -> bytes:
    """Return the head of a request; without headers the opening handshake of our socket."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in (headers or HANDSHAKE).items())]
    return "\r\n".join([*lines, "\r\n"]).encode()


async def shake_hands(server: TestServer, *, target: str = "/api/v1/ws", **headers: str) -> Answer:
    """Ask for the socket with other headers than one should; return the answer."""
    wire = await dial(server)
    await wire.write(request(target, **(HANDSHAKE | {name.replace("_", "-"): text for name, text in headers.items()})))
    answer = await wire.answer()
    wire.hang_up()
    return answer


async def open_raw(server: TestServer, *, query: str = "", sock: socket.socket | None = None) -> Wire:
    """Shake hands and take the welcome."""
    wire = await dial(server, sock=sock)
    await wire.write(request(f"/api/v1/ws{query}"))
    assert (await wire.answer()).status == 101
    await wire.hear("welcome")
    return wire
