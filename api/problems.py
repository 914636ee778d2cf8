"""Every error as a problem document (RFC 9457), with nothing of the inside in it."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from api.query_vectors import OverloadedError
from freshet.errors import TransientError
from freshet.telemetry import logs

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 2
MOST_ERRORS: Final = 20
MAX_NAME: Final = 100
UNEXPECTED: Final = "Something went wrong here."

BROWSERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What a browser is told of an answer that is no page."""


class Invalid(BaseModel):
    """One field that is wrong."""

    pointer: str = Field(description="JSON pointer into the body, or the name of the parameter")
    detail: str


class Problem(BaseModel):
    """An error (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Unprocessable Entity",
                    "status": 422,
                    "detail": "/limit: Input should be less than or equal to 50",
                    "request_id": "0b1f4f4f0f7a4a0c9e0d6f1a2b3c4d5e",
                    "errors": [{"pointer": "/limit", "detail": "Input should be less than or equal to 50"}],
                }
            ]
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str = Field(description="as in X-Request-ID: what to look for in the log")
    errors: list[Invalid] | None = Field(default=None, description="of a 422: the first fields that are wrong")
    dependencies: dict[str, str] | None = Field(default=None, description="of /readyz: the state of each dependency")


def _named(status: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    return {status.value: {"description": status.phrase}}


# For routes that can say so; `api/description.py` says the rest, and that all of them are problem documents.
NOT_FOUND: Final = _named(HTTPStatus.NOT_FOUND)
GONE: Final = _named(HTTPStatus.GONE)
UNAVAILABLE: Final = _named(HTTPStatus.SERVICE_UNAVAILABLE)


def handle(app: FastAPI) -> None:
    """Answer each kind of error that a route can end in."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(psycopg.Error, _postgres)
    app.add_exception_handler(OverloadedError, _busy)
    app.add_exception_handler(TransientError, _transient)
    app.add_exception_handler(Exception, _unexpected)


def respond(
    request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    """A problem document. `more` are further members of `Problem`."""
    problem = describe(status, detail, request.state.request_id, **more)
    sent = {**BROWSERS, **(headers or {})}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        sent.setdefault("Retry-After", str(RETRY_AFTER_S))
    return JSONResponse(problem, status, sent, MEDIA_TYPE)


def describe(status: int, detail: str, request_id: str, **more: Any) -> dict[str, Any]:
    """The members of a problem document."""
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, request_id=request_id, **more)
    return problem.model_dump(exclude_none=True)


def broken_off(request: Request) -> dict[str, Any]:
    """A problem document as the last event of a stream that cannot be finished: its status was sent long ago."""
    return describe(500, UNEXPECTED, request.state.request_id)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  (Starlette calls it with nothing else)
    return respond(request, error.status_code, str(error.detail), error.headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    wrong = [_invalid_field(item) for item in error.errors()[:MOST_ERRORS]]
    return respond(request, 422, "; ".join(f"{item.pointer}: {item.detail}" for item in wrong), errors=wrong)


async def _postgres(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, psycopg.OperationalError):
        logs.get().warning("Postgres does not answer", error=str(error))
        return respond(request, 503, "Postgres does not answer; try again.")
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedObject):
        logs.get().warning("the store is not migrated", error=str(error))
        return respond(request, 503, "The store is not set up yet: its migrations have not run.")
    logs.get().error("statement failed", exc_info=error)
    return await _unexpected(request, error)


async def _transient(request: Request, error: Exception) -> JSONResponse:
    logs.get().warning("a dependency does not answer", error=str(error))
    return respond(request, 503, "A dependency does not answer; try again.")


async def _busy(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, OverloadedError)  # noqa: S101
    return respond(request, 503, str(error), {"Retry-After": str(math.ceil(error.wait_s))})


async def _unexpected(request: Request, _: Exception) -> JSONResponse:
    # Whatever was raised goes on to the server's log with its traceback; the caller gets the id to ask by. This answer
    # is made outside of all that is around a request, so it names the id itself.
    return respond(request, 500, UNEXPECTED, {"X-Request-ID": request.state.request_id})


def _invalid_field(error: Mapping[str, Any]) -> Invalid:
    where, *path = error["loc"]
    if error["type"] == "json_invalid":
        return Invalid(pointer="", detail=f"The body is no JSON: {error['ctx']['error']} at character {path[0]}.")
    # A name that the caller made up comes back to it, but not endless.
    names = [str(part)[:MAX_NAME] for part in path]
    detail = error["msg"].removeprefix("Value error, ")
    if where != "body":
        return Invalid(pointer="/".join(names), detail=detail)
    escaped = [name.replace("~", "~0").replace("/", "~1") for name in names]
    return Invalid(pointer="".join(f"/{name}" for name in escaped), detail=detail)
