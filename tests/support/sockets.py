"""A socket that listens in tests: the `websockets` library as an independent second implementation."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.people import Json, Person
from tests.support.server import TestServer

DEADLINE_S = 5.0


class Socket:
    """One open socket. Messages are taken in the order they come."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self._ids = itertools.count(1)

    async def send(self, type_: str, **fields: Any) -> None:
        """Send a message."""
        await self.connection.send(orjson.dumps({"type": type_} | fields).decode())

    async def receive(self) -> Json:
        """Take the next message."""
        message: Json = orjson.loads(await asyncio.wait_for(self.connection.recv(), DEADLINE_S))
        return message

    async def receive_type(self, *types: str) -> Json:
        """Take the next message of one of some types, passing over others."""
        while True:
            message = await self.receive()
            if message["type"] in types:
                return message

    async def receive_events(self, count: int) -> list[Json]:
        """Take the next durable events, passing over signs of life."""
        events: list[Json] = []
        while len(events) < count:
            message = await self.receive()
            if "seq" in message:
                events.append(message)
        return events

    async def request(self, type_: str, **fields: Any) -> Json:
        """Send a message with an id and take its answer, passing over everything else."""
        id_ = next(self._ids)
        await self.send(type_, id=id_, **fields)
        while True:
            message = await self.receive()
            if message.get("id") == id_:
                return message

    async def join(self, project: Json, since: Json | None = None) -> Json:
        """Join a project's room; return the data of the answer."""
        fields = {"project_id": project["id"]} | ({"since": since} if since else {})
        answer = await self.request("join_project", **fields)
        assert answer["type"] == "project_joined", answer
        data: Json = answer["data"]
        return data

    async def closed(self) -> int:
        """Wait until the server has closed the socket; return the close code."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.wait_for(self.connection.recv(), DEADLINE_S)
        code = self.connection.close_code
        assert code is not None
        return code


@asynccontextmanager
async def open_socket(
    server: TestServer, person: Person | None = None, *, query: str = "", **options: Any
) -> AsyncIterator[Socket]:
    """Open a socket, as somebody or anonymously, and take the welcome."""
    protocols = [Subprotocol("timetodo.v1")]
    if person is not None:
        protocols.append(Subprotocol(f"bearer.{person.token}"))
    async with connect(server.ws_url + query, subprotocols=protocols, compression=None, **options) as connection:
        socket = Socket(connection)
        assert (await socket.receive())["type"] == "welcome"
        yield socket
