"""`freshet up`, `down`, `status` and `logs`."""

import sys
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from freshet import airflow_access as access
from freshet.errors import ConfigError, PermanentError
from freshet.settings import Settings, Source, load_settings
from local import cluster, launch, monitoring, running, source, supervisor
from local.cli import console
from local.overview import Overview, Row, lines, overview
from local.supervisor import Supervisor

WATCH_S = 2.0
STYLES = {"ready": "green", "fatal": "bold red", "backoff": "yellow"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command()(logs)


def up(
    source_name: Annotated[Source | None, typer.Option("--source", help="Where edits come from.")] = None,
    recording: Annotated[Path | None, typer.Option(help="NDJSON file, plain or .gz, for --source recording.")] = None,
    rate: Annotated[
        float | None, typer.Option(help="Events/s of a recording or simulation; 0: as fast as it goes.")
    ] = None,
    retime: Annotated[bool | None, typer.Option(help="Shift a recording's times to now.")] = None,
    airflow: Annotated[
        bool | None, typer.Option("--airflow/--no-airflow", help="Have Airflow repair and maintain, or leave it out.")
    ] = None,
    monitoring_: Annotated[
        bool | None,
        typer.Option(
            "--monitoring/--no-monitoring", help="Have exporter, Prometheus and Alertmanager, or leave them out."
        ),
    ] = None,
    cluster_: Annotated[
        bool | None,
        typer.Option(
            "--cluster/--no-cluster",
            help="Run Spark as a cluster of a master and workers, with two indexers and two API processes beside it.",
        ),
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once everything works, and leave it running.")
    ] = False,
) -> None:
    """Start the stack: broker, Postgres, Spark, the rooms, Airflow and what watches them."""
    asked = {
        "source": source_name,
        "recording": recording,
        "rate": rate,
        "retime": retime,
        "airflow": airflow,
        "monitoring": monitoring_,
        "cluster": cluster_,
    }
    settings = _doubled(load_settings(**{name: value for name, value in asked.items() if value is not None}))
    settings, sentence = source.resolve(settings)
    console.say(sentence)
    console.say(source.described_by(settings))
    try:
        start(settings, detach=detach)
        console.say(f"ready: pages at http://{settings.ui_host}:{settings.ui_port}/")
        console.say(f"API at http://{settings.api_host}:{settings.api_port}/docs")
        for sentence in (*cluster.sentences(settings), *monitoring.sentences(settings)):
            console.say(sentence)
        if access.embedded(settings):
            console.say(f"Airflow is starting: {access.sentence(settings)}")
        if detach:
            console.say("it goes on in the background: `freshet status`, `freshet ask`, `freshet down`")
        else:
            console.say("Ctrl-C ends it")
            _watch(settings)
    except KeyboardInterrupt:
        console.say("ending...")
        launch.down(settings)
        raise typer.Exit(130) from None


def _doubled(settings: Settings) -> Settings:
    """With a cluster two indexers and API processes, unless the settings say how many."""
    if not settings.cluster:
        return settings
    twice = {name: 2 for name in ("indexers", "api_workers") if name not in settings.model_fields_set}
    return settings.model_copy(update=twice)


def start(settings: Settings, *, detach: bool) -> Supervisor:
    """Start the stack with a live table of what each process does."""
    with Live(console=console.err, refresh_per_second=4, transient=False) as live:
        return launch.up(settings, detach=detach, report=lambda states: live.update(_starting(states)))


def down(
    remove: Annotated[
        bool, typer.Option("--remove", help="Delete the state as well: log, lake and documents.")
    ] = False,
) -> None:
    """End the stack. Its state is kept, and `freshet up` goes on from it."""
    settings = running.running_settings()
    ended = launch.down(settings)
    if remove:
        launch.remove_state(settings)
    console.say(f"ended: {', '.join(ended)}" if ended else f"nothing runs in {settings.state_dir}")


def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on showing it until Ctrl-C.")] = False,
) -> None:
    """Show every process with its state, pid, memory and lag, and how fresh the index is."""
    view = overview(running.running_settings())
    if as_json:
        console.emit(view.as_json())
    elif watch:
        view = _until_interrupted(view)
    else:
        console.out.print(_page(view))
    raise typer.Exit(0 if view.healthy else 1)


def logs(
    name: Annotated[str, typer.Argument(help="Process, as `freshet status` names it.")],
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines as they come.")] = False,
) -> None:
    """Print the end of a process' log."""
    settings = running.running_settings()
    file = supervisor.log_file(settings, name)
    if not file.exists():
        known = ", ".join(sorted(path.stem for path in file.parent.glob("*.log")))
        raise ConfigError(f"no log of {name!r} in {settings.state_dir}; there are: {known or 'none'}")
    with file.open(errors="replace") as stream:
        sys.stdout.writelines(deque(stream, maxlen=lines))
        sys.stdout.flush()
        while follow:
            sys.stdout.write(stream.read())
            sys.stdout.flush()
            time.sleep(0.3)


def _watch(settings: Settings) -> None:
    """Wait for ever, saying when a process changes its state."""
    control = Supervisor(settings)
    before: dict[str, str] = {}
    while control.is_up():
        now = {name: state.state for name, state in control.states().items()}
        for name, state in now.items():
            if before.get(name, "RUNNING") != state and state not in ("RUNNING", "STARTING"):
                console.say(f"{name}: {state.lower()}")
            elif name in before and before[name] != state == "RUNNING":
                console.say(f"{name}: running again")
        before = now
        time.sleep(1)
    raise PermanentError("the supervisor has ended; what it left is ended by `freshet down`")


def _starting(states: Mapping[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, state in states.items():
        table.add_row(name, f"[{STYLES.get(state, 'dim')}]{state}[/]")
    return table


def _until_interrupted(view: Overview) -> Overview:
    """Show the overview again and again. Returns the last one."""
    with suppress(KeyboardInterrupt), Live(_page(view), console=console.out, screen=console.out.is_terminal) as live:
        while True:
            time.sleep(WATCH_S)
            view = overview(running.running_settings())
            live.update(_page(view))
    return view


def _page(view: Overview) -> Group:
    return Group(_table(view.processes), *map(Text, lines(view.figures)))


def _table(rows: list[Row]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("process", "state", "pid", "memory MB", "lag"):
        table.add_column(column, justify="right" if column in ("pid", "memory MB", "lag") else "left")
    for row in rows:
        memory = f"{row.memory_mb:.0f}" if row.memory_mb is not None else "-"
        lag = "-" if row.lag is None else str(row.lag)
        table.add_row(row.name, f"[{STYLES.get(row.state, 'default')}]{row.state}[/]", str(row.pid or "-"), memory, lag)
    return table
