"""From edits to a cited answer through the whole stack, with processes killed on the way, and the books balanced.

The tests stand in the order of one story and share one stack.
"""

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import uuid4

import httpx
import psutil
import psycopg
import pytest
from confluent_kafka import Producer
from deltalake import DeltaTable, write_deltalake

from freshet import airflow_client as client
from freshet.contract import topics
from freshet.store import busy
from freshet.telemetry import metrics
from local import guard, scraping
from local.supervision import run_folder
from tests.e2e import exposed
from tests.observing import AIRFLOW, Prometheus, empty, left_over
from tests.stacks import Stack, eventually

pytestmark = pytest.mark.e2e


def freshness(stack: Stack) -> dict[str, object]:
    return dict(httpx.get(f"http://127.0.0.1:{stack.settings.api_port}/v1/freshness", timeout=10).json())


def imbalances(stack: Stack, wait_s: int = 3) -> set[tuple[str, str, str]]:
    report = stack.json("audit", "--wait", str(wait_s))
    return {(row["store"], row["kind"], named) for row in report["imbalances"] for named in row["ids"]}


class ByHand(NamedTuple):
    """What somebody took out of the stores."""

    document: str
    event_id: str
    places: tuple[str, str]
    """Where the raw records of both are."""


@pytest.fixture(scope="module")
def by_hand(stack: Stack) -> Iterator[ByHand]:
    """A document removed from the index, a row of silver removed, and a row of bronze doubled, for a while."""
    with psycopg.connect(stack.settings.conninfo) as store:
        ((document, partition, offset),) = store.execute(
            "DELETE FROM documents WHERE doc_id = (SELECT min(doc_id) FROM documents)"
            " RETURNING doc_id, raw_partition, raw_offset"
        ).fetchall()
    bronze = DeltaTable(stack.settings.lake.table("bronze"))
    row = bronze.to_pyarrow_table(filters=[("partition", "=", 0), ("offset", "=", 0)])
    write_deltalake(bronze, row, mode="append")
    silver = DeltaTable(stack.settings.lake.table("silver"))
    columns = ["event_id", "raw_partition", "raw_offset"]
    rows = silver.to_pyarrow_table(columns=columns, filters=[("event_id", "!=", document)]).to_pylist()
    # the audit shows the first of those that are missing, and the lake is always some behind
    place, event_id = min((f"{row['raw_partition']}:{row['raw_offset']}", row["event_id"]) for row in rows)
    silver.delete(f"event_id = '{event_id}'")
    places = f"{partition}:{offset}", place
    yield ByHand(document, event_id, places)
    bronze = DeltaTable(stack.settings.lake.table("bronze"))
    bronze.delete("partition = 0 AND offset = 0")
    write_deltalake(bronze, row, mode="append")


def test_every_process_is_ready_and_status_says_so(stack: Stack) -> None:
    watching = {"prometheus", "alertmanager"} if shutil.which("prometheus") else set()
    # a start does not wait for Airflow
    stack.until_healthy()
    assert {row["name"] for row in stack.json("status")["processes"]} == {
        "kafka", "postgres", "eventstreams", "producer", "serve", "lake", "indexer", "context", "api", "ui", "wikidata",
        "airflow-api-server", "airflow-scheduler", "airflow-dag-processor", "exporter", *watching,
    }  # fmt: skip


def test_nothing_of_it_is_reached_from_another_machine(stack: Stack) -> None:
    found = {name: exposed.open_beyond(of) for name, of in exposed.processes(stack).items()}
    assert {name for name, (count, _) in found.items() if count} >= {"kafka", "postgres", "serve", "api", "ui"}
    assert not {name: beyond for name, (_, beyond) in found.items() if beyond}


def test_secrets_are_in_files_of_their_owner_and_where_they_are_needed(stack: Stack) -> None:
    folder, secrets = stack.settings.state_dir / "secrets", exposed.secrets(stack)
    assert len(secrets) == 6
    assert exposed.mode(folder) == 0o700
    assert {exposed.mode(file) for file in folder.iterdir()} == {0o600}
    assert {file.parent for file in exposed.files_with(stack, secrets)} == {folder}
    assert exposed.mode(stack.settings.state_dir / "logs") == 0o700
    lines = exposed.command_lines()
    assert "supervisord" in lines
    assert not [secret for secret in secrets if secret in lines]
    assert not [page for page in exposed.error_pages(stack) if any(secret in page for secret in secrets)]
    assert exposed.who_has(stack, {stack.settings.openai_api_key.get_secret_value()}) == {"api"}
    airflow = {"airflow-scheduler", "airflow-dag-processor"}
    assert exposed.who_has(stack, secrets) - {"api", "airflow-api-server"} == airflow


