"""A crash after the commit of the tables or topics and before that of the checkpoint, and one that has torn its files.

With a real broker and real checkpoints: each query goes on, nothing is missing, nothing is in the lake twice.
"""

import json
import shutil
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import pytest
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from structlog.testing import capture_logs

import freshet.log
from freshet.contract import topics
from freshet.errors import PermanentError
from freshet.upkeep import damage
from spark_jobs.stream import start, watch
from tests.producing import Topic
from tests.spark.builders import event, raw
from tests.spark.test_stream import ids, send

pytestmark = [pytest.mark.spark, pytest.mark.integration]

BATCHES = 3
KEYS = {"bronze": "offset", "silver": "event_id", "gold": "doc_id"}


@pytest.fixture(scope="module")
def before(broker, stack_settings, spark, tmp_path_factory):
    """The folder of a lake and of checkpoints that some batches have been written to, and the settings of both."""
    root = tmp_path_factory.mktemp("whole") / "lake"
    settings = stack_settings.model_copy(
        update={"lake_root": f"file://{root}", "lake_interval_s": 1, "serve_mode": "microbatch"}
    )
    for number in range(BATCHES):
        send(settings, [raw(event(meta__id=f"before-{number}"))])
        with running(spark, settings, "lake", "serve") as queries:
            for query in queries:
                query.processAllAvailable()
    return root, settings


@pytest.fixture
def stack(before, tmp_path):
    root, settings = before
    shutil.copytree(root, tmp_path / "lake")
    return settings.model_copy(update={"lake_root": f"file://{tmp_path}/lake"})


@contextmanager
def running(spark, settings, *names):
    queries = start(spark, settings, names)
    try:
        yield queries
    finally:
        for query in queries:
            query.stop()


def newest(folder: Path) -> Path:
    return max((path for path in folder.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))


def without_commit(checkpoint):
    newest(checkpoint / "commits").unlink()


def without_commit_and_sum(checkpoint):
    commit = newest(checkpoint / "commits")
    commit.unlink()
    commit.with_name(f".{commit.name}.crc").unlink()


def commit_torn(checkpoint):
    cut(newest(checkpoint / "commits"))


def offsets_empty(checkpoint):
    newest(checkpoint / "offsets").write_bytes(b"")


def offsets_torn_before_commit(checkpoint):
    cut(newest(checkpoint / "offsets"))
    without_commit_and_sum(checkpoint)


def metadata_torn(checkpoint):
    cut(checkpoint / "metadata")


def source_torn(checkpoint):
    cut(checkpoint / "sources" / "0" / "0")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGES = [
    without_commit_and_sum,
    offsets_torn_before_commit,
    *(
        pytest.param(damage, marks=pytest.mark.long)
        for damage in (without_commit, commit_torn, offsets_empty, metadata_torn, source_torn)
    ),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_lake_query_goes_on_and_writes_nothing_twice(spark, stack, damage):
    had = {layer: Counter(ids(stack, layer, key)) for layer, key in KEYS.items()}
    damage(stack.lake.folder / "checkpoints" / "lake")
    name = f"lake-{damage.__name__}"
    send(stack, [raw(event(meta__id=name))])
    with running(spark, stack, "lake") as (query,):
        query.processAllAvailable()
    has = {layer: Counter(ids(stack, layer, key)) for layer, key in KEYS.items()}
    assert {*has["silver"]} >= {*has["gold"]} >= {*had["gold"], name}
    assert has["silver"][name] == has["gold"][name] == 1
    assert all(has[layer][key] == had[layer][key] for layer in ("silver", "gold") for key in had[layer])
    assert sum(has["bronze"].values()) == raw_records(stack)


def raw_records(settings):
    reader = freshet.log.reader(settings)
    try:
        return sum(end - first for first, end in freshet.log.watermarks(reader, topics.RAW).values())
    finally:
        reader.close()


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_serve_query_goes_on_and_at_most_repeats(spark, stack, damage):
    gold = Topic(stack, topics.GOLD)
    damage(stack.lake.folder / "checkpoints" / "serve")
    name = f"serve-{damage.__name__}"
    send(stack, [raw(event(meta__id=name))])
    with running(spark, stack, "serve") as (query,):
        query.processAllAvailable()
    sent = Counter(json.loads(message.value())["doc_id"] for message in gold.read().messages)
    gold.close()
    assert sent[name] == 1
    assert {doc_id for doc_id in sent if doc_id.startswith("before-")} <= {f"before-{BATCHES - 1}"}


def test_a_checkpoint_without_a_whole_batch_stops_the_start_and_names_the_file(spark, stack):
    checkpoint = stack.lake.folder / "checkpoints" / "lake"
    for log in ("offsets", "commits"):
        (checkpoint / log / "0").unlink()
    for commit in (checkpoint / "commits").glob("[0-9]*"):
        commit.write_bytes(b"")
    with pytest.raises(PermanentError, match=r"commits/1: `freshet down`, move .* away"):
        start(spark, stack, ["lake"])
    shutil.move(checkpoint, checkpoint.with_name("away"))
    with running(spark, stack, "lake") as (query,):
        query.processAllAvailable()
    assert sum(Counter(ids(stack, "bronze", "offset")).values()) == raw_records(stack)
    doc_ids = ids(stack, "gold", "doc_id")
    assert len(doc_ids) == len(set(doc_ids))


def newest_entry(layer: Path) -> Path:
    return max((layer / "_delta_log").glob("*.json"))


def first_rows(layer: Path) -> Path:
    return min(layer.glob("*.parquet"), key=lambda path: path.stat().st_mtime)


@pytest.mark.parametrize("damaged", [newest_entry, first_rows])
def test_a_damaged_table_is_named_and_put_aside_and_what_the_log_has_is_inserted_again(spark, stack, damaged):
    had = {layer: Counter(ids(stack, layer, key)) for layer, key in KEYS.items()}
    root = stack.lake.folder
    file = damaged(root / "gold")
    cut(file)
    with capture_logs() as said, suppress(Py4JError, PySparkException), running(spark, stack, "lake") as queries:
        send(stack, [raw(event())])
        assert not watch(queries, Event(), stack.lake)
    assert str(file) in {line.get("file") for line in said}
    damage.put_aside(root, damage.found(root), "now")
    with running(spark, stack, "lake") as (query,):
        query.processAllAvailable()
    has = {layer: Counter(ids(stack, layer, key)) for layer, key in KEYS.items()}
    assert all(has[layer][key] == had[layer][key] for layer in ("silver", "gold") for key in had[layer])
    assert sum(has["bronze"].values()) == raw_records(stack)
