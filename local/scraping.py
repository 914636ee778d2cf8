"""A process' page of metrics, read as Prometheus reads it."""

from collections.abc import Iterator

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


def page(port: int, timeout_s: float) -> str:
    """What the process at this port of the machine shows. Raises httpx.HTTPError."""
    url = f"http://127.0.0.1:{port}/metrics"
    return httpx.get(url, timeout=timeout_s, trust_env=False).raise_for_status().text


def samples(text: str) -> Iterator[Sample]:
    """The samples of all families, in the page's order."""
    return (sample for family in text_string_to_metric_families(text) for sample in family.samples)
