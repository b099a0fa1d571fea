"""What most people write first: FastAPI, a JWT in the query, a list of sockets a room, `await send_json` to each.

Runs on uvicorn[standard] with its defaults, but for the log.
"""

import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import jwt
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from benchmarks.servers.common import listen_for_events, make_event

SECRET = "a secret for servers that are only measured"
rooms: defaultdict[str, list[WebSocket]] = defaultdict(list)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Listen for events while the server runs."""
    async with await listen_for_events(int(sys.argv[2]), publish):
        yield


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def serve(websocket: WebSocket, token: str) -> None:
    """Serve one client."""
    user: dict[str, Any] = jwt.decode(token, SECRET, algorithms=["HS256"])
    await websocket.accept()
    await websocket.send_json({"type": "welcome", "data": {"user": user["sub"]}})
    joined: list[str] = []
    try:
        while True:
            message = await websocket.receive_json()
            if message["type"] == "join_project":
                joined.append(message["project_id"])
                rooms[message["project_id"]].append(websocket)
                await websocket.send_json({"type": "project_joined", "project_id": message["project_id"]})
    except WebSocketDisconnect:
        for room in joined:
            rooms[room].remove(websocket)


async def publish(room: str, seq: int) -> None:
    """Send an event to everybody in a room."""
    event = make_event(seq)
    for websocket in list(rooms[room]):
        with suppress(WebSocketDisconnect, RuntimeError):
            await websocket.send_json(event)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
