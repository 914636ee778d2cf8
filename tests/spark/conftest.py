"""One Spark session for all tests of this folder, and records as Kafka gives them."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from freshet.settings import Settings, load_settings
from spark_jobs.session import spark_session
from tests.spark.builders import Record, frame

SHORT_LIVED = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"
"""Of the tests' JVM alone: what runs a few times is not worth compiling well, which was a third of the CPU time. It is
given the room for code that a JVM has otherwise. All else is the product's own; JVMs with all of its options run in
`test_compact` and in `tests/e2e`."""


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """Five slots: real-time mode holds one for each partition, and the lake needs one beside them."""
    session = spark_session(load_settings(spark_master="local[5]"), "freshet-tests", java_options=SHORT_LIVED)
    session.sparkContext.setLogLevel("ERROR")
    session.conf.set("spark.sql.shuffle.partitions", "2")
    yield session
    session.stop()


@pytest.fixture
def records(spark: SparkSession) -> Callable[[Sequence[Record]], DataFrame]:
    """Makes a static frame of records, with the columns of Kafka's source."""
    return lambda rows: frame(spark, rows)


@pytest.fixture
def lake_settings(tmp_path: Path) -> Settings:
    """Settings with an empty lake of the test's own."""
    return load_settings(lake_root=f"file://{tmp_path}/lake")
