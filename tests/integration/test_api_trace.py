"""A document followed back to its record, through a real broker and real Delta tables."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import psycopg
import pyarrow as pa
import pytest
from confluent_kafka import Producer
from deltalake import write_deltalake
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from api.models.documents import GoldOut
from freshet.addresses import MASK
from freshet.contract import topics
from freshet.contract.removals import Kind, Origin
from freshet.settings import Settings
from freshet.store import context, repository
from freshet.store.context import Seen
from freshet.store.migrate import migrate
from freshet.store.removals import Removal
from freshet.store.repository import Batch
from tests.api_builders import BagOfWords, insert
from tests.described import FUJI, MOUNTAIN, describe
from tests.documents import NOON, document

pytestmark = pytest.mark.integration

PAYLOAD = json.dumps({"title": "Brücke", "meta": {"id": "event-1"}}).encode()


@pytest.fixture
def traced(settings: Settings, database: str, tmp_path: Path) -> Settings:
    """Settings of a running broker, a migrated store and a lake of this test's own."""
    migrate(database)
    return settings.model_copy(update={"postgres_dsn": SecretStr(database), "lake_root": f"file://{tmp_path}/lake"})


@pytest.fixture
def client(traced: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(traced, BagOfWords())) as client:
        yield client


def produce(settings: Settings, payload: bytes) -> dict[str, Any]:
    """Write one raw record. Returns its coordinates as a document carries them."""
    reports: list[Any] = []
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    producer.produce(
        topics.RAW,
        payload,
        key="enwiki:Brücke",
        headers={topics.SOURCE: b"recording", topics.RECEIVED_AT: b"1763899200000"},
        on_delivery=lambda error, message: reports.append(message),
    )
    producer.flush(30)
    (message,) = reports
    return {
        "raw_topic": message.topic(),
        "raw_partition": message.partition(),
        "raw_offset": message.offset(),
        "raw_timestamp": datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC),
    }


def write_bronze(settings: Settings, place: dict[str, Any], payload: bytes) -> None:
    row = {
        "topic": place["raw_topic"],
        "partition": place["raw_partition"],
        "offset": place["raw_offset"],
        "kafka_timestamp": place["raw_timestamp"],
        "value": payload,
        "ingest_date": place["raw_timestamp"].date(),
    }
    others = [row | {"offset": row["offset"] + number, "value": b"other"} for number in (1, 2)]
    write_deltalake(settings.lake.table("bronze"), pa.Table.from_pylist([row, *others]), partition_by=["ingest_date"])


def write_silver(settings: Settings, event_time: datetime, *event_ids: str) -> None:
    rows = [{"event_id": one, "event_time": event_time, "title": f"of {one}"} for one in event_ids]
    write_deltalake(settings.lake.table("silver"), pa.Table.from_pylist(rows))


def test_a_document_is_traced_to_its_record_in_the_log(traced, client):
    place = produce(traced, PAYLOAD)
    row = document(doc_id="event-1", **place)
    insert(traced.conninfo, row)
    write_bronze(traced, place, PAYLOAD)
    write_silver(traced, row["event_time"], "event-0", "event-1")
    body = client.get("/v1/documents/event-1/trace").json()
    assert body["gold"]["title"] == row["title"]
    assert "words" not in body["gold"]
    assert body["silver"] == {"status": "found", "row": body["silver"]["row"]}
    assert body["silver"]["row"]["title"] == "of event-1"
    assert body["bronze"]["row"]["value"] == PAYLOAD.decode()
    assert body["raw"]["payload"].encode() == PAYLOAD
    assert (body["raw"]["found_in"], body["raw"]["offset"]) == ("kafka", place["raw_offset"])
    assert body["raw"]["headers"][topics.SOURCE] == "recording"
    assert body["versions"]["transform"] == "1"
    assert body["replay"] == f"freshet replay --offsets {body['raw']['partition']}:{body['raw']['offset']}"


def test_a_lake_that_has_not_committed_yet_is_a_normal_state(traced, client):
    insert(traced.conninfo, document(doc_id="fresh", **produce(traced, PAYLOAD)))
    body = client.get("/v1/documents/fresh/trace").json()
    assert body["silver"] == body["bronze"] == {"status": "not yet in the lake, which commits every 30 s", "row": None}
    assert body["raw"]["found_in"] == "kafka"


def test_a_row_that_the_lake_does_not_have_yet_is_told_from_its_neighbours(traced, client):
    place = produce(traced, PAYLOAD)
    row = document(doc_id="fresh", **place)
    insert(traced.conninfo, row)
    write_bronze(traced, place | {"raw_offset": place["raw_offset"] + 10}, PAYLOAD)
    write_silver(traced, row["event_time"], "another")
    body = client.get("/v1/documents/fresh/trace").json()
    assert body["silver"]["row"] is body["bronze"]["row"] is None


