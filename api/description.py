"""Completes the description at /openapi.json with what holds for many routes: errors, headers, keys."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI

from api.clients import GUARDED
from api.problems import MEDIA_TYPE, Problem

HEADERS: Final = {
    "X-Request-ID": {
        "description": "the caller's, if it was sound, else a new one; it is in the log and in every problem",
        "required": True,
        "schema": {"type": "string", "pattern": r"^[A-Za-z0-9_.:-]{1,64}$"},
    },
    "Retry-After": {
        "description": "seconds after which it is worth trying again",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {"description": "Bearer", "required": True, "schema": {"type": "string"}},
}
_RETRIED: Final = ("429", "503")
_KEY: Final = {"type": "http", "scheme": "bearer", "description": "a key that `freshet api-key` made"}


def complete(app: FastAPI, keyed: bool) -> None:
    """Say it once all routes are there. `keyed`: this API asks for a key."""
    described = app.openapi()
    components = described.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schemas["Problem"].pop("$defs")
    # FastAPI's own models of errors, which no answer of ours has
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    components["headers"] = HEADERS
    if keyed:
        components["securitySchemes"] = {"ApiKey": _KEY}
    for path, operation in _operations(described):
        guarded = path.startswith(GUARDED)
        for status in _statuses(operation, guarded):
            operation["responses"].setdefault(status, {"description": HTTPStatus(int(status)).phrase})
        for status, response in operation["responses"].items():
            _complete_response(status, response)
        operation["responses"] = dict(sorted(operation["responses"].items()))
        if keyed and guarded:
            operation["security"] = [{"ApiKey": []}]


def _operations(described: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in described["paths"].items():
        for operation in operations.values():
            yield path, operation


def _statuses(operation: Mapping[str, Any], guarded: bool) -> Iterator[str]:
    """What an operation can end in besides its success and what it says itself."""
    yield "500"
    if guarded:
        yield from ("401", "429", "503")
    if "parameters" in operation or "requestBody" in operation:
        yield "422"
    if "requestBody" in operation:
        yield from ("400", "408", "413")


def _complete_response(status: str, response: dict[str, Any]) -> None:
    names = ["X-Request-ID"]
    if int(status) >= HTTPStatus.BAD_REQUEST:
        response["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        response["description"] = HTTPStatus(int(status)).phrase
    if status in _RETRIED:
        names.append("Retry-After")
    if status == "401":
        names.append("WWW-Authenticate")
    response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
