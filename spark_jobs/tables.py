"""The lake's Delta tables: making them, inserting only what they do not have yet, and changing what was found."""

from collections.abc import Callable
from typing import Final, TypeVar

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as fn

from freshet import delta
from freshet.contract import schemas
from freshet.lake import LakePaths

_SCHEMAS: Final = {
    "bronze": schemas.BRONZE,
    "silver": schemas.SILVER,
    "gold": schemas.GOLD,
    "rejected": schemas.REJECTED,
}
# Statistics only on what a reader prunes by: they are made for every file of every commit.
_PRUNED_BY: Final = {
    "bronze": "partition,offset,kafka_timestamp",
    "silver": "event_time,raw_partition,raw_offset",
    "gold": "event_time,raw_partition,raw_offset",
    "rejected": "partition,offset,kafka_timestamp",
}

Result = TypeVar("Result")


def create_tables(spark: SparkSession, lake: LakePaths) -> None:
    """Make the tables that are not there, empty and with their schemas, so that readers find them from the start."""
    for layer, fields in _SCHEMAS.items():
        partitioned = "PARTITIONED BY (ingest_date)" if layer == "bronze" else ""
        spark.sql(
            f"CREATE TABLE IF NOT EXISTS {identifier(lake, layer)} ({schemas.ddl(fields)}) USING delta {partitioned} "
            f"TBLPROPERTIES ('delta.dataSkippingStatsColumns' = '{_PRUNED_BY[layer]}')"
        )


def identifier(lake: LakePaths, layer: str) -> str:
    """A layer's table in SQL."""
    return f"delta.`{lake.table(layer)}`"


def insert_new(rows: DataFrame, lake: LakePaths, layer: str, condition: str) -> int:
    """Insert the rows that no row of the table matches. Returns how many were inserted.

    `condition` compares `t` (table) with `s` (rows) and should bound `t` by literals, which lets Delta skip files.
    The keys must be unique within `rows`. A commit that meets another writer's is tried again from the start.
    """
    query = (
        f"MERGE INTO {identifier(lake, layer)} AS t USING {{rows}} AS s ON {condition} WHEN NOT MATCHED THEN INSERT *"
    )
    result = until_committed(layer, lambda: rows.sparkSession.sql(query, rows=rows).first())
    return int(result["num_inserted_rows"]) if result else 0


def merge_changes(changes: DataFrame, lake: LakePaths, layer: str, condition: str, place: tuple[str, str]) -> None:
    """Write what `compare.changes` found, which must not change when it is computed again.

    `condition` is as in `insert_new`. A row that has come meanwhile from another place of the log (partition and offset
    are the columns `place`) is left as it is. A commit that meets another writer's is tried again from the start.
    """
    old, new = fn.col("old"), fn.col("new")
    rows = changes.select(
        *(fn.when(new.isNull(), old[name]).otherwise(new[name]).alias(name) for name in schemas.names(_SCHEMAS[layer])),
        new.isNull().alias("_gone"),
        *(fn.coalesce(old[name], new[name]).alias(f"_was_{name}") for name in place),
    )
    same = " AND ".join(f"t.{name} = s._was_{name}" for name in place)
    query = (
        f"MERGE INTO {identifier(lake, layer)} AS t USING {{rows}} AS s ON {condition} "
        f"WHEN MATCHED AND s._gone AND {same} THEN DELETE "
        f"WHEN MATCHED AND NOT s._gone AND {same} THEN UPDATE SET * "
        "WHEN NOT MATCHED AND NOT s._gone THEN INSERT *"
    )
    until_committed(layer, lambda: rows.sparkSession.sql(query, rows=rows).first())


def delete_matching(rows: DataFrame, lake: LakePaths, layer: str, condition: str) -> int:
    """Delete the rows of the table that a row matches. Returns how many were deleted.

    `condition` is as in `insert_new`. A commit that meets another writer's is tried again from the start.
    """
    query = f"MERGE INTO {identifier(lake, layer)} AS t USING {{rows}} AS s ON {condition} WHEN MATCHED THEN DELETE"
    result = until_committed(layer, lambda: rows.sparkSession.sql(query, rows=rows).first())
    return int(result["num_deleted_rows"]) if result else 0


def until_committed(layer: str, commit: Callable[[], Result]) -> Result:
    """Do what commits to a layer's table, again from the start when another writer's commit came first."""
    return delta.until_committed(layer, commit, is_conflict)


def is_conflict(error: BaseException) -> bool:
    """Whether Delta refused a commit because another writer's came first: it was not written and may be tried again."""
    return isinstance(error, Py4JJavaError | PySparkException) and (
        "io.delta.exceptions.Concurrent" in str(error) or "[DELTA_CONCURRENT_" in str(error)
    )
