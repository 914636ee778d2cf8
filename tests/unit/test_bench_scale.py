"""What the measurement of each stage comes to."""

import json
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest

from freshet.errors import PermanentError
from local.bench import backlog, scale, usage
from local.bench.growth import Measured, figures, lines, said
from local.bench.scale import follow
from local.bench.sizing import sizing
from local.bench.usage import UsageHistory

ONE = Measured("serve", 1, 1, units=1_000, seconds=10, cpu_seconds={"serve": 5.0, "kafka": 2.5})
TWO = Measured("serve", 2, 1, units=3_000, seconds=10, cpu_seconds={"serve": 12.0, "kafka": 5.0})


def test_a_rate_is_told_with_the_cores_that_it_took_and_what_worked_beside_it() -> None:
    (row,) = figures([ONE])
    assert (row["per_second"], row["cores"], row["per_cpu_second"]) == (100, 0.5, 200)
    assert row["cores_beside"] == {"kafka": 0.25}
    assert (row["ratio"], row["ratio_per_cpu_second"]) == (1, 1)


def test_what_a_stage_keeps_is_told_by_thirds_of_the_time() -> None:
    kept = {"serve": {"first": 500.0, "middle": 510.0, "last": 505.0, "peak": 540.0}}
    assert said(replace(ONE, memory_mb=kept)).endswith("; serve 500, 510, 505 MB by thirds of the time")
    assert said(ONE).endswith("200.0 a CPU second")
    assert figures([replace(ONE, memory_mb=kept)])[0]["memory_mb"] == kept


def test_growth_is_against_the_first_configuration_of_the_same_stage() -> None:
    other = Measured("lake", 1, 1, units=500, seconds=10, cpu_seconds={"lake": 10.0})
    first, lake, second = figures([ONE, other, TWO])
    assert (first["ratio"], lake["ratio"], second["ratio"]) == (1, 1, 3)
    assert second["ratio_per_cpu_second"] == 1.25


def test_what_took_no_time_has_no_rate() -> None:
    nothing = Measured("indexer", 1, 2, units=0, seconds=0, cpu_seconds={"indexer": 0.0})
    (row,) = figures([nothing])
    assert (row["per_second"], row["per_cpu_second"], row["ratio"]) == (None, None, None)


def test_the_table_for_people_says_how_many_indexers_where_that_matters() -> None:
    indexer = Measured("indexer", 2, 2, units=12_000, seconds=10, cpu_seconds={"indexer": 10.0})
    head, _, serve, index = lines(figures([ONE, indexer]))
    assert head.startswith("| stage | partitions | indexers | per_second | cores |")
    assert serve == "| serve | 1 |  | 100.0 | 0.5 | 200.0 | 1.0 | 1.0 | kafka 0.25 |"
    assert index == "| indexer | 2 | 2 | 1,200.0 | 1.0 | 1,200.0 | 1.0 | 1.0 |  |"


def test_a_multiple_of_the_stream_needs_what_the_figures_say() -> None:
    indexer = Measured(
        "indexer", 4, 2, units=100, seconds=1, cpu_seconds={"indexer": 1.5, "kafka": 0.1, "postgres": 0.2}
    )
    raw = {"raw": 600.0, "silver": 900.0, "gold": 100.0}
    sizes = {"documents_per_event": 0.1, "log_bytes_per_event": raw, "lake_bytes_per_event": {"bronze": 250.0}}
    needs = sizing(figures([ONE, TWO, indexer]), sizes)
    assert list(needs) == ["1x", "10x", "100x"]
    ten = needs["10x"]
    assert (ten["events_per_second"], ten["documents_per_second"]) == (400, 40)
    # of the last configuration of each: 300 events and 100 documents a second
    assert ten["cores"] == {"serve": 1.6, "kafka": 0.71, "indexer": 0.6, "postgres": 0.08}
    assert (ten["log_gb_per_day"], ten["lake_gb_per_day"]) == (55.3, 8.6)
    assert ten["million_documents_per_day"] == 3.46


def test_counting_begins_at_the_warm_up_s_end_and_ends_with_the_last_record() -> None:
    counts = iter([0, 40, 60, 90, 100])
    done = follow(lambda: next(counts), enough=100, warm_up=50)
    assert done.units == 60
    assert done.until > done.since


def test_what_stands_still_is_measured_as_far_as_it_came() -> None:
    counts = iter([10, 60, 80])
    done = follow(lambda: next(counts, 80), enough=100, warm_up=50, still_s=0.2)
    assert done.units == 70


def test_what_does_not_begin_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "START_TIMEOUT_S", 0.1)
    with pytest.raises(PermanentError, match="nothing to measure"):
        follow(lambda: 0, enough=100, warm_up=50)


def test_cpu_is_told_of_any_stretch_and_kept_when_the_process_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = iter([1.0, 3.0, 0.0])
    clock = iter([10.0, 12.0, 14.0])
    monkeypatch.setattr(usage, "tree_cpu_seconds", lambda _: next(seen))
    monkeypatch.setattr(usage, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    history = UsageHistory({"one": 1})
    for _ in range(3):
        history._note()
    assert history.used(10, 12) == {"one": 2.0}
    assert history.used(11, 14) == {"one": 1.0}


def test_the_stand_in_is_given_as_many_events_as_there_are_to_produce(tmp_path: Path) -> None:
    scale._write(tmp_path / "events.ndjson", iter([{"title": "Brücke"}, {"title": "Río"}]))
    assert [json.loads(line)["title"] for line in (tmp_path / "events.ndjson").read_text().splitlines()] == [
        "Brücke",
        "Río",
    ]


def test_no_text_comes_twice() -> None:
    comments = [event["comment"] for event in islice(scale._events(None), 3_000)]
    assert len(set(comments)) == 3_000


def test_the_size_of_a_folder_is_that_of_the_files_that_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "ingest_date=2026-11-27").mkdir()
    (tmp_path / "ingest_date=2026-11-27" / "part.parquet").write_bytes(b"12345")
    (tmp_path / "_delta_log").mkdir()
    (tmp_path / "_delta_log" / "0.json").write_bytes(b"123")
    assert backlog.folder_bytes(tmp_path, "*.parquet") == 5


def test_a_process_that_does_not_come_is_an_error() -> None:
    began = time.monotonic()
    with pytest.raises(PermanentError, match="not ready"):
        backlog.until(lambda: False, timeout_s=0.1)
    assert time.monotonic() > began
