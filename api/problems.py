"""Every error as a problem document (RFC 9457), with nothing of the inside in it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from freshet.errors import TransientError
from freshet.telemetry import logs

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 2
UNEXPECTED: Final = "Something went wrong here."


class Invalid(BaseModel):
    """One field that is wrong."""

    pointer: str = Field(description="JSON pointer to the field, or the name of the parameter")
    detail: str


class Problem(BaseModel):
    """An error."""

    type: str = "about:blank"
    title: str = Field(examples=["Service Unavailable"])
    status: int = Field(examples=[503])
    detail: str = Field(examples=["Postgres does not answer; try again."])
    request_id: str | None = None
    errors: list[Invalid] | None = Field(default=None, description="of a 422: each field that is wrong")
    dependencies: dict[str, str] | None = Field(default=None, description="of /readyz: the state of each dependency")


def _documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema(ref_template="#/components/schemas/{model}")}}
    content[MEDIA_TYPE]["schema"].pop("$defs", None)
    content[MEDIA_TYPE]["schema"]["properties"]["errors"] = {"type": "array", "items": Invalid.model_json_schema()}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


RESPONSES: Final = _documented(413, 422, 500, 503)
NOT_FOUND: Final = _documented(404)


def handle(app: FastAPI) -> None:
    """Answer each kind of error that a route can end in."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(psycopg.Error, _postgres)
    app.add_exception_handler(TransientError, _transient)
    app.add_exception_handler(Exception, _unexpected)


def respond(
    request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    """A problem document. `more` are further members of `Problem`."""
    request_id = getattr(request.state, "request_id", None)
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, request_id=request_id, **more)
    sent = dict(headers or {})
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        sent.setdefault("Retry-After", str(RETRY_AFTER_S))
    return JSONResponse(problem.model_dump(exclude_none=True), status, sent, MEDIA_TYPE)


def broken_off(request: Request) -> dict[str, Any]:
    """A problem document as the last event of a stream that cannot be finished: its status was sent long ago."""
    request_id = getattr(request.state, "request_id", None)
    problem = Problem(title=HTTPStatus(500).phrase, status=500, detail=UNEXPECTED, request_id=request_id)
    return problem.model_dump(exclude_none=True)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  (Starlette calls it with nothing else)
    return respond(request, error.status_code, str(error.detail), error.headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    wrong = [Invalid(pointer=_pointer(item["loc"]), detail=item["msg"]) for item in error.errors()]
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


async def _unexpected(request: Request, _: Exception) -> JSONResponse:
    # Whatever was raised goes on to the server's log with its traceback; the caller gets the id to ask by.
    request_id = getattr(request.state, "request_id", "")
    return respond(request, 500, UNEXPECTED, {"X-Request-ID": request_id})


def _pointer(location: tuple[int | str, ...]) -> str:
    where, *path = location
    return "/" + "/".join(str(part) for part in path) if where == "body" else "/".join(str(part) for part in path)
