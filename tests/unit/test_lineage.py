"""Data sets have the names that OpenLineage prescribes, so that the events of all emitters meet."""

from typing import Any

import pytest
from pydantic import SecretStr

from freshet import lineage, spark
from freshet.errors import PermanentError
from freshet.settings import Settings, load_settings


@pytest.fixture
def settings() -> Settings:
    return load_settings(
        openlineage_url="http://lineage.example",
        kafka_bootstrap_servers="one:9092,two:9092",
        postgres_dsn=SecretStr("host=db.example dbname=store password=secret"),
    )


def names(datasets: list[Any]) -> list[tuple[str, str]]:
    return [(one.namespace, one.name) for one in datasets]


def test_a_topic_is_of_the_first_broker(settings: Settings) -> None:
    assert names(lineage.topics(settings, "wiki.raw")) == [("kafka://one:9092", "wiki.raw")]


@pytest.mark.parametrize(
    ("root", "place"),
    [
        ("file:///data/lake/", ("file", "/data/lake/gold")),
        ("/data/lake", ("file", "/data/lake/gold")),
        ("s3a://bucket/lake", ("s3://bucket", "lake/gold")),
    ],
)
def test_a_table_is_where_its_files_are(settings: Settings, root: str, place: tuple[str, str]) -> None:
    assert names(lineage.tables(settings.model_copy(update={"lake_root": root}), "gold")) == [place]


def test_a_relation_is_named_without_the_password(settings: Settings) -> None:
    assert names(lineage.relations(settings, "documents")) == [("postgres://db.example:5432", "store.public.documents")]


def test_nothing_is_named_where_no_events_are_sent() -> None:
    off = load_settings(openlineage_url="")
    assert not lineage.topics(off, "wiki.raw") + lineage.tables(off, "gold") + lineage.relations(off, "documents")
    assert not lineage.stream(off)


def test_spark_listens_where_events_are_sent_and_not_in_streams(settings: Settings, tmp_path: Any) -> None:
    here = settings.model_copy(update={"jars_dir": tmp_path})
    (tmp_path / "spark").mkdir()
    (tmp_path / "spark" / "delta.jar").touch()
    with pytest.raises(PermanentError, match=r"lineage: fetch them with `make setup`"):
        spark.options(here)
    (tmp_path / "lineage").mkdir()
    (tmp_path / "lineage" / "listener.jar").touch()
    emitting = spark.options(here)
    assert emitting["spark.openlineage.transport.url"] == "http://lineage.example"
    assert emitting["spark.jars"] == f"{tmp_path}/spark/delta.jar,{tmp_path}/lineage/listener.jar"
    for silent in (spark.options(here, lineage=False), spark.options(here.model_copy(update={"openlineage_url": ""}))):
        assert not [name for name in silent if "openlineage" in name or "Listener" in name]
        assert silent["spark.jars"] == f"{tmp_path}/spark/delta.jar"
