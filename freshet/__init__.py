"""Freshet's shared words: settings, contract, lake paths, embedding, store, telemetry and errors.

This package imports no room (`producer`, `spark_jobs`, `indexer`, `api`, `local`) and no pyspark.
"""

from importlib.metadata import version

__version__ = version("freshet")
