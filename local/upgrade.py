"""Whether this code can go on from what is kept: asked before a start after an update."""

import importlib.metadata
import re
from collections.abc import Iterator

from freshet.errors import ConfigError, FreshetError, PermanentError
from freshet.settings import Settings
from freshet.store.migrate import lacking
from local.airflow import configuration as airflow
from local.backup import engines, target
from local.doctor import Finding

BACK = "update Freshet, or restore the backup of before (docs/operations.md)"


def examine(settings: Settings) -> Iterator[Finding]:
    """All checks, one by one, with the engines started for it when nothing runs. They change nothing."""
    if engines.are_new(settings):
        yield Finding("store", True, "nothing is kept yet")
        return
    with engines.running(settings):
        yield _store(settings)
        if settings.airflow:
            yield _airflow(settings)
        yield _checkpoints(settings)


def _store(settings: Settings) -> Finding:
    try:
        names = lacking(settings.conninfo)
    except PermanentError as error:
        return Finding("store", False, str(error), BACK)
    except FreshetError as error:
        return Finding("store", False, str(error), "start Postgres, or mend its address")
    return Finding("store", True, f"the next start applies {', '.join(names)}" if names else "has all migrations")


def _airflow(settings: Settings) -> Finding:
    """What the database was last migrated for, against what is installed; Airflow migrates forward at its start."""
    here, file = importlib.metadata.version("apache-airflow-core"), airflow.home(settings) / "migrated"
    kept = file.read_text() if file.exists() else None
    if kept is None or kept == here:
        return Finding("Airflow's database", True, f"as {here} wants it" if kept else f"made or migrated by {here}")
    well = _numbers(kept) < _numbers(here)
    seen = f"of {kept}, installed is {here}" + (": the next start migrates it" if well else "")
    return Finding("Airflow's database", well, seen, BACK)


def _checkpoints(settings: Settings) -> Finding:
    try:
        wrong = target.misfits(settings)
    except ConfigError:
        return Finding("checkpoints", True, f"not looked at: {settings.lake.root} is on no disk of this machine")
    except FreshetError as error:
        return Finding("checkpoints", False, str(error), "start the broker, or mend its address")
    advice = "the lake is of another log: restore both together (docs/operations.md)"
    return Finding("checkpoints", not wrong, "; ".join(wrong) or "fit the log's partitions and offsets", advice)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
