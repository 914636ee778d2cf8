"""One Spark session for all tests of this folder, and records as Kafka gives them."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from freshet.settings import Settings, load_settings
from spark_jobs.session import spark_session
from tests.spark.builders import RECORD, Record


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    session = spark_session(load_settings(spark_master="local[8]"), "freshet-tests")
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture
def records(spark: SparkSession) -> Callable[[Sequence[Record]], DataFrame]:
    """Makes a static frame of records, with the columns of Kafka's source."""
    return lambda rows: spark.createDataFrame([row.as_tuple() for row in rows], RECORD)


@pytest.fixture
def lake_settings(tmp_path: Path) -> Settings:
    """Settings with an empty lake of the test's own."""
    return load_settings(lake_root=f"file://{tmp_path}/lake")
