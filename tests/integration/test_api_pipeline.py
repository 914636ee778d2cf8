"""The pipeline as a page shows it: from a real broker and a real Postgres, with stand-ins for the rooms and Airflow."""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from api.pipeline.airflow import REFUSED, RUNS, UNKNOWN, Airflow
from freshet.contract import topics
from freshet.contract.pages import Page
from freshet.settings import Settings, load_settings
from freshet.store import context, repository, sla
from freshet.store.context import Seen
from freshet.store.migrate import migrate
from freshet.store.sla import Check
from freshet.upkeep.breaches import step
from local import ports
from tests.airflow_server import PASSWORD, AirflowServer
from tests.api_builders import BagOfWords, insert
from tests.api_serving import NO_POSTGRES
from tests.conftest import free_settings
from tests.described import MOUNTAIN, describe
from tests.documents import NOON, document
from tests.log_builders import commit, produce, serve
from tests.serving import listening

pytestmark = pytest.mark.integration

ROOMS = ("producer", "serve", "lake", "indexer")


@pytest.fixture
def airflow() -> Iterator[tuple[AirflowServer, str]]:
    """The stand-in, and its address."""
    stand_in = AirflowServer()
    with listening(stand_in) as (_, address):
        yield stand_in, address


@pytest.fixture
def piped(settings: Settings, database: str, tmp_path: Path, airflow: tuple[AirflowServer, str]) -> Settings:
    """Settings of a pipeline in which an edit was just received and all readers have done all."""
    migrate(database)
    insert(database, document(received_at=datetime.now(UTC), searchable_at=datetime.now(UTC) + timedelta(seconds=0.1)))
    address = airflow[1]
    given = {
        "state_dir": tmp_path,
        "postgres_dsn": SecretStr(database),
        "indexer_group": f"group-{uuid.uuid4().hex}",
        "stream_id": f"stream-{uuid.uuid4().hex}",
        "process_urls": tuple(f"{name}={address}/{name}/readyz" for name in ROOMS),
        "airflow_url": address,
        "airflow_password": SecretStr(PASSWORD),
    }
    piped = settings.model_copy(update=given)
    for topic in (topics.RAW, topics.GOLD):
        produce(piped, topic, datetime.now(UTC))
    serve(piped)
    commit(piped, {})
    commit(piped, {0: 1}, topics.RAW, topics.LAKE_GROUP)
    return piped


def ask(settings: Settings, **parameters: str) -> dict[str, Any]:
    with TestClient(create_app(settings, BagOfWords())) as client:
        return told(client, **parameters)


def told(client: TestClient, **parameters: str) -> dict[str, Any]:
    response = client.get("/v1/pipeline", params=parameters)
    assert response.status_code == 200, response.text
    assert PASSWORD not in response.text
    body: dict[str, Any] = response.json()
    return body


