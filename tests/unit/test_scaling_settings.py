"""Settings of larger deployments: replicated topics, a lake on object storage."""

from pathlib import Path

import pytest

from freshet import log, spark
from freshet.contract import topics
from freshet.errors import PermanentError
from freshet.settings import Settings, load_settings
from local import jars

PATH_STYLE = "spark.hadoop.fs.s3a.path.style.access"


def with_jars(folder: Path, *sets: str, **given: object) -> Settings:
    for jar_set in sets:
        (folder / jar_set).mkdir()
        (folder / jar_set / f"{jar_set}.jar").touch()
    return load_settings(jars_dir=folder, **given)


@pytest.mark.parametrize(("replicas", "in_sync"), [(1, "1"), (2, "1"), (3, "2")])
def test_with_replicas_a_write_waits_for_all_but_one(replicas: int, in_sync: str) -> None:
    for topic in topics.ALL:
        made = log.new_topic(load_settings(kafka_replication=replicas), topic)
        assert made.replication_factor == replicas
        assert made.config["min.insync.replicas"] == in_sync


def test_a_lake_on_object_storage_brings_its_jars_and_says_how_buckets_are_named(tmp_path: Path) -> None:
    settings = with_jars(tmp_path, "spark", "s3", lake_root="s3a://bucket/lake", lake_path_style=True)
    options = spark.options(settings)
    assert options[PATH_STYLE] == "true"
    assert options["spark.jars"] == f"{tmp_path}/spark/spark.jar,{tmp_path}/s3/s3.jar"


def test_a_lake_in_a_folder_needs_none_of_that(tmp_path: Path) -> None:
    options = spark.options(with_jars(tmp_path, "spark", "s3"))
    assert PATH_STYLE not in options
    assert options["spark.jars"] == f"{tmp_path}/spark/spark.jar"


def test_jars_of_object_storage_that_are_missing_are_named_with_the_command_that_fetches_them(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"python -m local\.jars s3"):
        spark.options(with_jars(tmp_path, "spark", lake_root="s3a://bucket/lake"))


def test_jars_that_not_everybody_needs_are_locked_and_not_fetched_unasked() -> None:
    assert [jar.name for jar in jars.locked("s3")] == ["hadoop-aws", "bundle", "analyticsaccelerator-s3"]
    assert not set(jars.ON_DEMAND) & set(jars.SETS)