def test_past_retention_the_record_comes_from_bronze(traced, client):
    place = produce(traced, PAYLOAD) | {"raw_offset": 10**9}
    insert(traced.conninfo, document(doc_id="old", **place))
    write_bronze(traced, place, b"\xff\xfe")
    raw = client.get("/v1/documents/old/trace").json()["raw"]
    assert (raw["found_in"], raw["payload"], raw["encoding"]) == ("bronze", "//4=", "base64")
    assert "the log keeps offsets" in raw["status"]


def test_another_record_at_the_same_coordinates_is_not_taken_for_it(traced, client):
    place = produce(traced, b"something else")
    place["raw_timestamp"] -= timedelta(days=1)
    insert(traced.conninfo, document(doc_id="older", **place))
    raw = client.get("/v1/documents/older/trace").json()["raw"]
    assert (raw["payload"], raw["found_in"]) == (None, None)
    assert raw["status"] == "the log holds another record at these coordinates"


def test_an_unknown_document_is_a_problem(client):
    for path in ("/v1/documents/nothing", "/v1/documents/nothing/trace"):
        response = client.get(path)
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"


def test_a_trace_says_what_each_step_did(traced, client):
    place = produce(traced, PAYLOAD)
    row = document(doc_id="event-1", title="Brücke", **place)
    insert(traced.conninfo, row)
    write_silver(traced, row["event_time"], "event-1")
    first, second = client.get("/v1/documents/event-1/trace").json()["steps"]
    assert (first["from"], first["to"], second["from"], second["to"]) == ("raw", "silver", "silver", "gold")
    assert first["changed"] == [{"field": "title", "before": "Brücke", "after": "of event-1"}]
    assert {change["field"]: change["after"] for change in second["changed"]} == {"title": "Brücke"}
    assert {"doc_id", "text", "content_hash"} <= set(second["added"])


def test_a_step_to_a_layer_that_is_not_there_is_null(traced, client):
    insert(traced.conninfo, document(doc_id="fresh", **produce(traced, PAYLOAD)))
    for step in client.get("/v1/documents/fresh/trace").json()["steps"]:
        assert (step["added"], step["changed"], step["dropped"]) == (None, None, None)


@pytest.mark.parametrize("doc_id", ["' OR 1=1 --", "x'; DROP TABLE documents; --", "%s", "%(doc_id)s", "{}", "$1"])
def test_an_id_is_never_read_as_a_statement(traced, client, doc_id):
    insert(traced.conninfo, document(doc_id="one"))
    assert client.get(f"/v1/documents/{quote(doc_id)}").status_code == 404
    assert client.get("/v1/documents/one").status_code == 200


def test_a_document_is_null_only_where_the_store_may_be(traced):
    with psycopg.connect(traced.conninfo) as connection:
        nullable = dict(
            connection.execute(
                "SELECT column_name, is_nullable = 'YES' FROM information_schema.columns WHERE table_name = 'documents'"
            ).fetchall()
        )
    said = {name: type(None) in get_args(field.annotation) for name, field in GoldOut.model_fields.items()}
    assert said == {name: nullable[name] for name in said}


def test_a_document_is_given_whole(traced, client):
    insert(traced.conninfo, document(doc_id="one", title="Bridge", quality_flags=["no_summary"]))
    body = client.get("/v1/documents/one").json()
    assert (body["title"], body["quality_flags"]) == ("Bridge", ["no_summary"])
    assert body["page"] is None


def test_a_document_says_what_its_page_is_and_its_trace_how_that_came_to_be_known(traced, client):
    insert(traced.conninfo, document(doc_id="one", wiki=FUJI.wiki, title=FUJI.title))
    assert client.get("/v1/documents/one/trace").json()["page"]["status"] == "no edit of it was noted yet"

    with psycopg.connect(traced.conninfo, autocommit=True) as connection:
        describe(connection, {FUJI: MOUNTAIN})
    known = {
        "item_id": "Q39231",
        "item_url": "https://www.wikidata.org/wiki/Q39231",
        "label": "Mount Fuji",
        "description": "volcano in Japan",
        "origin": "Wikidata",
        "licence": "CC0",
    }
    assert client.get("/v1/documents/one").json()["page"] == known
    page = client.get("/v1/documents/one/trace").json()["page"]
    assert (page["status"], page["known"], page["stale"], page["waiting_since"]) == ("known", known, False, None)
    assert page["fetched_at"]


def test_who_is_no_wikidata_is_named_as_who_he_is_and_has_no_items_to_link_to(traced, client):
    insert(traced.conninfo, document(doc_id="one", wiki=FUJI.wiki, title=FUJI.title))
    with psycopg.connect(traced.conninfo, autocommit=True) as connection:
        describe(connection, {FUJI: MOUNTAIN}, origin="simulated")
    page = client.get("/v1/documents/one").json()["page"]
    assert (page["origin"], page["licence"], page["item_url"]) == ("simulated", None, None)


