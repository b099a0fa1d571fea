"""A whole Time to DO in the test's own event loop, served by the real uvicorn over real TCP."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from argon2 import PasswordHasher
from fastapi import FastAPI
from starlette.routing import BaseRoute

from app.api.context import ADMIN_CODE_FILE, ApiContext
from app.config import Settings
from app.db import migrate
from app.db.engine import create_engine
from app.db.unit_of_work import Database
from app.main import create_app
from app.security import Passwords
from app.startup import DrainingServer, make_config
from app.websocket.hub import Hub
from tests.support.http import http_client
from tests.support.ports import free_port

ADMIN_CODE = "code-of-the-tests"
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class TestServer:
    """A running server and the ways to it."""

    __test__ = False

    def __init__(self, application: FastAPI, settings: Settings, server: uvicorn.Server) -> None:
        self.application = application
        self.settings = settings
        self.uvicorn = server

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://127.0.0.1:{self.settings.port}"

    @property
    def ws_url(self) -> str:
        """Address of the socket."""
        return f"ws://127.0.0.1:{self.settings.port}/api/v1/ws"

    @property
    def hub(self) -> Hub:
        """The realtime side."""
        hub: Hub = self.application.state.hub
        return hub

    @property
    def context(self) -> ApiContext:
        """What the routes know."""
        context: ApiContext = self.application.state.context
        return context

    @property
    def database(self) -> Database:
        """The server's database."""
        return self.context.database

    def client(self, **options: Any) -> httpx2.AsyncClient:
        """Return an HTTP client of the API, without credentials."""
        return http_client(**({"base_url": f"{self.url}/api/v1"} | options))


def make_settings(data_dir: Path, **changes: Any) -> Settings:
    """Return settings for a test: everybody may register, and nothing waits long."""
    quick: dict[str, Any] = {
        "port": free_port(),
        "registration": "open",
        "presence_grace_s": 0.2,
        "drain_s": 0.5,
        "shutdown_s": 2,
        "auth_attempts_per_minute": 10_000,
        "log_level": "WARNING",
    }
    return Settings(data_dir=data_dir, **(quick | changes))


async def migrated(settings: Settings) -> Settings:
    """Bring the settings' database to the current schema and lay the one-time code ready."""
    engine = create_engine(settings.resolved_database_url)
    try:
        await migrate.upgrade(engine)
    finally:
        await engine.dispose()
    lay_admin_code(settings.data_dir)
    return settings


def lay_admin_code(data_dir: Path) -> None:
    """Lay the one-time code of the first account where the server looks for it."""
    (data_dir / ADMIN_CODE_FILE).write_text(ADMIN_CODE)


def make_portable_config(settings: Settings, application: FastAPI) -> uvicorn.Config:
    """Return how uvicorn serves by its own protocols: as any ASGI server would, knowing nothing of ours."""
    return uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=settings.ws_message_bytes,
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=settings.shutdown_s,
    )


class PromptServer(DrainingServer):
    """Ends when it is told to, not at the next tenth of a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Begin to shut down."""
        self._ending.set()

    async def main_loop(self) -> None:
        """Serve until told to end, by whichever way."""
        told = [asyncio.create_task(super().main_loop()), asyncio.create_task(self._ending.wait())]
        await asyncio.wait(told, return_when=asyncio.FIRST_COMPLETED)
        for task in told:
            task.cancel()
        await asyncio.gather(*told, return_exceptions=True)


_routes: dict[int, BaseRoute] = {}


def share_routes(application: FastAPI) -> None:
    """Take over what FastAPI has made of the same routers for an earlier application, which takes it long."""
    routes = application.router.routes
    for place, route in enumerate(routes):
        if router := getattr(route, "original_router", None):
            routes[place] = _routes.setdefault(id(router), route)


@asynccontextmanager
async def run_server(settings: Settings, *, portable: bool = False) -> AsyncIterator[TestServer]:
    """Serve until the block ends, then shut down as on SIGTERM; with `portable` without our own protocols."""
    application = create_app(settings)
    share_routes(application)
    quick = Passwords(QUICK_HASHER)
    application.state.context = dataclasses.replace(application.state.context, passwords=quick)
    config = (make_portable_config if portable else make_config)(settings, application)
    server = PromptServer(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server._serve())
    while not server.started:
        if serving.done():
            await serving
        await asyncio.sleep(0.005)
    try:
        yield TestServer(application, settings, server)
    finally:
        server.end()
        await serving
