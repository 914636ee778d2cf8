"""`freshet chaos` and `freshet soak`: what is promised is attacked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from freshet.settings import Source
from local import launch
from local.bench.temporary import temporary_stack
from local.cli import console


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(chaos)
    app.command()(soak)


Recording = Annotated[Path | None, typer.Option(help="NDJSON file of real events; without it they are simulated.")]
Airflow = Annotated[bool, typer.Option("--airflow/--no-airflow", help="With Airflow, or without.")]
AsJson = Annotated[bool, typer.Option("--json", help="End with one JSON object on standard output.")]


def chaos(
    minutes: Annotated[float, typer.Option(min=0.2, help="How long faults happen.")] = 10,
    rate: Annotated[float, typer.Option(min=0.1, help="Events/s.")] = 100,
    seed: Annotated[int, typer.Option(help="Which faults when: the same seed gives the same ones.")] = 1,
    recording: Recording = None,
    airflow: Airflow = True,
    as_json: AsJson = False,
) -> None:
    """Kill, stop and starve the parts of a stack under load, then see that every event is in every store once.

    It starts a stack of its own, which is gone afterwards. Exits with 1 when the books do not balance.
    """
    from local.chaos.run import run

    console.say("starting a stack to break")
    overrides = {**_stream(recording, rate), "airflow": airflow, "monitoring": False}
    with temporary_stack(lambda _: None, overrides=overrides) as settings:
        found = run(settings, 60 * minutes, seed, console.say)
    if as_json:
        console.emit(found)
    else:
        _show(found)
    raise typer.Exit(0 if found["balanced"] else 1)


def soak(
    minutes: Annotated[float, typer.Option(min=1, help="How long.")] = 60,
    rate: Annotated[float, typer.Option(min=0.1, help="Events/s.")] = 60,
    recording: Recording = None,
    airflow: Airflow = True,
    as_json: AsJson = False,
) -> None:
    """Run a stack with everything on for long: memory and file handles of each process, and freshness, then and now.

    It starts a stack of its own, which is gone afterwards.
    """
    from local.soak import run

    console.say("starting a stack with everything on")
    with temporary_stack(lambda _: None, overrides={**_stream(recording, rate), "airflow": airflow}) as settings:
        launch.await_all(settings)
        found = run(settings, 60 * minutes, console.say)
    if as_json:
        console.emit(found)
    else:
        _show_soak(found)


def _stream(recording: Path | None, rate: float) -> dict[str, Any]:
    source = {"source": Source.RECORDING, "recording": recording} if recording else {"source": Source.SIMULATED}
    return {**source, "rate": rate, "retime": True}


def _show(found: Mapping[str, Any]) -> None:
    table = Table("fault", "count", "longest recovery, s", "longest staleness, s")
    for name, one in found["faults"].items():
        table.add_row(
            name,
            *(
                "-" if one[key] is None else str(one[key])
                for key in ("count", "longest_recovery_s", "longest_staleness_s")
            ),
        )
    console.out.print(table)
    words = ("kills", "lost", "doubled", "longest_recovery_s", "longest_staleness_s")
    console.out.print(", ".join(f"{name} {found[name]}" for name in words), soft_wrap=True)
    for one in found["books"]["imbalances"]:
        console.out.print(f"imbalance: {one['store']}: {one['count']} {one['kind']}", markup=False, soft_wrap=True)
    console.out.print("balanced" if found["balanced"] else "NOT balanced")


def _show_soak(found: Mapping[str, Any]) -> None:
    table = Table("process", "memory, MB", "slope, MB/h", "file handles", "slope, 1/h")
    for name, kept in found["processes"].items():
        memory, handles = kept["memory_mb"], kept["handles"]
        table.add_row(
            name,
            f"{memory['first']:.0f} -> {memory['last']:.0f}",
            f"{memory['slope_mb_per_hour']:+.1f}",
            f"{handles['first']:.0f} -> {handles['last']:.0f}",
            f"{handles['slope_per_hour']:+.1f}",
        )
        for part, mb in kept["parts_mb"].items():
            table.add_row(f"  {part}", f"{mb['first']:.0f} -> {mb['last']:.0f}", f"{mb['slope_mb_per_hour']:+.1f}")
    console.out.print(table)
    fresh = found["received_to_searchable_ms"]
    first, last = (fresh[window].get("p95") for window in ("first", "last"))
    console.out.print(f"received -> searchable p95: {first} ms at first, {last} ms at last, ratio {fresh['p95_ratio']}")
    jobs = found["airflow_seconds"] or dict.fromkeys(("first", "last"), "not known")
    console.out.print(f"beside it worked Airflow's runs, s: {jobs['first']} at first, {jobs['last']} at last")
    console.out.print(f"answers by HTTP status: {found['answers']}; restarted: {found['restarts'] or 'none'}")
