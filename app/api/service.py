"""For those who run the server: is it alive, is it ready, how is it doing."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from app.api import metrics
from app.api.checks import works
from app.api.context import ApiContext
from app.api.deps import Context
from app.services import users

router = APIRouter(tags=["service"])


@router.get("/healthz")
async def is_alive() -> dict[str, str]:
    """Answer as long as the process can."""
    return {"status": "ok"}


@router.get("/readyz")
async def is_ready(context: Context) -> JSONResponse:
    """Answer 200 when the database and the broker work and the server is not shutting down, else 503."""
    checks = {"database": await works(_ask_database(context)), "broker": await works(context.broker.ping())}
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
    """See that it can be read and written, each in the way requests do."""
    async with context.database.read() as uow:
        await users.needs_admin(uow)
    await context.database.check()