def test_edits_become_searchable(stack: Stack) -> None:
    eventually(lambda: int(str(freshness(stack)["documents"])) >= 50)


def test_pages_are_described_beside_the_stream(stack: Stack) -> None:
    def described() -> int:
        return int(str(stack.json("status")["figures"]["pages"]).split()[0])

    eventually(lambda: described() >= 20)


def test_a_question_gets_an_answer_that_cites_the_exact_edits(stack: Stack) -> None:
    with psycopg.connect(stack.settings.conninfo) as store:
        title = busy.busiest(store, language="en")
    answer = stack.json("ask", f"What is changing about {title}?")
    assert answer["outcome"] == "grounded"
    cited = {int(number) for number in re.findall(r"\[(\d+)\]", answer["answer"])}
    assert cited == {citation["n"] for citation in answer["citations"]}
    assert title in {citation["title"] for citation in answer["citations"]}
    assert all(citation["page_url"].startswith("https://") for citation in answer["citations"])


def test_a_document_is_traced_to_its_raw_event(stack: Stack) -> None:
    found = stack.json("search", "football")["results"][0]
    trace = stack.json("trace", found["doc_id"])
    assert found["doc_id"] in trace["raw"]["payload"]
    assert trace["gold"]["raw_offset"] == trace["raw"]["offset"]


def test_the_lake_gives_way_to_the_others(stack: Stack) -> None:
    pids = {row["name"]: row["pid"] for row in stack.json("status")["processes"]}
    niceness = {name: psutil.Process(pid).nice() for name, pid in pids.items()}
    assert niceness["lake"] > niceness["serve"] == niceness["indexer"]


@pytest.mark.long
def test_the_running_stack_is_measured_without_writing_into_it(stack: Stack) -> None:
    def databases() -> list[str]:
        with psycopg.connect(stack.settings.conninfo) as store:
            return sorted(name for (name,) in store.execute("SELECT datname FROM pg_database"))

    before = databases()
    index = stack.json("bench", "index", "--running", "--documents", "20")
    assert index["documents"] >= 20
    assert index["distinct_texts"] > 0
    lake = stack.json("bench", "lake", "--running")
    assert lake["events"] > 0
    assert lake["events_per_second"] > 0
    assert databases() == before


def test_killed_processes_come_back_and_the_books_balance(stack: Stack) -> None:
    for name in ("producer", "indexer", "serve", "lake"):
        stack.kill(name)
    stack.until_healthy()
    report = stack.json("audit", "--wait", "180")
    assert report["balanced"], report
    assert report["counts"]["documents"] == report["counts"]["gold"] > 0


def two_of(stack: Stack, wiki: str) -> list[tuple[str, str]]:
    """Two documents of a wiki, and their titles."""
    with psycopg.connect(stack.settings.conninfo) as store:
        pages = "SELECT min(doc_id), title FROM documents WHERE wiki = %s GROUP BY title ORDER BY 1 LIMIT 2"
        return store.execute(pages, (wiki,)).fetchall()


def delete_on_wiki(stack: Stack, wiki: str, title: str) -> None:
    """A log event of a deletion, as the producer sends it."""
    meta = {"id": str(uuid4()), "dt": datetime.now(UTC).isoformat(), "domain": "en.wikipedia.org"}
    log_event = {
        "meta": meta,
        "wiki": wiki,
        "title": title,
        "type": "log",
        "log_type": "delete",
        "log_action": "delete",
    }
    producer = Producer({"bootstrap.servers": stack.settings.bootstrap_servers})
    producer.produce(topics.RAW, json.dumps(log_event), f"{wiki}:{title}", headers={topics.SOURCE: b"recording"})
    assert producer.flush(30) == 0


