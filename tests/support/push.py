"""A push service on this machine with the browser behind it, and people who let it push to them."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select, update

from app.domain.clock import utc_now
from app.models import PushDelivery
from app.push.encoding import to_base64url
from app.push.keys import to_point
from app.services.deliveries import PUSH
from tests.support.people import Json, Person
from tests.support.realtime import eventually_found
from tests.support.server import TestServer

AUTH = b"sixteen bytes ok"
Start = Callable[..., Awaitable[TestServer]]
"""Starts a server that may push to this machine."""


class PushService:
    """A push service on this machine, and the browser behind it: it decrypts what it is sent."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.answers: list[str] = []
        """Status lines and headers to answer with; then 201."""
        self.requests: list[dict[str, str]] = []
        self.heard_at: list[float] = []
        """When each was there, by `time.perf_counter`."""
        self.pushed: list[Json] = []
        self.may_answer = asyncio.Event()
        """Cleared: requests are heard, and wait for their answers."""
        self.may_answer.set()
        self.server: asyncio.Server

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def stop(self) -> None:
        self.may_answer.set()
        self.server.close()
        await self.server.wait_closed()

    def subscription(self, name: str = "anna") -> Json:
        """What a browser gives out."""
        port = self.server.sockets[0].getsockname()[1]
        keys = {"p256dh": to_base64url(to_point(self.key.public_key())), "auth": to_base64url(AUTH)}
        return {"endpoint": f"http://127.0.0.1:{port}/send/{name}", "keys": keys, "label": "Chromium"}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:-2])}
        body = await reader.readexactly(int(headers["content-length"]))
        self.heard_at.append(time.perf_counter())
        self.requests.append(headers | {"path": lines[0].split()[1]})
        await self.may_answer.wait()
        answer = self.answers.pop(0) if self.answers else "201 Created"
        if answer == "hang":
            await reader.read()  # until they give up
            writer.close()
            return
        if answer.startswith("201"):
            plain = http_ece.decrypt(body, private_key=self.key, auth_secret=AUTH, version="aes128gcm")
            self.pushed.append(json.loads(plain))
        writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()


async def subscribe(person: Person, service: PushService, name: str = "anna") -> Json:
    """Push to a browser of somebody's."""
    device: Json = (await person.call("POST", "/push/devices", json=service.subscription(name), expect=201)).json()
    return device


async def waiting(server: TestServer) -> list[int]:
    """Return how often each push was tried that is not done with, the oldest first."""
    async with server.database.read() as uow:
        return list((await uow.fetch(select(PushDelivery.attempts).order_by(PushDelivery.id))).scalars())


async def drained(server: TestServer, *, to: int = 0) -> None:
    """Wait until nothing, or so much, is on its way."""
    await eventually_found(lambda: waiting(server), lambda pushes: len(pushes) <= to)


async def put_off(server: TestServer) -> None:
    """Wait until it is noted that something is to be tried again later."""
    failed = select(PushDelivery.id).where(PushDelivery.attempts > 0, PushDelivery.leased_until.is_(None))

    async def look() -> object:
        async with server.database.read() as uow:
            return (await uow.fetch(failed)).first()

    await eventually_found(look)


async def hurried(server: TestServer) -> None:
    """Have what is to be tried again later tried again now."""
    await put_off(server)
    async with server.database.write() as uow:
        await uow.execute(update(PushDelivery).values(due_at=utc_now()))
        uow.wake(PUSH)
