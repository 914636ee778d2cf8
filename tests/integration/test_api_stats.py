"""What is being edited, counted by a real Postgres."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from freshet.settings import load_settings
from freshet.store.migrate import migrate
from tests.api_builders import BagOfWords, insert
from tests.documents import document

pytestmark = pytest.mark.integration


@pytest.fixture
def client(database: str) -> Iterator[TestClient]:
    migrate(database)
    now = datetime.now(UTC)
    moments = [now - timedelta(minutes=number) for number in range(4)]
    insert(
        database,
        document(title="Nile", wiki="enwiki", user_name="A", event_time=moments[1], revert_kind="undo"),
        document(title="Nile", wiki="enwiki", user_name="B", event_time=moments[0]),
        document(title="Nil", wiki="dewiki", user_name="A", event_time=moments[2], type="new", user_kind="ip"),
        document(title="Amazon", wiki="enwiki", event_time=now - timedelta(hours=3)),
    )
    with TestClient(create_app(load_settings(postgres_dsn=SecretStr(database)), BagOfWords())) as client:
        yield client


def test_the_window_is_counted_by_wiki_type_and_kind_of_user(client: TestClient) -> None:
    stats = client.get("/v1/stats").json()
    assert (stats["window_minutes"], stats["documents"]) == (60, 3)
    assert stats["by_wiki"] == [{"name": "enwiki", "documents": 2}, {"name": "dewiki", "documents": 1}]
    assert stats["by_type"] == [{"name": "edit", "documents": 2}, {"name": "new", "documents": 1}]
    assert {row["name"]: row["documents"] for row in stats["by_user_kind"]} == {"registered": 2, "ip": 1}


def test_the_busiest_page_comes_first_with_its_users_and_reverts(client: TestClient) -> None:
    busiest, other = client.get("/v1/stats", params={"window_minutes": 30}).json()["pages"]
    assert (busiest["title"], busiest["documents"], busiest["users"], busiest["reverts"]) == ("Nile", 2, 2, 1)
    assert other["title"] == "Nil"


def test_a_longer_window_holds_more_and_a_list_only_as_many_as_wanted(client: TestClient) -> None:
    stats = client.get("/v1/stats", params={"window_minutes": 600, "most": 1}).json()
    assert stats["documents"] == 4
    assert len(stats["pages"]) == len(stats["by_wiki"]) == 1


@pytest.mark.parametrize("parameters", [{"window_minutes": 0}, {"most": 101}, {"window_minutes": "all"}])
def test_a_wrong_window_is_a_problem_document(client: TestClient, parameters: dict[str, str]) -> None:
    answer = client.get("/v1/stats", params=parameters)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
