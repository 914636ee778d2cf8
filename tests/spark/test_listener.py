"""What the queries report becomes metrics."""

import json

from prometheus_client import REGISTRY

from spark_jobs.jvm import JvmCollector
from spark_jobs.listener import consumed, lost, report


def progress(start, end, rows, name="serve"):
    source = {"description": "KafkaV2", "startOffset": start, "endOffset": end, "numInputRows": rows}
    return {
        "name": name,
        "batchId": 3,
        "numInputRows": rows,
        "processedRowsPerSecond": 12.5,
        "durationMs": {"addBatch": 1500},
        "sources": [source],
    }


def sample(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0


def test_a_batch_that_read_all_it_passed_lost_nothing():
    assert lost(progress({"wiki.raw": {"0": 5, "1": 5}}, {"wiki.raw": {"0": 8, "1": 5}}, 3)) == 0


def test_offsets_passed_without_a_record_are_lost():
    assert lost(progress({"wiki.raw": {"0": 5}}, {"wiki.raw": {"0": 105}}, 30)) == 70


def test_the_first_batch_says_nothing_about_what_was_before():
    assert lost(progress(None, {"wiki.raw": {"0": 105}}, 30)) == 0


def test_offsets_are_read_as_spark_writes_them():
    end = {"wiki.raw": {"0": 8, "1": 5}, "wiki.rejected": {"0": 2}}
    assert consumed(progress({}, end, 3)) == {"wiki.raw": {0: 8, 1: 5}, "wiki.rejected": {0: 2}}
    assert consumed(progress({}, json.dumps(end), 3)) == consumed(progress({}, end, 3))


def test_a_report_sets_phases_in_seconds_and_counts_rows():
    before = sample("freshet_spark_input_rows_total", query="serve")
    report(progress({"wiki.raw": {"0": 0}}, {"wiki.raw": {"0": 7}}, 7))
    assert sample("freshet_spark_phase_seconds", query="serve", phase="addBatch") == 1.5
    assert sample("freshet_spark_processed_rows_per_second", query="serve") == 12.5
    assert sample("freshet_spark_batch_id", query="serve") == 3
    assert sample("freshet_spark_input_rows_total", query="serve") == before + 7


def test_the_lakes_rows_are_counted_by_its_batches_alone():
    before = sample("freshet_spark_input_rows_total", query="lake")
    report(progress({"wiki.raw": {"0": 0}}, {"wiki.raw": {"0": 7}}, 21, name="lake"))
    assert sample("freshet_spark_input_rows_total", query="lake") == before


def test_records_that_left_the_log_unread_are_counted():
    before = sample("freshet_spark_lost_records_total", query="serve")
    report(progress({"wiki.raw": {"0": 5}}, {"wiki.raw": {"0": 105}}, 30))
    assert sample("freshet_spark_lost_records_total", query="serve") == before + 70


def test_the_jvm_shows_its_memory_collections_and_threads(spark):
    shown = {
        metric.name: {tuple(one.labels.values()): one.value for one in metric.samples}
        for metric in JvmCollector(spark).collect()
    }
    assert 0 < shown["jvm_memory_used_bytes"][("heap",)] < shown["jvm_memory_max_bytes"][("heap",)]
    after = sum(shown["jvm_memory_pool_collection_used_bytes"].values())
    assert 0 < after < shown["jvm_memory_max_bytes"][("heap",)]
    code, room = shown["jvm_memory_pool_used_bytes"], shown["jvm_memory_pool_max_bytes"]
    assert code.keys() == room.keys()
    assert code
    assert all(0 < code[pool] < room[pool] for pool in code)
    assert shown["jvm_gc_collection_seconds"]
    assert shown["jvm_threads_current"][()] > 10
