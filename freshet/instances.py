"""Processes of which the embedded stack has several: their names and where each answers for itself."""

from freshet.settings import Settings


def indexer_ports(settings: Settings) -> dict[str, int]:
    """Port of the metrics of each indexer, by the name of its process."""
    more = {
        f"indexer-{number}": settings.more_indexers_metrics_port + number - 2
        for number in range(2, settings.indexers + 1)
    }
    return {"indexer": settings.indexer_metrics_port, **more}


def api_ports(settings: Settings) -> dict[str, int]:
    """Port at which each API process answers for itself, by its name."""
    if settings.api_workers == 1:
        return {"api": settings.api_port}
    first = settings.api_workers_port
    return {"api": first} | {f"api-{number}": first + number - 1 for number in range(2, settings.api_workers + 1)}
