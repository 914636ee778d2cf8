"""A run: the transforms, the readers in Python, and the fuzzer that is guided by coverage."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, Final

from freshet.errors import PermanentError
from freshet.settings import CHECKOUT, Settings
from local.bench import material
from tests.fuzz import reading, transforming

SEEDS: Final = 2_000
CORPUS: Final = 200
MAX_BYTES: Final = 8192
READ_SHARE: Final = 0.1
"""For so many as the producer's parser reads, another reader reads one."""

Say = Callable[[str], None]


def run(settings: Settings, events: int, spark_events: int, guided: int, seed: int, say: Say) -> dict[str, Any]:
    """Damage events of the recording that the settings name, or simulated ones. How many, and what became of them.

    Raises PermanentError with the payload when something does not hold; then the same seed finds it again.
    """
    seeds = _seeds(settings)
    transformed = transforming.run(settings, seeds, spark_events, seed, say)
    fates = {"producer": reading.run("producer", seeds, events, seed)}
    say(f"{events:,} through the producer's parser")
    for name, of_it in (("stream", _framed(seeds)), *((name, transformed.messages) for name in ("indexer", "context"))):
        fates[name] = reading.run(name, of_it, max(1, round(events * READ_SHARE)), seed)
        say(f"{fates[name].total():,} through what reads for {name}")
    return {
        "spark": {"events": transformed.verdicts.total(), "verdicts": dict(transformed.verdicts.most_common())},
        "python": {name: {"events": one.total(), "fates": dict(one.most_common())} for name, one in fates.items()},
        "guided": _guided(seeds, guided, seed, say),
        "seed": seed,
        "source": settings.source.value,
    }


def _seeds(settings: Settings) -> list[bytes]:
    return [material.as_record(event) for event in islice(material.events(settings.recording), SEEDS)]


def _framed(seeds: Sequence[bytes]) -> list[bytes]:
    return [b'id: [{"timestamp":1}]\ndata: %s\n\nevent: message\ndata: %s\n\n' % (seed, seed[:9]) for seed in seeds]


def _guided(seeds: Sequence[bytes], runs: int, seed: int, say: Say) -> dict[str, int] | None:
    """What the fuzzer did; None where there is none for this machine."""
    if find_spec("atheris") is None:
        say("without the fuzzer that is guided by coverage: atheris has no build for this machine")
        return None
    with tempfile.TemporaryDirectory(prefix="freshet-fuzz-") as folder:
        _write_corpus(Path(folder), seeds[:CORPUS])
        options = [f"-atheris_runs={runs}", f"-seed={seed}", f"-max_len={MAX_BYTES}", f"-artifact_prefix={folder}/"]
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.guided", folder, *options],
            cwd=CHECKOUT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    last = re.findall(r"cov: (\d+) ft: (\d+)", done.stderr)
    if done.returncode or not last:
        raise PermanentError(f"the guided fuzzer found something:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    coverage, features = map(int, last[-1])
    say(f"{runs:,} by the guided fuzzer")
    return {"runs": runs, "coverage": coverage, "features": features}


def _write_corpus(folder: Path, seeds: Sequence[bytes]) -> None:
    """Payloads to begin with, for each who reads."""
    for target, name in enumerate(reading.READERS):
        for number, seed in enumerate(_framed(seeds) if name == "stream" else seeds):
            (folder / f"{name}-{number}").write_bytes(bytes([target]) + seed)
