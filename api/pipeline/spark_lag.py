"""How far a streaming query is behind, as its own metrics say."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from freshet.telemetry import metrics

NAME = metrics.SPARK_LAG._name


async def behind(http: httpx.AsyncClient, ready_url: str | None, query: str) -> int | None:
    """Records behind, from the metrics beside this address of a process' readiness; None when it does not say."""
    if ready_url is None:
        return None
    try:
        answer = await http.get(httpx.URL(ready_url).copy_with(path="/metrics"))
        return total(answer.raise_for_status().text, query)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None


def total(exposition: str, query: str) -> int | None:
    """Over all partitions; None when there is nothing of that query. Raises ValueError when it cannot be read."""
    # the rest is a hundred times as long, and nobody asks for it
    lines = "\n".join(line for line in exposition.splitlines() if line.startswith(f"{NAME}{{"))
    samples = [sample for family in text_string_to_metric_families(lines) for sample in family.samples]
    values = [sample.value for sample in samples if sample.labels.get("query") == query]
    return int(sum(values)) if values else None