def test_a_trace_says_that_a_page_waits_that_it_was_asked_about_in_vain_and_that_nothing_is_known(traced, client):
    insert(traced.conninfo, document(doc_id="one", wiki=FUJI.wiki, title=FUJI.title))

    def traced_page() -> dict[str, Any]:
        page: dict[str, Any] = client.get("/v1/documents/one/trace").json()["page"]
        assert page["known"] is None
        return page

    with psycopg.connect(traced.conninfo, autocommit=True) as connection:
        context.note_seen(connection, {FUJI: Seen(NOON, NOON)})
        waiting = traced_page()
        assert (waiting["status"], waiting["waiting_since"]) == ("waits to be asked about", "2026-11-23T12:00:00Z")
        context.note_failure(connection, [FUJI], "HTTP 503")
        failing = traced_page()
        assert (failing["status"], failing["attempts"], failing["error"]) == (
            "could not be asked about yet", 1, "HTTP 503",
        )  # fmt: skip
        describe(connection, {FUJI: None})
        assert traced_page()["status"] == "nothing is known of it"
        context.forget(connection, [FUJI])
        assert traced_page()["status"] == "deleted: it is asked about again when it is edited"


SECRET = "Brücke"


def removed(conninfo: str, row: dict[str, Any], removal: Removal) -> None:
    """The document was there, and was removed."""
    insert(conninfo, row)
    with repository.connect(conninfo) as connection:
        repository.write(connection, Batch([], [], removals=[removal]))


@pytest.mark.parametrize(
    ("kind", "name", "origin", "reason"),
    [
        (Kind.PAGE, SECRET, Origin.STREAM, "its page was deleted"),
        (Kind.REVISION, "200", Origin.STREAM, "its text, summary or user was hidden on the wiki"),
        (Kind.USER, "Ada", Origin.HAND, "its user was removed by hand"),
        (Kind.EVENT, "event-1", Origin.HAND, "it was removed by hand"),
    ],
)
def test_of_a_removed_document_is_said_when_and_why_and_nothing_else(traced, client, kind, name, origin, reason):
    place = produce(traced, PAYLOAD)
    row = document(doc_id="event-1", title=SECRET, revision_id=200, user_name="Ada", **place)
    write_bronze(traced, place, PAYLOAD)
    write_silver(traced, row["event_time"], "event-1")
    wiki = "" if kind is Kind.EVENT else "enwiki"
    removed(traced.conninfo, row, Removal(kind, wiki, [name], NOON, origin))
    answer = client.get("/v1/documents/event-1/trace")
    body = answer.json()
    assert answer.status_code == 200
    assert (body["status"], body["kind"], body["origin"], body["reason"]) == ("removed", kind, origin, reason)
    assert (body["lake_at"], body["lifted"]) == (None, False)
    assert datetime.fromisoformat(body["removed_at"]) > NOON - timedelta(days=365)
    gone = client.get("/v1/documents/event-1")
    assert gone.status_code == 410
    assert reason in gone.json()["detail"]
    for text in (answer.text, gone.text):
        assert "Ada" not in text
        assert "Br" not in text
        assert "payload" not in text


def test_what_was_removed_and_shown_again_on_the_wiki_says_so(traced, client):
    place = produce(traced, PAYLOAD)
    row = document(doc_id="event-1", title=SECRET, **place)
    removed(traced.conninfo, row, Removal(Kind.PAGE, "enwiki", [SECRET], NOON, event_id="a"))
    again = Removal(Kind.PAGE, "enwiki", [SECRET], NOON + timedelta(hours=1), lifts=True, event_id="b")
    with repository.connect(traced.conninfo) as connection:
        repository.write(connection, Batch([], [], removals=[again]))
    body = client.get("/v1/documents/event-1/trace").json()
    assert body["lifted"]
    at = f"{place['raw_partition']}:{place['raw_offset']}"
    assert body["replay"] == f"freshet replay --offsets {at} --resend --apply"


def test_no_address_of_a_person_is_in_a_trace(traced, client):
    payload = json.dumps({"title": "User talk:192.0.2.1", "user": "2001:DB8::1", "comment": "by 192.0.2.1"}).encode()
    place = produce(traced, payload)
    row = document(
        doc_id="event-1", title="User talk:192.0.2.1", user_name="2001:DB8::1", user_kind="ip", comment="by 192.0.2.1",
        reverted_user="192.0.2.1", page_url="https://en.wikipedia.org/wiki/User_talk:192.0.2.1", **place,
    )  # fmt: skip
    insert(traced.conninfo, row)
    write_bronze(traced, place, payload)
    write_silver(traced, row["event_time"], "event-1")
    for path in ("/v1/documents/event-1", "/v1/documents/event-1/trace"):
        text = client.get(path).text
        assert "192.0.2.1" not in text
        assert "2001:DB8" not in text
        assert MASK in text
