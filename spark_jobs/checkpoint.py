"""Rows that are computed once, and let go of in time."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import DataFrame


@contextmanager
def checkpointed(rows: DataFrame, *, eager: bool = False) -> Iterator[DataFrame]:
    """The rows as a cache that forgets its plan: what the tables they came from hold later does not change them."""
    held = rows.localCheckpoint(eager=eager)
    try:
        yield held
    finally:
        # By itself Spark lets go of it only when the garbage collector finds it, and a backlog fills the heap sooner.
        held._jdf.queryExecution().logical().rdd().unpersist(False)
