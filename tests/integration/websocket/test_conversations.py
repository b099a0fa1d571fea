"""The protocol's examples, with the real server on one side; `tests/js/conversations.test.js` plays the other."""

import asyncio
import itertools
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.support.patterns import fill, match_pattern
from tests.support.people import Json, register
from tests.support.server import TestServer
from tests.support.sockets import Socket

CONVERSATIONS = json.loads((Path(__file__).parents[2] / "fixtures/protocol/conversations.json").read_text())


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda conversation: conversation["name"])
async def test_server_keeps_to_the_example(conversation: Json, sqlite_server: TestServer) -> None:
    """What the server says is what the example says, message by message."""
    anna = await register(sqlite_server, "Anna")
    project = await anna.project("Website")
    epoch = (await anna.board(project))["epoch"]
    bound: dict[str, Any] = {"<project>": project["id"], "<anna>": anna.id, "<epoch>": epoch, "<unknown>": str(uuid4())}
    ids = itertools.count(1)
    protocols = [Subprotocol("timetodo.v1"), Subprotocol(f"bearer.{anna.token}")]
    async with asyncio.TaskGroup() as tasks, connect(sqlite_server.ws_url, subprotocols=protocols) as connection:
        socket = Socket(connection)
        for step in conversation["steps"]:
            match step:
                case {"server": pattern}:
                    match_pattern(pattern, await next_but_pings(socket), bound)
                case {"client": pattern}:
                    if "id" in pattern:
                        bound[pattern["id"]] = next(ids)
                    await connection.send(json.dumps(fill(pattern, bound)))
                case {"do": "create_task"}:
                    await anna.task(project)
                case {"do": "tell"}:
                    boris = await register(sqlite_server, "Boris")
                    await boris.add(await boris.project("Other"), anna)
                    await boris.http.aclose()
                case {"do": "delete_project"}:
                    await anna.call("DELETE", f"/projects/{project['id']}", expect=204)
                case {"do": "drain"}:
                    tasks.create_task(sqlite_server.hub.drain())
    await anna.http.aclose()


async def next_but_pings(socket: Socket) -> Json:
    """Take the next message; the server's ping comes when its clock says so, in the middle of anything."""
    while (message := await socket.receive())["type"] == "ping":
        pass
    return message
