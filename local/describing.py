"""What `freshet status` says of what pages are about: how many are known, how many wait, why none is asked about."""

from datetime import UTC, datetime

import httpx
import psycopg

from freshet.context_source import url_of
from freshet.errors import ConfigError
from freshet.settings import Settings
from freshet.store import context
from freshet.store.context import Known
from freshet.telemetry import metrics
from local import scraping

TIMEOUT_S = 2.0


def figures(settings: Settings) -> dict[str, str]:
    """One line; none where the store does not answer."""
    try:
        with psycopg.connect(settings.conninfo, autocommit=True, connect_timeout=2) as connection:
            known = context.known(connection)
    except (psycopg.Error, ConfigError):
        return {}
    return {"pages": sentence(known, _asking(settings), datetime.now(UTC))}


def sentence(known: Known, asking: str, now: datetime) -> str:
    """The line."""
    said = [f"{known.described} described", f"{known.missing} without a description", f"{known.waiting} waiting"]
    if known.oldest:
        said[-1] += f", the longest for {(now - known.oldest).total_seconds():.0f} s"
    if known.pending:
        said.append(f"{known.pending} without a vector yet")
    return "; ".join([*said, asking])


def paused_by(page: str) -> list[str]:
    """How the requests ended for which asking is paused, by a page of the metrics."""
    (name,) = (family.name for family in metrics.PAUSED.describe())
    return [sample.labels["outcome"] for sample in scraping.samples(page) if sample.name == name and sample.value]


def _asking(settings: Settings) -> str:
    url = url_of(settings)
    if url is None:
        return "none is asked about"
    try:
        page = scraping.page(settings.context_metrics_port, TIMEOUT_S)
    except httpx.HTTPError:
        return "none is asked about: the process does not answer"
    paused = paused_by(page)
    return f"asking is paused: {', '.join(paused)}" if paused else f"asking {url}"
