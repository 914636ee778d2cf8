"""What the last freshness check found, as metrics of this process: the check itself has ended long before a scrape."""

import psycopg

from api.turns import Pool
from freshet.store import sla
from freshet.telemetry import metrics
from freshet.upkeep.sla import is_breach


async def show(pool: Pool) -> None:
    """Set the gauges. Without Postgres there are none, rather than those of before."""
    try:
        async with pool.connection() as connection:
            checked_at, checks = await sla.latest(connection)
    except psycopg.Error:
        checked_at, checks = None, []
    metrics.SLA_VALUE.clear()
    metrics.SLA_BREACH.clear()
    metrics.SLA_CHECKED.set(checked_at.timestamp() if checked_at else 0)
    for check in checks:
        metrics.SLA_BREACH.labels(check.name).set(is_breach(check))
        if check.value is not None:
            metrics.SLA_VALUE.labels(check.name).set(check.value)
