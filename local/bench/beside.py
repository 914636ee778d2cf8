"""A backfill that runs beside a measurement."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from freshet.environment import environment_of
from freshet.errors import PermanentError
from freshet.settings import CHECKOUT, Settings
from local.bench import material

MARGIN_S = 30
"""For so long it has more to read than the measurement takes, so that it does not end before."""


@contextmanager
def backfilling(settings: Settings, rate: float, seconds: float, live_before: int) -> Iterator[dict[str, Any]]:
    """An archive is read at this rate until the block ends; afterwards the report is in what was given.

    Its texts are none of the first `live_before`, which the live stream sends: each costs an embedding. Raises
    PermanentError when it ends too soon.
    """
    archive = settings.state_dir / "backfill.ndjson"
    found = islice(material.events(settings.recording), live_before, live_before + round(rate * (seconds + MARGIN_S)))
    with archive.open("w") as file:
        file.writelines(json.dumps(_another(event)) + "\n" for event in found)
    report: dict[str, Any] = {}
    with (settings.state_dir / "logs" / "backfill.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "producer.backfill", "--archive", str(archive), "--rate", f"{rate:g}", "--json"],
            cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=log, text=True,
            env={**os.environ, **environment_of(settings)},
        )  # fmt: skip
        try:
            yield report
            if child.poll() is not None:
                raise PermanentError(f"the backfill ended before the measurement; see {log.name}")
        finally:
            child.terminate()
            said, _ = child.communicate()
            archive.unlink()
    report.update(json.loads(said))


def _another(event: dict[str, Any]) -> dict[str, Any]:
    """The same edit as an event of its own: the lake knows one by its id and time, and the time was moved."""
    return {**event, "meta": {**event["meta"], "id": str(uuid.uuid4())}}
