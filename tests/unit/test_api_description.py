"""The description at /openapi.json says what the API does: examples, errors, headers."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.app import create_app
from api.models.documents import GoldOut
from api.problems import Problem
from freshet.contract import schemas
from freshet.settings import load_settings
from tests.api_builders import BagOfWords
from tests.api_serving import NO_POSTGRES

APP = create_app(load_settings(postgres_dsn=NO_POSTGRES), BagOfWords())
DESCRIBED = APP.openapi()
OPERATIONS = [
    pytest.param(path, operation, id=f"{method} {path}")
    for path, operations in DESCRIBED["paths"].items()
    for method, operation in operations.items()
]


def bodies() -> Iterator[type[BaseModel]]:
    """The models of all requests and answers."""
    yield Problem
    for route in APP.routes:
        if isinstance(route, APIRoute):
            asked = route.body_field.field_info.annotation if route.body_field else None
            for model in (asked, route.response_model):
                if isinstance(model, type) and issubclass(model, BaseModel):
                    yield model


@pytest.mark.parametrize("model", list(dict.fromkeys(bodies())))
def test_every_body_has_an_example_that_fits_it(model: type[BaseModel]) -> None:
    examples = DESCRIBED["components"]["schemas"][model.__name__]["examples"]
    assert examples
    for example in examples:
        assert set(example) <= set(model.model_json_schema()["properties"])
        model.model_validate(example)


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_every_error_is_described_as_a_problem_with_its_headers(path: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    wanted = {"500"} | ({"401", "429", "503"} if path.startswith("/v1/") else set())
    wanted |= {"400", "408", "413", "422"} if "requestBody" in operation else set()
    assert wanted <= set(responses)
    for status, response in responses.items():
        assert "X-Request-ID" in response["headers"]
        assert ("Retry-After" in response["headers"]) == (status in ("429", "503"))
        if int(status) >= 400:
            assert response["content"] == {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            }


def test_no_error_of_the_framework_is_described() -> None:
    assert not {"HTTPValidationError", "ValidationError"} & set(DESCRIBED["components"]["schemas"])
    assert "securitySchemes" not in DESCRIBED["components"]


def test_a_document_has_the_columns_of_gold_and_when_it_came() -> None:
    assert list(GoldOut.model_fields) == [*schemas.names(schemas.GOLD), "gold_at", "searchable_at"]
