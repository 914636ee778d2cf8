"""The JVM of a Spark process, read when it is scraped: memory, compiled code, garbage collections, threads."""

from collections.abc import Iterator
from typing import Any, Final

from prometheus_client import REGISTRY, Metric
from prometheus_client.core import GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector
from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from freshet.telemetry import metrics

_NO_LIMIT: Final = -1
_HEAP: Final = "Heap memory"
_CODE: Final = "Code"
"""How the names of the pools of compiled code begin: the one CodeCache, or a CodeHeap for each kind of code."""


class JvmCollector(Collector):
    """Asks the JVM's own management beans, through the connection that Spark has to it."""

    def __init__(self, spark: SparkSession) -> None:
        self._beans: Any = spark.sparkContext._jvm.java.lang.management.ManagementFactory  # type: ignore[union-attr]

    def describe(self) -> list[Metric]:
        """Nothing: it is asked only when it is scraped."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Nothing of a JVM that has ended."""
        try:
            yield from list(self._families())
        except (Py4JError, OSError):
            return

    def _families(self) -> Iterator[Metric]:
        used = GaugeMetricFamily(*metrics.JVM_MEMORY, labels=["area"])
        most = GaugeMetricFamily(*metrics.JVM_MEMORY_MAX, labels=["area"])
        memory = self._beans.getMemoryMXBean()
        for area, usage in (("heap", memory.getHeapMemoryUsage()), ("nonheap", memory.getNonHeapMemoryUsage())):
            used.add_metric([area], usage.getUsed())
            if usage.getMax() != _NO_LIMIT:
                most.add_metric([area], usage.getMax())
        after = GaugeMetricFamily(*metrics.JVM_AFTER_GC, labels=["pool"])
        code = GaugeMetricFamily(*metrics.JVM_CODE, labels=["pool"])
        most_code = GaugeMetricFamily(*metrics.JVM_CODE_MAX, labels=["pool"])
        for pool in self._beans.getMemoryPoolMXBeans():
            if pool.getName().startswith(_CODE):
                code.add_metric([pool.getName()], pool.getUsage().getUsed())
                most_code.add_metric([pool.getName()], pool.getUsage().getMax())
            # those outside the heap are not collected, and have none
            if (usage := pool.getCollectionUsage()) is not None and pool.getType().toString() == _HEAP:
                after.add_metric([pool.getName()], usage.getUsed())
        collected = SummaryMetricFamily(*metrics.JVM_GC, labels=["gc"])
        for bean in self._beans.getGarbageCollectorMXBeans():
            collected.add_metric([bean.getName()], bean.getCollectionCount(), bean.getCollectionTime() / 1000)
        threads = GaugeMetricFamily(*metrics.JVM_THREADS, value=self._beans.getThreadMXBean().getThreadCount())
        yield from (used, most, after, code, most_code, collected, threads)


def expose(spark: SparkSession) -> None:
    """Show the JVM on this process' page of metrics."""
    REGISTRY.register(JvmCollector(spark))
