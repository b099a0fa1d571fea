"""What it takes to start: a port, a data directory, a current database, and a server that drains before it stops."""

import contextlib
import gc
import resource
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import uvicorn

import app as package
from app.api.context import ADMIN_CODE_FILE
from app.config import Settings
from app.db import migrate as migrations
from app.db.engine import create_engine, make_file
from app.db.unit_of_work import Database
from app.errors import Unavailable
from app.main import create_broker
from app.security import load_or_create_secret
from app.services import users

ADMIN_CODE_BYTES: Final = 12
"""Enough that nobody guesses it, short enough to type."""
GC_THRESHOLD: Final = 10_000
"""New objects between two looks for garbage."""
MANY_FILES: Final = 65_536
LISTEN_BACKLOG: Final = 4096
"""Connections the kernel holds until they are accepted: everybody comes back at once after a restart."""
Result = TypeVar("Result")


class DrainingServer(uvicorn.Server):
    """uvicorn, which asks every client to come back before it closes their sockets."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then stop."""
        application: Any = self.config.loaded_app
        while not hasattr(application, "state") and hasattr(application, "app"):
            application = application.app
        await application.state.hub.drain()
        await super().shutdown(sockets)


def make_config(
    settings: Settings, application: Any = "app.main:create_app", *, reload: bool = False
) -> uvicorn.Config:
    """Return how uvicorn is to serve: with our own protocols, which bound what a peer can make it hold."""
    return uvicorn.Config(
        application,
        factory=isinstance(application, str),
        host=settings.host,
        port=settings.port,
        reload=reload,
        reload_dirs=[str(Path(package.__file__).parent)] if reload else None,
        log_config=None,
        access_log=False,
        server_header=False,
        http="app.websocket.entrance:Entrance",
        ws="app.websocket.server:SocketProtocol",
        backlog=LISTEN_BACKLOG,
        timeout_graceful_shutdown=settings.shutdown_s,
    )


def serve(settings: Settings, *, reload: bool = False) -> None:
    """Serve until a signal ends it."""
    _allow_open_files()
    _spare_garbage_collector()
    config = make_config(settings, reload=reload)
    if reload:
        uvicorn.supervisors.ChangeReload(
            config, target=uvicorn.Server(config).run, sockets=[config.bind_socket()]
        ).run()
    else:
        DrainingServer(config).run()


def _spare_garbage_collector() -> None:
    """Leave out what is here to stay, and look less often: nearly everything of ours goes by itself."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)


def _allow_open_files() -> None:
    """Use as many file descriptors as the system lets us: each connection takes one, and the usual limit is 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_FILES if most == resource.RLIM_INFINITY else most
    with contextlib.suppress(ValueError, OSError):  # some systems say infinite and mean less
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def check_port(host: str, port: int) -> None:
    """Exit with a sentence when somebody listens there already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            sys.exit(
                f"timetodo: cannot listen on {host}:{port} ({error.strerror}); try: timetodo serve --port {port + 1}"
            )


async def prepare(settings: Settings) -> None:
    """Make the data directory, the schema, and the one-time code while there is no account.

    Raises:
        Unavailable: what the server needs is not there, or cannot be written to.
    """
    await migrate(settings)
    await _check_broker(settings)

    async def look(database: Database) -> bool:
        try:
            await database.check()
        except Unavailable as error:
            message = f"the database cannot be written to: {error.__cause__}".splitlines()[0]
            raise Unavailable(message) from error
        async with database.read() as uow:
            return await users.needs_admin(uow)

    code_file = settings.data_dir / ADMIN_CODE_FILE
    if await use_database(settings, look):
        load_or_create_secret(code_file, size_bytes=ADMIN_CODE_BYTES)
    else:
        code_file.unlink(missing_ok=True)


async def migrate(settings: Settings) -> None:
    """Bring the database to the current schema."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_file(settings.resolved_database_url)
    except OSError as error:
        message = f"{error.filename} cannot be made or written to: {error.strerror}"
        raise Unavailable(message) from error
    engine = create_engine(settings.resolved_database_url)
    try:
        await migrations.upgrade(engine)
    finally:
        await engine.dispose()


async def _check_broker(settings: Settings) -> None:
    """Wait for Redis, where there is one, as a server that starts does."""
    broker = create_broker(settings)
    try:
        await broker.start(lambda _: None, lambda _: None)
    except ConnectionError as error:
        message = f"{error}; look at TIMETODO_REDIS_URL"
        raise Unavailable(message) from error
    finally:
        await broker.close()


async def use_database(settings: Settings, use: Callable[[Database], Awaitable[Result]]) -> Result:
    """Run one piece of work beside the server, or without one; what it changes is told to the servers that run."""
    broker = create_broker(settings)
    engine = create_engine(settings.resolved_database_url)
    database = Database(engine, broker, server_id="cli", has_mail=settings.has_mail)
    try:
        return await use(database)
    finally:
        await broker.close()
        await database.dispose()
