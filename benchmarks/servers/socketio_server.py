"""python-socketio on uvicorn, its rooms and its `emit`. No tokens."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import socketio
import uvicorn
from fastapi import FastAPI

from benchmarks.servers.common import listen_for_events, make_event

sio = socketio.AsyncServer(async_mode="asgi")


async def connect(sid: str, environ: dict[str, Any]) -> None:
    """Put a client into the room its query names."""
    await sio.enter_room(sid, parse_qs(environ["QUERY_STRING"])["room"][0])


sio.on("connect", connect)


async def publish(room: str, seq: int) -> None:
    """Send an event to everybody in a room."""
    await sio.emit("event", make_event(seq), room=room)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Listen for events while the server runs."""
    async with await listen_for_events(int(sys.argv[2]), publish):
        yield


app = FastAPI(lifespan=lifespan)
app.mount("/", socketio.ASGIApp(sio))

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
