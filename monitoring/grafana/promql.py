"""The few forms that the dashboards' expressions have."""

from typing import Final

EVERY: Final = "[$__rate_interval]"
"""Grafana's own: four scrapes at least, more where the plot is longer."""

BATCHES: Final = "[15m]"
"""For what a Spark query reports: it does so at the end of a batch, of which serve's last five minutes."""

WHOLE: Final = "[$__range]"
"""The time that the dashboard shows."""


def rate(metric: str, by: str = "") -> str:
    """Per second, summed; by labels where they are given."""
    return f"{_sum(by)}(rate({metric}{EVERY}))"


def rate_or_zero(metric: str) -> str:
    """Per second, summed, and 0 where the counter has not counted anything yet."""
    return f"({rate(metric)} or vector(0))"


def total_or_zero(metric: str) -> str:
    """How much a counter grew in the time shown, and 0 where it has not counted anything yet."""
    return f"(sum(increase({metric}{WHOLE})) or vector(0))"


def share(part: str, whole: str) -> str:
    """`part` of `whole`, both rates; 0 where nothing happens."""
    return f"{part} / clamp_min({whole}, 1e-9)"


def quantile(at: float, histogram: str, where: str = "", by: str = "") -> str:
    """A quantile of a histogram of that name without its ending; by labels where they are given."""
    labels = f"le, {by}" if by else "le"
    matching = f"{{{where}}}" if where else ""
    return f"histogram_quantile({at}, {_sum(labels)}(rate({histogram}_bucket{matching}{EVERY})))"


def mean(histogram: str, by: str) -> str:
    """The mean of a histogram or a summary."""
    return f"{rate(f'{histogram}_sum', by)} / {rate(f'{histogram}_count', by)}"


def age(timestamp: str, by: str = "") -> str:
    """Seconds since the newest of these moments. One that never was has no age."""
    newest = f"max by ({by}) " if by else "max"
    return f"time() - {newest}({timestamp} > 0)"


def _sum(by: str) -> str:
    return f"sum by ({by}) " if by else "sum"
