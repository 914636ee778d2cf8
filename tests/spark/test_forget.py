"""What was removed leaves the lake, once and for good; on a real register, beside the query that writes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from deltalake import DeltaTable
from psycopg import Connection
from pydantic import SecretStr
from pyspark.sql import SparkSession

from freshet.contract.removals import Kind, Origin, target
from freshet.lake import LAYERS
from freshet.settings import Settings
from freshet.store import covered, removals, removed
from freshet.store.migrate import migrate
from freshet.store.removals import Removal
from freshet.upkeep import removing
from freshet.upkeep.replay import Chunk, Range
from spark_jobs import forget
from spark_jobs.batch import write_batch
from spark_jobs.replay import prepared
from spark_jobs.tables import create_tables
from tests.spark.builders import RULE, Record, event, frame, raw

pytestmark = pytest.mark.spark

LATER = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def lake(spark: SparkSession, lake_settings: Settings, database: str) -> Settings:
    """Settings of an empty lake and an empty register."""
    migrate(database)
    create_tables(spark, lake_settings.lake)
    return lake_settings.model_copy(update={"postgres_dsn": SecretStr(database)})


@pytest.fixture
def connection(lake: Settings) -> Iterator[Connection]:
    with psycopg.connect(lake.conninfo, autocommit=True) as connection:
        yield connection


def put(spark: SparkSession, settings: Settings, *records: Record) -> None:
    write_batch(frame(spark, records), settings.lake, RULE)


def remove(connection: Connection, kind: Kind, name: str, **given: Any) -> None:
    given = {"until": LATER, "origin": Origin.HAND, **given}
    with connection.transaction():
        removals.enter(connection, [Removal(kind, "" if kind is Kind.EVENT else "enwiki", [name], **given)])


def held(settings: Settings) -> dict[str, list[int]]:
    """The raw offsets of every layer's rows."""
    column = {"silver": "raw_offset", "gold": "raw_offset", "bronze": "offset", "rejected": "offset"}
    return {
        layer: sorted(DeltaTable(settings.lake.table(layer)).to_pyarrow_table()[column[layer]].to_pylist())
        for layer in LAYERS
    }


def waiting(settings: Settings, connection: Connection) -> tuple[int, bool]:
    return removed.waiting(connection), removed.due(settings.conninfo)


def deleted_page(lake: Settings, spark: SparkSession) -> None:
    """A page's edit, its bot's edit, another page's edit, the log event of the deletion, and a later edit."""
    put(
        spark,
        lake,
        raw(event(), 0),
        raw(event(bot=True), 1),
        raw(event(title="Ice", user="Bo"), 2),
        raw(event(type="log", log_type="delete", log_action="delete", revision=..., length=...), 3),
        raw(event(meta__dt="2026-11-24T10:00:00Z"), 4),
    )


def test_edits_of_a_page_deleted_by_the_stream_leave_silver_and_gold_and_no_replay_brings_them_back(
    spark: SparkSession, lake: Settings, connection: Connection
) -> None:
    deleted_page(lake, spark)
    remove(connection, Kind.PAGE, "Snow", origin=Origin.STREAM, event_id="log")
    assert waiting(lake, connection) == (0, True)
    before = held(lake)
    dry = removing.run(lake, apply=False)
    counted = {"bronze": 0, "silver": 2, "gold": 1, "rejected": 0}
    assert (dry["applied"], dry["removals"], dry["rows"]) == (False, 1, counted)
    assert forget.run(spark, lake, apply=False)["rows"] == counted
    assert (held(lake), waiting(lake, connection)) == (before, (0, True))
    assert removing.run(lake, apply=True)["rows"] == dry["rows"]
    after = {"bronze": [0, 1, 2, 3, 4], "silver": [2, 3, 4], "gold": [2, 4], "rejected": []}
    assert held(lake) == after
    assert waiting(lake, connection) == (0, False)
    assert [value.count('"removal"') for value in replayed(spark, lake)] == [1, 0, 0, 0]
    assert held(lake) == after
    forget.vacuum(spark, lake.model_copy(update={"compact_keep_hours": 0}))
    of_table = {Path(uri).name for uri in DeltaTable(lake.lake.table("silver")).file_uris()}
    assert kept_files(lake, "silver") == of_table


