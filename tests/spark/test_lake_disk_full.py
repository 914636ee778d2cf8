"""The lake on a disk that is full: the batch fails whole or in part, and is exact when there is room again."""

import pytest
from deltalake import DeltaTable
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from freshet.lake import LAYERS, LakePaths
from spark_jobs import tables
from spark_jobs.batch import write_batch
from tests.small_disk import full, small_disk
from tests.spark.builders import RULE, event, frame, raw

pytestmark = pytest.mark.spark

EVENTS = 20


@pytest.fixture
def lake(spark):
    with small_disk(8) as folder:
        paths = LakePaths(f"file://{folder}/lake")
        tables.create_tables(spark, paths)
        yield paths


def test_a_batch_that_finds_no_room_is_written_exactly_once_when_there_is_some(spark, lake):
    batch = frame(spark, [raw(event(meta__id=f"e{number}"), offset=number) for number in range(EVENTS)])
    with full(lake.folder.parent), pytest.raises((PySparkException, Py4JJavaError), match="No space left on device"):
        write_batch(batch, lake, RULE)
    done = write_batch(batch, lake, RULE)
    rows = {layer: len(DeltaTable(lake.table(layer)).to_pyarrow_table()) for layer in LAYERS}
    assert rows == {"bronze": EVENTS, "silver": EVENTS, "gold": EVENTS, "rejected": 0}
    assert done.duplicates == 0
