"""What a multiple of the real stream needs: arithmetic on what was measured, nothing of it was run."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

FIREHOSE: Final = 40.0
"""Events/s of Wikimedia's stream, about."""

TIMES: Final = (1, 10, 100)

DAY_S: Final = 86_400


def sizing(rows: Sequence[Mapping[str, Any]], sizes: Mapping[str, Any]) -> dict[str, Any]:
    """By multiple: events and documents, what each stage and what works beside it keep busy, and gigabytes a day.

    `rows` are those of `growth.figures`; of each stage the last one counts. `cores` are those of a steady rate: to work
    off a backlog takes more.
    """
    stages = {row["stage"]: row for row in rows}
    return {f"{times}x": _at(FIREHOSE * times, stages, sizes) for times in TIMES}


def _at(rate: float, stages: Mapping[str, Mapping[str, Any]], sizes: Mapping[str, Any]) -> dict[str, Any]:
    documents = rate * sizes["documents_per_event"]
    cores: dict[str, float] = {}
    for stage, row in stages.items():
        if not row["per_second"]:
            continue
        share = (documents if stage == "indexer" else rate) / row["per_second"]
        cores[stage] = row["cores"] * share
        for name, beside in row["cores_beside"].items():
            if name != "eventstreams":
                cores[name] = cores.get(name, 0.0) + beside * share
    return {
        "events_per_second": rate,
        "documents_per_second": round(documents, 1),
        "cores": {name: round(busy, 2) for name, busy in cores.items()},
        "million_documents_per_day": round(documents * DAY_S / 1e6, 2),
        "log_gb_per_day": round(rate * DAY_S * sum(sizes["log_bytes_per_event"].values()) / 1e9, 1),
        "lake_gb_per_day": round(rate * DAY_S * sum(sizes["lake_bytes_per_event"].values()) / 1e9, 1),
    }
