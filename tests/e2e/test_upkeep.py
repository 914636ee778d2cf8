"""Repair and upkeep of a running stack by Airflow, over its REST interface and by the command.

The tests stand in the order of one story: the rule of what is a document changes and all is replayed, a job is killed,
the serve query and the producer stop in turn, and what the producer missed is filled. The stack is that of the tests
before, started again under other settings.
"""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from deltalake import DeltaTable

from freshet import airflow_client as client
from freshet.store import upkeep
from tests.e2e.changing import (
    FLAWED,
    Changed,
    check,
    damage,
    ended,
    expected,
    jobs,
    restart,
    stop,
    until_checked,
)
from tests.stacks import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(2400)]


def test_a_changed_rule_makes_documents_appear_change_and_vanish_by_a_replay(changed: Changed) -> None:
    after = expected(changed)
    appearing, vanishing = after - changed.before, changed.before - after
    assert appearing
    assert vanishing
    total = changed.replay("--resend", "--apply")
    assert total["layers"]["gold"] == {
        "inserted": len(appearing),
        "changed": 1,
        "deleted": len(vanishing),
        "unchanged": len(after & changed.before) - 1,
    }
    assert {row["doc_id"] for row in changed.rows("gold", "doc_id")} == after
    eventually(lambda: changed.documents().keys() == after, 300)
    assert changed.documents()[changed.flawed] != FLAWED


def test_what_appeared_is_found_and_what_vanished_is_not(changed: Changed) -> None:
    titles = {row["event_id"]: row["title"] for row in changed.rows("silver", "event_id", "title")}
    after = expected(changed)
    for doc_id, there in ((min(after - changed.before), True), (min(changed.before - after), False)):
        found = changed.stack.json("search", titles[doc_id], "--limit", "50")["results"]
        assert (
            doc_id in {row["doc_id"] for row in found} | {other for row in found for other in row["others"]}
        ) == there


def test_a_second_replay_changes_nothing_and_the_books_balance(changed: Changed) -> None:
    total = changed.replay("--apply")
    for actions in total["layers"].values():
        assert {action for action, count in actions.items() if count} <= {"unchanged"}
    assert (total["republished"], total["removed"]) == (0, 0)
    report = changed.stack.json("audit", "--wait", "180")
    assert report["balanced"], report


def test_a_killed_replay_is_tried_again_and_ends_in_the_same_state(changed: Changed) -> None:
    before = changed.documents()
    flawed = damage(changed.settings, changed.at, 200)
    places = changed.rows("silver", "raw_partition", "raw_offset")
    until = max(row["raw_offset"] for row in places if row["raw_partition"] == 0)
    with client.connect(changed.settings) as airflow:
        run_id = airflow.trigger("replay_offsets", {"offsets": [f"0:0-{until}"], "dry_run": False})
        # what is about to be done is kept before anything is done
        eventually(lambda: bool(upkeep.reports(changed.settings.conninfo, "replay_offsets", run_id)), 400)
        (job,) = jobs(changed)
        job.kill()
        assert ended(changed, "replay_offsets", run_id) == "success"
        (task,) = [task for task in airflow.tasks("replay_offsets", run_id) if task["task_id"] == "replay"]
        assert task["try_number"] == 2
        assert airflow.result("replay_offsets", run_id, "report")["total"]["layers"]["gold"]["changed"] == len(flawed)
    texts = {row["doc_id"]: row["text"] for row in changed.rows("gold", "doc_id", "text")}
    assert texts == before
    eventually(lambda: changed.documents() == before)


def test_a_replay_that_takes_too_long_is_alerted_once(changed: Changed) -> None:
    def overdue() -> list[str]:
        return [body["run"] for body in changed.alerts.bodies if body["event"] == "overdue"]

    eventually(lambda: len(overdue()) >= 2)
    assert len(set(overdue())) == len(overdue())


@pytest.mark.parametrize(("name", "of"), [("serve", "silver_age"), ("producer", "source_silence")])
def test_what_has_stopped_is_a_breach_that_is_told_once(changed: Changed, name: str, of: str) -> None:
    until_checked(changed, lambda breaches: of not in breaches)
    stop(changed, name)
    until_checked(changed, lambda breaches: of in breaches)
    assert of in check(changed)
    assert len(changed.told(of, "begun", changed.stopped[name])) == 1
    if name == "serve":
        restart(changed, name)


def test_a_gap_is_filled_although_the_producer_is_away(changed: Changed) -> None:
    since, until = changed.stopped["producer"] + timedelta(seconds=2), datetime.now(UTC)
    span = "--since", since.isoformat(), "--until", until.isoformat()
    total = changed.stack.json("backfill", *span, "--apply")["total"]
    assert total["sent"] > (until - since).total_seconds()
    assert changed.stack.json("backfill", *span, "--apply")["total"]["sent"] == 0

    def filled() -> int:
        with psycopg.connect(changed.settings.conninfo) as store:
            query = "SELECT count(*) FROM documents WHERE source = 'backfill' AND event_time BETWEEN %s AND %s"
            return int(store.execute(query, (since, until)).fetchall()[0][0])

    eventually(lambda: filled() > 0)


@pytest.mark.parametrize(("name", "of"), [("serve", "silver_age"), ("producer", "source_silence")])
def test_a_breach_that_is_over_is_told_once(changed: Changed, name: str, of: str) -> None:
    if name == "producer":
        restart(changed, name)
    until_checked(changed, lambda breaches: of not in breaches)
    since = changed.stopped[name]
    eventually(lambda: changed.told(of, "ended", since) == changed.told(of, "begun", since))
    assert len(set(changed.told(of, "begun", since))) == len(changed.told(of, "begun", since)) > 0


def test_the_lake_is_compacted_while_its_query_goes_on(changed: Changed) -> None:
    began, query = datetime.now(UTC), changed.stack.process("lake")
    with client.connect(changed.settings) as airflow:
        run_id = airflow.trigger("compact_gold", {"dry_run": False})
        assert ended(changed, "compact_gold", run_id) == "success"
        parts = airflow.result("compact_gold", run_id, "report")["parts"]
    assert parts["lake"]["applied"]
    assert parts["postgres"]["applied"]
    commits = DeltaTable(changed.settings.lake.table("gold")).history()
    done = {commit["operation"] for commit in commits if commit["timestamp"] >= began.timestamp() * 1000}
    assert {"OPTIMIZE", "MERGE"} <= done
    assert changed.stack.process("lake") == query


def test_after_all_that_nothing_is_missing_and_nothing_is_there_twice(changed: Changed) -> None:
    report = changed.stack.json("audit", "--wait", "180")
    assert report["balanced"], report
    assert report["counts"]["duplicates in raw"] > 0
