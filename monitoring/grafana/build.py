"""From plain data to Grafana's JSON, by the types that Grafana Labs makes of its own schema."""

import json
from collections.abc import Callable
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import common as visual
from grafana_foundation_sdk.builders import dashboard as sdk
from grafana_foundation_sdk.builders import heatmap, prometheus, stat, statetimeline, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import heatmap as heat
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from monitoring.grafana.boards import TITLES
from monitoring.grafana.events import EVENTS, STEP
from monitoring.grafana.panels import Board, Event, Kind, Limits, Panel

Built = TypeVar("Built", stat.Panel, timeseries.Panel, statetimeline.Panel, heatmap.Panel)

SOURCE: Final = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
WITH: Final = "${__url_time_range}&${datasource:queryparam}"
"""What a link takes along: the time shown and the data source."""


class Mark(model.AnnotationQuery):
    """An annotation with the fields of Prometheus' own, which the schema leaves to the data source."""

    def __init__(self, event: Event) -> None:
        super().__init__(name=event.name, datasource=SOURCE, icon_color=event.colour, expr=event.expr)
        self._title = event.title

    def to_json(self) -> dict[str, object]:
        """The schema's fields and those."""
        return {**super().to_json(), "step": STEP, "titleFormat": self._title, "tagKeys": "job,dag_id,model"}


def text(board: Board) -> str:
    """The dashboard's file."""
    return json.dumps(built(board), cls=JSONEncoder, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def built(board: Board) -> model.Dashboard:
    """The dashboard by Grafana's types."""
    made = (
        sdk.Dashboard(board.title)
        .uid(board.uid)
        .description(board.says)
        .tags(["freshet"])
        .time(board.since, "now")
        .refresh("30s")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .with_variable(sdk.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .links([_to(uid) for uid in TITLES if uid != board.uid])
    )
    number = 0
    for row in board.rows:
        number += 1
        made = made.with_row(sdk.Row(row.title).id(number))
        for panel in row.panels:
            number += 1
            made = made.with_panel(KINDS[panel.kind](panel, number))
    dashboard = made.build()
    dashboard.annotations = model.AnnotationContainer(list_val=[Mark(event) for event in EVENTS])
    return dashboard


def _to(uid: str) -> sdk.DashboardLink:
    link = sdk.DashboardLink(TITLES[uid]).type(model.DashboardLinkType.LINK).icon("dashboard").url(f"/d/{uid}")
    return link.keep_time(True).include_vars(True)


def _with_common(made: Built, panel: Panel, number: int) -> Built:
    """What every kind of panel has."""
    made = (
        made.id(number)
        .title(panel.title)
        .description(panel.description)
        .datasource(SOURCE)
        .span(panel.span)
        .height(panel.height)
    )
    if panel.more:
        url = f"/d/{panel.more}?{WITH}"
        made = made.links([sdk.DashboardLink(TITLES[panel.more]).type(model.DashboardLinkType.LINK).url(url)])
    for name, query in zip("ABCDEFGH", panel.queries, strict=False):
        asked = prometheus.Dataquery().ref_id(name).expr(query.expr).legend_format(query.legend).datasource(SOURCE)
        if panel.kind == "heatmap":
            asked = asked.format(PromQueryFormat.HEATMAP)
        made = made.with_target(asked.instant() if panel.kind == "stat" else asked.range())
    return made


def _stat(panel: Panel, number: int) -> stat.Panel:
    made = (
        _with_common(stat.Panel(), panel, number)
        .unit(panel.unit)
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.NONE)
        .color_scheme(sdk.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .reduce_options(visual.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(_steps(panel.limits))
    )
    several = len(panel.queries) > 1 or "{{" in panel.queries[0].legend
    made = made.text_mode(common.BigValueTextMode.VALUE_AND_NAME if several else common.BigValueTextMode.VALUE)
    return made.no_value(panel.without) if panel.without else made


def _series(panel: Panel, number: int) -> timeseries.Panel:
    made = (
        _with_common(timeseries.Panel(), panel, number)
        .unit(panel.unit)
        .color_scheme(sdk.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
        .axis_soft_min(0)
        .line_width(1)
        .fill_opacity(0 if panel.kind == "series" else 40)
        .show_points(common.VisibilityMode.NEVER)
        .legend(_legend(panel).calcs(["lastNotNull", "max"]))
        .tooltip(visual.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING))
        .thresholds(_steps(panel.limits))
    )
    if panel.limits:
        dashed = visual.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        made = made.thresholds_style(dashed)
    if panel.kind == "series":
        return made
    if panel.kind == "bars":
        made = made.draw_style(common.GraphDrawStyle.BARS)
    return made.stacking(visual.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))


def _states(panel: Panel, number: int) -> statetimeline.Panel:
    names: list[model.ValueMapping] = [
        model.ValueMap({value: model.ValueMappingResult(*shown) for value, shown in panel.names.items()})
    ]
    return (
        _with_common(statetimeline.Panel(), panel, number)
        .unit(panel.unit)
        .color_scheme(sdk.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .mappings(names)
        .thresholds(_steps(panel.limits))
        .merge_values(True)
        .show_value(common.VisibilityMode.NEVER)
        .row_height(0.8)
        .legend(_legend(panel))
    )


def _heatmap(panel: Panel, number: int) -> heatmap.Panel:
    colours = heatmap.HeatmapColorOptions().mode(heat.HeatmapColorMode.SCHEME).scheme("Blues").steps(64)
    return (
        _with_common(heatmap.Panel(), panel, number)
        .unit("short")
        .calculate(False)
        .color(colours.scale(heat.HeatmapColorScale.EXPONENTIAL).exponent(0.5).fill("blue"))
        .y_axis(heatmap.YAxisConfig().unit(panel.unit).axis_placement(common.AxisPlacement.LEFT))
        .rows_frame(heatmap.RowsHeatmapOptions().layout(common.HeatmapCellLayout.AUTO))
        .filter_values(heatmap.FilterValueRange().le(1e-9))
        .cell_gap(1)
        .show_legend()
        .mode(common.TooltipDisplayMode.SINGLE)
    )


def _legend(panel: Panel) -> visual.VizLegendOptions:
    wide = panel.kind == "series" and panel.span >= 12 and panel.height <= 6
    made = visual.VizLegendOptions().show_legend(True)
    made = made.display_mode(common.LegendDisplayMode.TABLE if wide else common.LegendDisplayMode.LIST)
    return made.placement(common.LegendPlacement.RIGHT if wide else common.LegendPlacement.BOTTOM)


def _steps(limits: Limits | None) -> sdk.ThresholdsConfig:
    """Green, yellow, red upwards; or downwards where less is worse."""
    steps: list[tuple[float | None, str]]
    if limits is None:
        steps = [(None, "green")]
    elif limits.bad < limits.look:
        steps = [(None, "red"), (limits.bad, "yellow"), (limits.look, "green")]
    elif limits.bad == limits.look:
        steps = [(None, "green"), (limits.bad, "red")]
    else:
        steps = [(None, "green"), (limits.look, "yellow"), (limits.bad, "red")]
    of_model = [model.Threshold(value, colour) for value, colour in steps]
    return sdk.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(of_model)


KINDS: Final[
    dict[Kind, Callable[[Panel, int], stat.Panel | timeseries.Panel | statetimeline.Panel | heatmap.Panel]]
] = {
    "stat": _stat,
    "series": _series,
    "bars": _series,
    "stacked": _series,
    "states": _states,
    "heatmap": _heatmap,
}
