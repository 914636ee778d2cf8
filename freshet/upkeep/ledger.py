"""Breaches in a small file beside those in Postgres: that Postgres is away is itself a breach, to be told once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from freshet.store.sla import Breach
from freshet.telemetry import logs


@dataclass(frozen=True)
class Left:
    """The breaches as one run left them, and whether Postgres has them so."""

    breaches: Sequence[Breach]
    kept: bool

    @property
    def unkept(self) -> Sequence[Breach]:
        """What Postgres has still to be given."""
        return () if self.kept else self.breaches


def read(file: Path) -> Left:
    """What the last run left; nothing when there is no such file, or one that nobody can read."""
    try:
        content = json.loads(file.read_text())
        return Left([_breach(row) for row in content["breaches"]], content["kept"])
    except FileNotFoundError:
        return Left((), kept=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        logs.get().warning("the file of breaches cannot be read", file=str(file), error=str(error))
        return Left((), kept=True)


def write(file: Path, left: Left) -> None:
    """Leave these for the next run. A file that cannot be written is only logged: Postgres may have them."""
    new = file.with_suffix(".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(json.dumps({"kept": left.kept, "breaches": [_row(one) for one in left.breaches]}))
        new.replace(file)
    except OSError as error:
        logs.get().warning("the file of breaches cannot be written", file=str(file), error=str(error))


def merge(stored: Sequence[Breach], left: Sequence[Breach]) -> list[Breach]:
    """What Postgres has and what the file has, by id: ended is later than lasting, and told is told."""
    known = {one.breach_id: one for one in stored}
    for one in left:
        known[one.breach_id] = _both(known.get(one.breach_id, one), one)
    return sorted(known.values(), key=lambda one: (one.begun_at, one.name))


def _both(one: Breach, other: Breach) -> Breach:
    return replace(
        one,
        ended_at=one.ended_at or other.ended_at,
        told_begin=sorted({*one.told_begin, *other.told_begin}),
        told_end=sorted({*one.told_end, *other.told_end}),
    )


def _row(one: Breach) -> dict[str, Any]:
    times = {"begun_at": one.begun_at.isoformat(), "ended_at": one.ended_at.isoformat() if one.ended_at else None}
    return {**vars(one), "breach_id": str(one.breach_id), **times}


def _breach(row: dict[str, Any]) -> Breach:
    ended_at = datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None
    times = {"begun_at": datetime.fromisoformat(row["begun_at"]), "ended_at": ended_at}
    return Breach(**{**row, "breach_id": UUID(row["breach_id"]), **times})
