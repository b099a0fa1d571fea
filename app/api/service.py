"""For those who run the server: is it alive, is it ready, how is it doing."""

import asyncio
from collections.abc import Awaitable
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from app.api import metrics
from app.api.context import ApiContext
from app.api.deps import Context
from app.services import users

CHECK_S: Final = 2.0
"""A dependency that takes longer than this to answer counts as down."""

router = APIRouter(tags=["service"])


@router.get("/healthz")
async def is_alive() -> dict[str, str]:
    """Answer as long as the process can."""
    return {"status": "ok"}


@router.get("/readyz")
async def is_ready(context: Context) -> JSONResponse:
    """Answer 200 when the database and the broker work and the server is not shutting down, else 503."""
    checks = {"database": await _works(_ask_database(context)), "broker": await _works(context.broker.ping())}
    checks["accepting"] = not context.is_draining()
    ready = all(checks.values())
    return JSONResponse({"status": "ready" if ready else "not ready", "checks": checks}, 200 if ready else 503)


@router.get("/metrics")
async def read_metrics(context: Context) -> Response:
    """Return every number as Prometheus series."""
    return Response(
        metrics.render(lambda: context.socket_stats(details=False)),
        media_type="text/plain; version=0.0.4; charset=utf-8",
    )


async def _ask_database(context: ApiContext) -> None:
    async with context.database.read() as uow:
        await users.needs_admin(uow)


async def _works(check: Awaitable[None]) -> bool:
    try:
        await asyncio.wait_for(check, CHECK_S)
    except Exception:  # noqa: BLE001 - whatever it is, it is down
        return False
    return True