def replayed(spark: SparkSession, lake: Settings) -> list[str]:
    """Replay all of bronze and send all of it again: the removal, two documents, and an event that is none."""
    sent: list[str] = []
    everything = Chunk("bronze", (Range(0, 0, 4),))
    with prepared(spark, lake, everything, removed=removals.standing(lake.conninfo), resend=True) as made:
        made.apply(lambda messages, _: sent.extend(bytes(row["value"]).decode() for row in messages.collect()))
    return sorted(sent, key=lambda value: '"removal"' not in value)


def kept_files(settings: Settings, layer: str) -> set[str]:
    """Names of all data files in a table's folder, those of before as well."""
    folder = Path(settings.lake.table(layer).removeprefix("file://"))
    return {file.name for file in folder.glob("*.parquet")}


def test_by_hand_it_leaves_every_table_with_copies_and_rejected_records(
    spark: SparkSession, lake: Settings, connection: Connection
) -> None:
    edit = event()
    put(spark, lake, raw(edit, 0), raw(edit, 1), raw(event(title="Ice", user="Bo"), 2), raw(event(type="log"), 3))
    put(spark, lake, raw(event(meta__dt="yesterday"), 4), Record(b"Snow", 5))
    ice = {"title": "Ice", "revision": {"old": 1, "new": 2}}
    of_others = (ice | {"user": "Cy"}, ice | {"user": "Bo", "meta__id": "e-1"}, {"title": "Ice", "user": "Bo"})
    put(spark, lake, *(raw(event(**one), 6 + number) for number, one in enumerate(of_others)))
    asked = forget.asked_for(f"page:{target(Kind.PAGE, 'enwiki', 'Snow')}")
    counted = forget.run(spark, lake, apply=False, asked=asked)["rows"]
    assert counted == {"bronze": 4, "silver": 2, "gold": 1, "rejected": 1}
    remove(connection, Kind.PAGE, "Snow", until=datetime.now(UTC))
    remove(connection, Kind.USER, "Cy")
    remove(connection, Kind.EVENT, "e-1")
    remove(connection, Kind.REVISION, "200", origin=Origin.STREAM, event_id="log")
    forget.run(spark, lake, apply=True)
    # what is no event names no page, and what the stream removes stays as it was received
    assert held(lake) == {"bronze": [2, 5, 8], "silver": [], "gold": [], "rejected": [5]}
    why = dict(connection.execute("SELECT raw_offset, origin FROM removed_events").fetchall())
    assert why == dict.fromkeys((0, 3, 4, 6, 7), "hand") | dict.fromkeys((2, 8), "stream")


@pytest.mark.long
def test_a_run_that_was_cut_off_is_finished_by_the_next_which_finds_what_came_late(
    spark: SparkSession, lake: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted_page(lake, spark)
    remove(connection, Kind.PAGE, "Snow", origin=Origin.STREAM, event_id="log")
    whole = covered.delete

    def killed(table: DeltaTable, rows: Any) -> int:
        if table.table_uri.rstrip("/").endswith("gold"):
            raise KeyboardInterrupt
        return whole(table, rows)

    with monkeypatch.context() as patched:
        patched.setattr(covered, "delete", killed)
        with pytest.raises(KeyboardInterrupt):
            removing.run(lake, apply=True)
    assert (held(lake)["silver"], held(lake)["gold"]) == ([2, 3, 4], [0, 2, 4])
    assert waiting(lake, connection) == (2, True)
    put(spark, lake, raw(event(), 5))
    # the bot's row is in neither any more, and was noted long ago
    connection.execute("UPDATE removed_events SET removed_at = removed_at - interval '1 hour'")
    removing.run(lake, apply=True)
    assert held(lake) == {"bronze": [0, 1, 2, 3, 4, 5], "silver": [2, 3, 4], "gold": [2, 4], "rejected": []}
    assert waiting(lake, connection) == (0, False)


@pytest.mark.long
def test_the_lake_query_writes_on_meanwhile(spark: SparkSession, lake: Settings, connection: Connection) -> None:
    deleted_page(lake, spark)
    remove(connection, Kind.PAGE, "Snow")
    with ThreadPoolExecutor(1) as pool:
        writing = [pool.submit(put, spark, lake, raw(event(title="Rime", user="Cy"), at)) for at in (10, 11)]
        forget.run(spark, lake, apply=True)
        for one in writing:
            one.result()
    rows = [2, 4, 10, 11]
    assert held(lake) == {"bronze": rows, "silver": rows, "gold": rows, "rejected": []}