@pytest.mark.long
def test_what_a_wiki_or_a_hand_removes_is_in_no_store_and_the_books_balance(stack: Stack) -> None:
    (by_hand, _), (deleted, title) = two_of(stack, "enwiki")
    delete_on_wiki(stack, "enwiki", title)
    eventually(lambda: stack.json("trace", deleted).get("status") == "removed")
    done = stack.json("forget", "--event", by_hand, "--apply", "--no-wait")
    assert done["index"]["documents"] == 1

    def in_gold() -> set[str]:
        table = DeltaTable(stack.settings.lake.table("gold")).to_pyarrow_table(columns=["doc_id"])
        return {by_hand, deleted} & set(table["doc_id"].to_pylist())

    # a scheduled run may come first
    eventually(lambda: not in_gold(), 600)
    with client.connect(stack.settings) as airflow:
        eventually(lambda: all(run["state"] in client.ENDED for run in airflow.runs("forget")), 600)
    bronze = DeltaTable(stack.settings.lake.table("bronze")).to_pyarrow_table(columns=["value"])["value"].to_pylist()
    assert [sum(one.encode() in value for value in bronze) for one in (by_hand, deleted)] == [0, 1]
    assert stack.json("trace", by_hand)["reason"] == "it was removed by hand"
    report = stack.json("audit", "--wait", "180")
    assert report["balanced"], report
    assert report["counts"]["removed"] >= 2
    assert report["counts"]["removed and waiting in the lake"] == 0


def test_what_was_changed_by_hand_is_named_by_the_audit(stack: Stack, by_hand: ByHand) -> None:
    assert stack.run("audit", "--wait", "3").returncode == 1
    found = imbalances(stack)
    assert {("documents", "missing", by_hand.document), ("bronze", "doubled", "0:0")} <= found
    lost = {named for store, kind, named in found if (store, kind) == ("silver or rejected", "missing")}
    assert any(named.endswith(by_hand.event_id) for named in lost)


def replayed_silver(stack: Stack, by_hand: ByHand, *how: str) -> dict[str, int]:
    of_document, of_event = by_hand.places
    report = stack.json("replay", "--offsets", of_document, "--offsets", of_event, *how)
    silver: dict[str, int] = report["total"]["layers"]["silver"]
    return silver


def test_a_replay_repairs_what_was_removed(stack: Stack, by_hand: ByHand) -> None:
    done = replayed_silver(stack, by_hand, "--resend", "--apply")
    assert done == {"inserted": 1, "changed": 0, "deleted": 0, "unchanged": 1}
    # until the lake has caught up, what it has still to do is missing as well
    assert not {store for store, _, _ in imbalances(stack, 180)} & {"silver or rejected", "documents"}


def test_after_a_replay_another_finds_nothing_to_do(stack: Stack, by_hand: ByHand) -> None:
    assert replayed_silver(stack, by_hand) == {"inserted": 0, "changed": 0, "deleted": 0, "unchanged": 2}


def test_a_replay_of_what_is_not_there_says_what_is(stack: Stack) -> None:
    done = stack.run("replay", "--offsets", "0:0-999999999")
    assert done.returncode == 1
    assert "beyond the end of the log; partition 0 has 0 to" in done.stderr


def test_how_fresh_every_layer_is_gets_checked_by_schedule(stack: Stack) -> None:
    with client.connect(stack.settings) as airflow:
        eventually(lambda: any(run["state"] in client.ENDED for run in airflow.runs("check_freshness")))
        latest = next(run for run in airflow.runs("check_freshness") if run["state"] in client.ENDED)
        report = airflow.result("check_freshness", latest["dag_run_id"], "check")
    assert {"source_silence", "indexer_lag", "searchable_age", "lake_age"} <= {one["name"] for one in report["checks"]}
    assert report["kept"] == "ok"


def test_the_queries_have_room_for_their_compiled_code(stack: Stack) -> None:
    for port in (stack.settings.serve_metrics_port, stack.settings.lake_metrics_port):
        shown = {(one.name, one.labels.get("pool")): one.value for one in scraping.samples(scraping.page(port, 30))}
        full = {
            pool: used / shown[metrics.JVM_CODE_MAX[0], pool]
            for (name, pool), used in shown.items()
            if name == metrics.JVM_CODE[0]
        }
        assert full
        assert not {pool: share for pool, share in full.items() if share > 0.8}


@pytest.mark.skipif(not shutil.which("prometheus"), reason="no Prometheus: apt-get install prometheus")
def test_whatever_dashboards_and_rules_read_of_airflow_is_there(stack: Stack) -> None:
    prometheus = Prometheus(stack)
    assert not left_over(lambda: empty(prometheus, lambda text: AIRFLOW in text))


def test_down_leaves_no_process_behind(stack: Stack) -> None:
    files = run_folder(stack.settings).glob("*.pid")
    processes = [process for file in files if (process := guard.process_of(file))]
    assert processes
    everything = [*processes, *(child for process in processes for child in process.children(recursive=True))]
    assert stack.run("down").returncode == 0
    gone, alive = psutil.wait_procs(everything, timeout=10)
    assert not alive, gone
