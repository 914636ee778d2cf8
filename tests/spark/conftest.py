"""One Spark session for all of these tests, small, and an empty lake for each test that asks."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from freshet.lake import LakePaths
from freshet.settings import load_settings
from spark_jobs.session import spark_session
from spark_jobs.tables import create_tables


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    state_dir = tmp_path_factory.mktemp("spark")
    settings = load_settings(state_dir=state_dir, spark_master="local[2]", spark_driver_memory="700m")
    session = spark_session(settings, "freshet-tests")
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def empty_lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The four tables without rows, made once: making them takes longer than most tests."""
    folder = tmp_path_factory.mktemp("empty-lake")
    create_tables(spark, LakePaths(f"file://{folder}"))
    return folder


@pytest.fixture
def lake(empty_lake: Path, tmp_path: Path) -> LakePaths:
    """A lake of the test's own."""
    folder = tmp_path / "lake"
    shutil.copytree(empty_lake, folder)
    return LakePaths(f"file://{folder}")
