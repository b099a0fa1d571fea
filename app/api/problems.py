"""Every refusal as problem+json (RFC 9457): a stable `code`, a sentence, the request's id; never anything internal."""

from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.errors import AppError, RateLimited, Unauthorized, Unavailable
from app.services.history import ResumeFailure

MEDIA_TYPE: Final = "application/problem+json"
_CODES: Final = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}
OTHER_CODES: Final = frozenset({*_CODES.values(), "internal", "error", *ResumeFailure})
"""Codes of answers that no class of `app.errors` stands for."""
_FIELD_CODES: Final = {
    "missing": "missing",
    "blank": "blank",
    "string_too_short": "too_short",
    "string_too_long": "too_long",
    "too_long": "too_many",
    "string_pattern_mismatch": "pattern",
    "greater_than_equal": "too_small",
    "less_than_equal": "too_big",
}
FORM_CODES: Final = frozenset({*_FIELD_CODES.values(), "email", "invalid"})
"""What can be wrong with what a person writes into a form; other codes are a program's mistake."""
_LIMITS: Final = ("min_length", "max_length", "ge", "le")
_log = structlog.get_logger(__name__)


class FieldProblem(BaseModel):
    """One thing wrong with one field."""

    field: str
    message: str
    code: str
    limit: int | None = None
    """The least or the most there may be, where that is what was wrong."""


class Problem(BaseModel):
    """An error answer. Some codes add fields of their own."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Not found",
                    "status": 404,
                    "detail": "no such task, or you may not see it",
                    "code": "not_found",
                    "request_id": "0193b2c4",
                }
            ]
        },
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldProblem] | None = None


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI entries for these error statuses."""
    return {
        status: {
            "model": Problem,
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


COMMON_RESPONSES: Final = responses(400, 401, 403, 404, 413, 422)
CHANGE_RESPONSES: Final = COMMON_RESPONSES | responses(409)


def problem(request: Request, status: int, code: str, title: str, detail: str, **extra: Any) -> JSONResponse:
    """Make an error answer."""
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request.state.request_id,
    }
    return JSONResponse(body | extra, status, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Register the handlers."""
    app.add_exception_handler(AppError, _on_app_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_input)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(ClientDisconnect, _on_hanging_up)


async def _on_app_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)
    answer = problem(request, error.status, error.reason, error.title, error.detail, **error.extra)
    if isinstance(error, RateLimited | Unavailable):
        answer.headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, Unauthorized):
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


async def _on_invalid_input(request: Request, error: Exception) -> JSONResponse:
    """Name the fields; what was sent is not echoed."""
    assert isinstance(error, RequestValidationError)
    errors = [_field_problem(item) for item in error.errors()]
    detail = "; ".join(f"{item['field']}: {item['message']}" for item in errors[:5])
    if errors and errors[0]["code"] == "json_invalid":
        return problem(request, 400, "bad_request", "Bad request", "the body is not valid JSON")
    return problem(request, 422, "validation_error", "Invalid input", detail, errors=errors)


def _field_problem(item: dict[str, Any]) -> dict[str, str | int]:
    place = [str(part) for part in item["loc"]]
    if len(place) > 1 and place[0] in {"body", "query", "path", "header"}:
        place = place[1:]
    field = ".".join(place).encode("utf-8", "replace").decode()
    kind, message = str(item["type"]), str(item["msg"]).removeprefix("Value error, ")
    context: dict[str, Any] = item.get("ctx", {})
    if context.get("field_type") == "Value":  # the length of a text that was looked at before: not of a list
        kind = f"string_{kind}"
        message = message.replace("items after validation", "characters").replace("Value should", "must")
    found: dict[str, str | int] = {"field": field, "message": message, "code": _FIELD_CODES.get(kind, kind)}
    limit = next((context[name] for name in _LIMITS if isinstance(context.get(name), int)), None)
    if kind == "string_too_short" and limit == 1:
        found["code"] = "blank"
    elif kind == "value_error" and "reason" in context:  # of an e-mail address alone
        found["code"] = "email"
    elif limit is not None:
        found["limit"] = limit
    return found


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    title = HTTPStatus(error.status_code).phrase
    code = _CODES.get(error.status_code, "error")
    detail = {
        404: "there is nothing at this address",
        405: f"{request.method} is not possible here",
        413: "the body is too large",
    }.get(error.status_code, title)
    answer = problem(request, error.status_code, code, title, detail)
    answer.headers.update(error.headers or {})
    return answer


async def _on_hanging_up(request: Request, _error: Exception) -> JSONResponse:
    """Nobody is there to read it; the log of requests has it."""
    return problem(request, 400, "bad_request", "Bad request", "the connection was closed before the body was there")


def answer_bug(request: Request, error: Exception) -> JSONResponse:
    """Log what nobody foresaw, and say no more than that it happened."""
    _log.error("request_failed", exc_info=error, method=request.method, path=request.url.path)
    detail = "something went wrong on the server; its log has the details under this request_id"
    return problem(request, 500, "internal", "Internal error", detail)