def until(client: TestClient, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while not holds(body := told(client)):
        assert time.monotonic() < deadline, body
        time.sleep(0.1)
    return body


def test_a_pipeline_that_is_well_is_fresh_and_shows_all_of_its_parts(piped: Settings) -> None:
    with TestClient(create_app(piped, BagOfWords())) as client:
        body = until(client, lambda body: bool(body["history"]["points"]))
    assert body["verdict"]["state"] == "fresh", body["verdict"]
    assert (body["sources"], body["window"]["count"], body["threshold_seconds"]) == (["recording"], 1, 60)
    assert body["window"]["p50"] == pytest.approx(100, abs=50)
    assert body["age_seconds"] < 60
    names = ["producer", "serve", "lake", "indexer", "api", "kafka", "postgres", "airflow"]
    assert [(one["name"], one["state"], one["detail"]) for one in body["processes"]] == [
        (name, "ready", None) for name in names
    ]
    (point,) = body["history"]["points"]
    assert (point["lag_serve"], point["lag_indexer"], point["lag_lake"]) == (0, 0, 1)
    assert (point["received_per_second"], point["searchable_per_second"]) == (None, 0.1)
    assert body["history"]["recorded_since"] == point["at"]


def test_gold_that_nobody_indexes_makes_it_stale(piped: Settings) -> None:
    produce(piped, topics.GOLD, datetime.now(UTC) - timedelta(seconds=100), datetime.now(UTC))
    commit(piped, {0: 2})
    verdict = ask(piped)["verdict"]
    assert verdict["state"] == "stale"
    assert verdict["because"].startswith("2 gold records wait for the indexer, the oldest 10")


def test_raw_that_the_serve_query_has_not_done_makes_it_late(piped: Settings) -> None:
    produce(piped, topics.RAW, datetime.now(UTC) - timedelta(seconds=30), datetime.now(UTC))
    verdict = ask(piped)["verdict"]
    assert verdict["state"] == "late"
    assert verdict["because"].startswith("2 raw records wait for the serve query, the oldest 3")


def test_a_room_that_is_away_stops_it_and_one_that_is_not_ready_says_so(
    piped: Settings, airflow: tuple[AirflowServer, str]
) -> None:
    stand_in, address = airflow
    (nowhere,) = ports.find_free(1)
    stand_in.unready.add("lake")
    stand_in.health["scheduler"] = {"status": "unhealthy"}
    urls = (f"producer={address}/producer/readyz", f"serve=http://127.0.0.1:{nowhere}/readyz")
    body = ask(piped.model_copy(update={"process_urls": (*urls, f"lake={address}/lake/readyz")}))
    said = {one["name"]: (one["state"], one["detail"]) for one in body["processes"]}
    assert said["producer"] == ("ready", None)
    assert said["serve"] == ("away", "it does not answer: ConnectError")
    assert said["lake"] == ("not ready", "it answers 503")
    assert said["airflow"] == ("not ready", "scheduler is unhealthy")
    assert (body["verdict"]["state"], body["verdict"]["because"]) == ("stopped", "the serve query does not answer")


def test_the_last_checks_and_the_breaches_that_last_are_shown(piped: Settings) -> None:
    now = datetime.now(UTC)
    late = Check("lake_age", "breach", 400, "s", 300, "10 raw records wait")
    found = [late, Check("kafka", "ok", None, "", None, "answers")]
    begun = step([], found, now - timedelta(minutes=2))
    over = step(begun.all, [], now)
    with sla.connect(piped.conninfo, 10) as connection:
        sla.keep(connection, now - timedelta(minutes=4), found, over.all)
        sla.keep(connection, now, found, step([], found, now).all)
    body = ask(piped)
    assert datetime.fromisoformat(body["checks"]["checked_at"]) == now
    assert {one["name"]: one["state"] for one in body["checks"]["checks"]} == {"kafka": "ok", "lake_age": "breach"}
    (breach,) = body["breaches"]
    assert (breach["name"], breach["value"], datetime.fromisoformat(breach["begun_at"])) == ("lake_age", 400, now)


def test_what_is_known_of_pages_is_shown_and_an_outage_of_who_describes_them_costs_nothing_else(
    piped: Settings,
) -> None:
    said = {Page("jawiki", "富士山"): MOUNTAIN, Page("jawiki", "山"): None}
    waiting = {Page("jawiki", str(number)): Seen(NOON, NOON) for number in range(4)}
    with repository.connect(piped.conninfo) as connection:
        describe(connection, said)
        (answered_at,) = connection.execute("SELECT max(fetched_at) FROM pages").fetchall()[0]
        context.note_seen(connection, waiting)
        context.note_failure(connection, list(waiting)[:1], "HTTP 500")
        context.note_failure(connection, list(waiting)[1:3], "HTTP 503")
    body = ask(piped)
    assert body["verdict"]["state"] == "fresh"
    assert datetime.fromisoformat(body["pages"].pop("answered_at")) == answered_at
    assert body["pages"] == {
        "status": "ok", "pages": 6, "described": 1, "missing": 1, "waiting": 4,
        "waiting_since": "2026-11-23T12:00:00Z", "failing": 3, "error": "HTTP 503", "pending": 1,
    }  # fmt: skip


def test_runs_of_airflow_lead_to_its_own_pages(piped: Settings, airflow: tuple[AirflowServer, str]) -> None:
    upkeep = ask(piped)["upkeep"]
    assert (upkeep["status"], upkeep["url"], len(upkeep["runs"])) == ("ok", airflow[1], RUNS)
    assert upkeep["runs"][0] == {
        "dag_id": "check_freshness",
        "run_id": "manual__2026-11-23T12:00:00+00:00",
        "state": "running",
        "run_type": "manual",
        "started_at": "2026-11-23T12:00:01Z",
        "ended_at": None,
        "url": f"{airflow[1]}/dags/check_freshness/runs/manual__2026-11-23T12%3A00%3A00%2B00%3A00",
    }


def test_a_token_serves_until_it_is_not_taken_any_more(airflow: tuple[AirflowServer, str]) -> None:
    stand_in, address = airflow
    settings = load_settings(airflow_url=address, airflow_password=SecretStr(PASSWORD))

    async def thrice() -> list[str]:
        async with httpx.AsyncClient(trust_env=False) as http:
            asked = Airflow(settings, http)
            first = [(await asked.upkeep()).status, (await asked.upkeep()).status]
            assert stand_in.logins == 1
            stand_in.expire()
            return [*first, (await asked.upkeep()).status]

    assert asyncio.run(thrice()) == ["ok", "ok", "ok"]
    assert stand_in.logins == 2


def test_an_airflow_that_is_off_away_or_refuses_says_why(airflow: tuple[AirflowServer, str], tmp_path: Path) -> None:
    (nowhere,) = ports.find_free(1)

    def status(**given: Any) -> str:
        async def one() -> str:
            async with httpx.AsyncClient(trust_env=False) as http:
                upkeep = await Airflow(load_settings(state_dir=tmp_path, **given), http).upkeep()
            assert upkeep.runs == []
            return upkeep.status

        return asyncio.run(one())

    password = SecretStr("not the password")
    assert status(airflow=False).startswith("off: ")
    assert status(airflow_url=airflow[1]) == UNKNOWN
    assert status(airflow_url=airflow[1], airflow_password=password) == REFUSED
    assert status(airflow_url=f"{airflow[1]}/elsewhere", airflow_password=password) == REFUSED
    assert status(airflow_port=nowhere, airflow_password=password) == "Airflow does not answer: ConnectError"
    assert "not the password" not in REFUSED + UNKNOWN


def test_only_points_after_a_moment_are_told_to_who_has_the_others(piped: Settings) -> None:
    with TestClient(create_app(piped, BagOfWords())) as client:
        body = until(client, lambda body: bool(body["history"]["points"]))
        at = body["history"]["points"][0]["at"]
        assert told(client, since=at)["history"]["points"] == []
        before = (datetime.fromisoformat(at) - timedelta(seconds=1)).isoformat()
        assert len(told(client, since=before)["history"]["points"]) == 1
        assert client.get("/v1/pipeline", params={"since": "yesterday"}).status_code == 422


def test_without_anything_it_still_answers_soon_and_says_what_is_away(tmp_path: Path) -> None:
    settings = free_settings(tmp_path, kafka_bootstrap_servers="127.0.0.1:1", postgres_dsn=NO_POSTGRES)
    with TestClient(create_app(settings, BagOfWords())) as client:
        begun = time.monotonic()
        body = told(client)
        assert time.monotonic() - begun < 5
        point = until(client, lambda body: bool(body["history"]["points"]))["history"]["points"][0]
    assert body["verdict"]["state"] == "unknown"
    assert body["verdict"]["because"].startswith("Kafka does not answer:")
    assert [one["name"] for one in body["processes"] if one["state"] != "away"] == ["api"]
    assert (body["checks"]["status"], body["upkeep"]["status"]) == ("Postgres does not answer", UNKNOWN)
    assert (body["pages"]["status"], body["pages"]["waiting"]) == ("Postgres does not answer", 0)
    assert (body["newest_searchable_at"], body["window"]["count"], body["sources"]) == (None, 0, [])
    measured = ("received_per_second", "lag_serve", "lag_indexer", "lag_lake", "searchable_per_second", "p50_ms")
    assert [point[name] for name in measured] == [None] * len(measured)


def test_a_store_that_is_not_set_up_yet_is_told_from_one_that_is_away(database: str, settings: Settings) -> None:
    body = ask(settings.model_copy(update={"postgres_dsn": SecretStr(database)}))
    assert body["verdict"]["because"] == "the store is not set up yet: its migrations have not run"
    (postgres,) = (one for one in body["processes"] if one["name"] == "postgres")
    assert (postgres["state"], postgres["detail"]) == ("not ready", "its migrations have not run")


def test_a_result_says_whether_it_supports_an_answer(store: str) -> None:
    far = document(title="Toll", comment="nothing else here but many more words on other things")
    insert(store, document(title="Bridge", comment="toll bridge"), far)
    with TestClient(create_app(load_settings(postgres_dsn=SecretStr(store)), BagOfWords())) as client:
        results = client.post("/v1/search", json={"query": "toll bridge"}).json()["results"]
    assert {one["title"]: one["supports"] for one in results} == {"Bridge": True, "Toll": False}
