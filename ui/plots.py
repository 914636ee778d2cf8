"""The pipeline's last hour as plots, and its tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import gradio as gr
import pandas as pd

from ui import render
from ui.client import ApiAwayError, Client, RefusedError

COLOURS: Final = ("#2563eb", "#0f766e", "#b45309", "#be185d")
"""To be told apart on white and on black, also by who does not see red and green."""


@dataclass(frozen=True)
class Plot:
    """Which fields of a point of history are lines, and what they are called."""

    title: str
    unit: str
    lines: Mapping[str, str]


PLOTS: Final = (
    Plot(
        "Throughput", "records/s",
        {"received_per_second": "received", "silver_per_second": "silver", "gold_per_second": "gold",
         "searchable_per_second": "searchable"},
    ),
    Plot(
        "Lag", "records",
        {"lag_serve": "serve query", "lag_indexer": "indexer", "lag_lake": "lake query"},
    ),
    Plot("Freshness", "ms to searchable", {"p50_ms": "p50", "p95_ms": "p95"}),
    Plot(
        "Errors", "per minute",
        {"rejected_per_minute": "rejected records", "api_errors_per_minute": "failed requests",
         "model_failures_per_minute": "model failures"},
    ),
)  # fmt: skip


class Pipeline:
    """The events of the pipeline's tab."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def show(self) -> list[Any]:
        """The tables and every plot; without the API the tables say so, and the plots stay."""
        try:
            seen = await self._client.get("/v1/pipeline")
        except (ApiAwayError, RefusedError) as error:
            return [render.problem("The API does not answer", f"{error}. Trying again."), *[gr.skip()] * len(PLOTS)]
        points = seen["history"]["points"]
        return [render.pipeline(seen), *(frame(plot, points) for plot in PLOTS)]


def empty(plot: Plot) -> gr.LinePlot:
    """A plot before there is anything to plot."""
    return gr.LinePlot(
        frame(plot, []), x="at", y="value", color="line", title=plot.title,
        x_title=" ", y_title=plot.unit, color_title=" ", height=260, y_lim=[0, None], label=plot.title,
        show_label=False,
        color_map=dict(zip(plot.lines.values(), COLOURS, strict=False)), min_width=280, buttons=[],
    )  # fmt: skip


def frame(plot: Plot, points: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A row for each line and point; what is not known is left out.

    The first has every line without a value: a plot takes its lines and the types of its axes from what it is first
    given.
    """
    now = datetime.now(UTC).isoformat()
    rows = [{"at": now, "value": None, "line": line} for line in plot.lines.values()]
    rows += [
        {"at": point["at"], "value": point[name], "line": line}
        for point in points
        for name, line in plot.lines.items()
        if point.get(name) is not None
    ]
    table = pd.DataFrame(rows)
    return table.assign(at=pd.to_datetime(table["at"], utc=True, format="ISO8601"), value=table["value"].astype(float))
