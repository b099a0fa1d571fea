"""The application, put together: settings → database, broker, sockets → routes. Nothing here decides anything."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

import app as package
from app.api import middleware, pages, problems, service
from app.api.compression import Compression
from app.api.context import ApiContext
from app.api.v1 import (
    admin,
    auth,
    comments,
    history,
    mail,
    members,
    notifications,
    projects,
    push,
    search,
    server,
    tasks,
    users,
    views,
    ws,
)
from app.broker.base import Broker
from app.broker.memory import MemoryBroker
from app.broker.redis import RedisBroker
from app.config import Settings
from app.db.engine import create_engine
from app.db.unit_of_work import Database
from app.domain.demand import Demand
from app.domain.rate_limit import RateLimiter
from app.push.keys import PushKey, load_or_create_key
from app.security import AccessTokens, Passwords, load_or_create_secret
from app.services.device_checks import DeviceChecks
from app.services.mailing import Mailing
from app.websocket import endpoint, sse
from app.websocket.directory import Directory
from app.websocket.hub import Hub
from app.workers.digests import DigestWorker
from app.workers.mail import MailWorker
from app.workers.periodic import PeriodicWorker
from app.workers.push import PushWorker
from app.workers.reminders import ReminderWorker
from app.workers.retention import RetentionWorker

_log = structlog.get_logger(__name__)
DESCRIPTION = """Every change is made here and told to everybody by the socket at `/api/v1/ws`."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application of one server; it starts with its lifespan."""
    settings = settings or Settings()
    server_id = secrets.token_hex(6)
    broker = create_broker(settings)
    engine = create_engine(settings.resolved_database_url)
    database = Database(engine, broker, server_id=server_id, has_mail=settings.has_mail)
    secret = signing_key(settings)
    attempts = settings.auth_attempts_per_minute
    tokens = AccessTokens(secret, lifetime_s=settings.access_token_s)
    demand = Demand()
    hub = Hub(settings, Directory(database, tokens), broker, server_id=server_id, demand=demand)
    application = FastAPI(
        title="Time to DO",
        version=package.__version__,
        description=DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    application.state.hub = hub
    application.state.context = ApiContext(
        settings=settings,
        database=database,
        broker=broker,
        passwords=Passwords(),
        tokens=tokens,
        auth_limiter=RateLimiter(attempts / 60, attempts),
        account_limiter=RateLimiter(attempts / 3600, 5 * attempts),
        socket_stats=hub.manager.get_stats,
        cluster_stats=hub.cluster.total,
        is_draining=lambda: hub.is_draining,
        push_key=PushKey(load_or_create_key(settings.data_dir), contact=settings.public_url),
        device_checks=DeviceChecks(allow_private=settings.push_allow_private),
        mailing=Mailing.make(
            is_on=settings.has_mail,
            base_url=settings.base_url,
            secret=secret,
            invitations_per_hour=settings.mail_invitations_per_hour,
        ),
    )
    _add_routes(application, settings, demand)
    return application


def create_broker(settings: Settings) -> Broker:
    """Return the broker the settings ask for."""
    return RedisBroker(settings.redis_url, prefix=settings.redis_prefix) if settings.redis_url else MemoryBroker()


def signing_key(settings: Settings) -> str:
    """Return the key of the access tokens: the configured one, or the one in the data directory."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    return load_or_create_secret(settings.data_dir / "secret-key")


def _add_routes(application: FastAPI, settings: Settings, demand: Demand) -> None:
    problems.install(application)
    application.add_middleware(Compression)
    application.add_middleware(middleware.RequestContext, max_body_bytes=settings.max_body_bytes, demand=demand)
    if settings.allowed_origins:
        application.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.allowed_origins),
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["ETag", "Idempotency-Replayed", "Retry-After", "X-Request-ID"],
        )
    # Looked through in this order at every call: what people do most comes first.
    for module in (
        tasks,
        comments,
        projects,
        members,
        users,
        notifications,
        push,
        auth,
        history,
        search,
        views,
        ws,
        server,
        admin,
        mail,
    ):
        application.include_router(module.router, prefix="/api/v1")
    application.include_router(sse.router)
    application.include_router(endpoint.router)
    application.include_router(service.router)
    pages.install(application)


@asynccontextmanager
async def _lifespan(application: FastAPI) -> AsyncIterator[None]:
    context: ApiContext = application.state.context
    hub: Hub = application.state.hub
    workers: list[PeriodicWorker] = [
        RetentionWorker(context.database, context.settings),
        PushWorker(context.database, context.push_key, context.settings),
        ReminderWorker(context.database, context.settings),
    ]
    if context.settings.has_mail:
        workers.append(MailWorker(context.database, context.settings, context.mailing))
        workers.append(DigestWorker(context.database, context.settings))
    await hub.start()
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        await hub.drain()
        for worker in reversed(workers):
            await worker.stop()
        await hub.stop()
        await context.broker.close()
        await context.database.dispose()
