"""`freshet bench ...`: every figure in the documentation is printed by one of these."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from freshet.errors import ConfigError
from freshet.settings import CHECKOUT, Source
from local import launch, ports, running
from local.bench import api, backlog, context, freshness, growth, moving, pages, retrieval, scale, telemetry
from local.bench.refusal import plot
from local.bench.temporary import temporary_stack
from local.cli import console
from local.stack import ENGINES
from local.supervisor import Supervisor

app = typer.Typer(no_args_is_help=True, help="Measure; each run starts and ends a stack of its own.")

DATA = CHECKOUT.parent / "shared" / "data"
"""Where recordings and judged questions are looked for: beside the checkout, as the tests do."""

AsJson = Annotated[bool, typer.Option("--json", help="End with one JSON object on standard output.")]
Recording = Annotated[Path | None, typer.Option(help="NDJSON file of real events; without it they are simulated.")]
Partitions = Annotated[int, typer.Option(min=1, max=256, help="Partitions of each topic.")]


@app.command("freshness")
def bench_freshness(
    rate: Annotated[float, typer.Option(min=0.1, help="Events/s.")] = 40,
    seconds: Annotated[float, typer.Option(min=1, help="How long to measure, s.")] = 60,
    recording: Recording = None,
    backfill: Annotated[float, typer.Option(min=0, help="Then again beside a backfill of so many events/s.")] = 0,
    use_running: Annotated[bool, typer.Option("--running", help="Measure the running stack, at its own rate.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure received -> searchable and event -> searchable, per stage, with CPU and memory per process."""
    if use_running:
        if backfill:
            raise ConfigError("--backfill would put made-up edits into the running stack: leave out --running")
        _finish(freshness.measure(running.running_settings(), seconds, console.say), as_json)
        return
    with temporary_stack(_report, overrides={**_source(recording), "rate": rate, "retime": True}) as settings:
        console.say("waiting for Airflow")
        launch.await_all(settings)
        _finish(freshness.measure(settings, seconds, console.say, backfill), as_json)


@app.command("lake")
def bench_lake(
    events: Annotated[int, typer.Option(min=1, help="How many raw events, after those of the warm-up.")] = 400_000,
    partitions: Partitions = 4,
    recording: Recording = None,
    use_running: Annotated[bool, typer.Option("--running", help="Drain the running stack's log instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure raw -> bronze + silver + gold on a backlog, events/s. The tables are a lake of its own."""
    if use_running:
        _finish(backlog.lake(running.running_settings(), console.say), as_json)
        return
    given = {**_source(recording), "kafka_partitions": partitions}
    with temporary_stack(_report, only=ENGINES, overrides=given) as settings:
        backlog.fill(settings, events, console.say)
        _finish(backlog.lake(settings, console.say), as_json)


@app.command("index")
def bench_index(
    documents: Annotated[int, typer.Option(min=2, help="How many gold documents.")] = 2_000,
    indexers: Annotated[int, typer.Option(min=1, max=16, help="How many processes share the partitions.")] = 1,
    partitions: Partitions = 4,
    recording: Recording = None,
    use_running: Annotated[bool, typer.Option("--running", help="Index the running stack's gold topic.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure gold topic -> searchable on a backlog, documents/s. The index is a database of its own."""
    if use_running:
        _finish(backlog.index(running.running_settings(), documents, console.say, indexers), as_json)
        return
    given = {**_source(recording), "kafka_partitions": partitions}
    with temporary_stack(_report, only=(*ENGINES, "serve"), overrides=given) as settings:
        backlog.make_documents(settings, documents, console.say)
        Supervisor(settings).stop("serve")
        _finish(backlog.index(settings, documents, console.say, indexers), as_json)


@app.command("scale")
def bench_scale(
    partitions: Annotated[str, typer.Option(help="Numbers of partitions, separated by commas.")] = "1,2,4",
    indexers: Annotated[str, typer.Option(help="Numbers of indexers, separated by commas.")] = "1,2",
    events: Annotated[int, typer.Option(min=100, help="How many raw events; half of them warm up.")] = 400_000,
    documents: Annotated[int, typer.Option(min=2, help="How many gold documents each indexer's run makes.")] = 2_000,
    recording: Recording = None,
    as_json: AsJson = False,
) -> None:
    """Measure each stage by itself on a backlog, by partitions and indexers: its rate, its cores, and how both grow."""
    numbers = _numbers("--partitions", partitions), _numbers("--indexers", indexers)
    result = scale.measure(scale.Asked(*numbers, events, documents, recording), _report, console.say)
    if not as_json:
        for line in growth.lines(result.pop("stages")):
            console.out.print(line, markup=False, soft_wrap=True)
        for times, needs in result.pop("sizing").items():
            console.out.print(f"{times}: {needs}", markup=False, soft_wrap=True)
    _finish(result, as_json)


@app.command("retrieval")
def bench_retrieval(
    documents: Annotated[int, typer.Option(min=100, help="Documents of the large store.")] = 200_000,
    data: Annotated[Path, typer.Option(help="Folder of the recording and the judged questions.")] = DATA,
    as_json: AsJson = False,
) -> None:
    """Measure searches: nDCG@10 and recall@10 on judged questions, refusals, recall of the index, milliseconds."""
    if missing := [name for name in retrieval.FILES if not (data / name).is_file()]:
        raise ConfigError(f"{data} lacks {', '.join(missing)}: name another folder by --data")
    given = {**_source(data / retrieval.RECORDING), **retrieval.overrides(data)}
    only = (*ENGINES, "serve", "indexer", "wikidata", "context", "api")
    with temporary_stack(_report, only=only, overrides=given) as settings:
        result = retrieval.measure(settings, data, documents, console.say)
    if not as_json:
        curves = result["refusal"].pop("curve")
        for score, points in curves.items():
            console.out.print(f"share of questions with an edit whose {score} is at least", markup=False)
            console.out.print("\n".join(plot(points)), markup=False, soft_wrap=True)
    _finish(result, as_json)


@app.command("context")
def bench_context(
    minutes: Annotated[float, typer.Option(min=0.1, help="How long what is known of pages gathers.")] = 10,
    seconds: Annotated[float, typer.Option(min=1, help="How long freshness is measured without and with it, s.")] = 60,
    rate: Annotated[float, typer.Option(min=0.1, help="Events/s.")] = 40,
    latency_ms: Annotated[
        int, typer.Option(min=0, help="How long the stand-in for Wikidata takes to answer, ms.")
    ] = 300,
    recording: Recording = None,
    descriptions: Annotated[Path | None, typer.Option(help="NDJSON file of what the stand-in knows of pages.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure received -> found by what the page is about, what asking takes, and what it costs the stream."""
    given = {**_source(recording), "rate": rate, "retime": True, "context_descriptions": descriptions}
    with temporary_stack(_report, hold=(context.PROCESS,), overrides={**given, "airflow": False}) as settings:
        _finish(context.measure(settings, minutes, seconds, latency_ms, console.say), as_json)


@app.command("api")
def bench_api(
    users: Annotated[str, typer.Option(help="Numbers of simultaneous users, separated by commas.")] = "200,500",
    seconds: Annotated[float, typer.Option(min=1, help="How long each of them goes on, s.")] = 20,
    pages: Annotated[int, typer.Option(min=1, help="How many different questions they ask, each about a page.")] = 50,
    recording: Recording = None,
    as_json: AsJson = False,
) -> None:
    """Measure many users at once: answers by a stand-in for a model that takes 2 s, and searches."""
    numbers = _numbers("--users", users)
    (port,) = ports.find_free(1)
    given = {**_source(recording), **api.overrides(port)}
    only = (*ENGINES, "serve", "indexer", "api")
    with api.stand_in(port) as model, temporary_stack(_report, only=only, overrides=given) as settings:
        _finish(api.measure(settings, model, numbers, seconds, pages, console.say), as_json)


@app.command("reembed")
def bench_reembed(
    documents: Annotated[int, typer.Option(min=100, help="How many documents, each with a text of its own.")] = 20_000,
    recording: Recording = None,
    as_json: AsJson = False,
) -> None:
    """Measure the move to a second model and back while searches go on. Events of all types become documents."""
    with tempfile.TemporaryDirectory(prefix="freshet-bench-models-") as folder:
        moving.second_model(Path(folder))
        given = {**_source(recording), "models_dir": folder}
        with temporary_stack(_report, only=(*ENGINES, "indexer", "api"), overrides=given) as settings:
            _finish(moving.measure(settings, documents, console.say), as_json)


@app.command("pages")
def bench_pages(
    loads: Annotated[int, typer.Option(min=1, help="How often the page is loaded, each time by a new browser.")] = 10,
    open_pages: Annotated[int, typer.Option("--pages", min=1, help="How many pages are open beside searches.")] = 50,
    seconds: Annotated[float, typer.Option(min=1, help="How long each of the four runs of searches is, s.")] = 20,
    minutes: Annotated[float, typer.Option(min=0, help="How long one page stays open; 0: that is left out.")] = 5,
    rate: Annotated[float, typer.Option(min=0.1, help="Events/s.")] = 50,
    recording: Recording = None,
    as_json: AsJson = False,
) -> None:
    """Measure the page in Chromium: its load, searches beside open pages, memory and CPU of one that stays open."""
    pages.check(recording, rate, pages.duration(loads, seconds, minutes))
    given = {**_source(recording), "rate": rate, "retime": True, "airflow": False}
    only = (*ENGINES, "eventstreams", "producer", "serve", "indexer", "api", "ui")
    with temporary_stack(_report, only=only, overrides=given) as settings:
        _finish(pages.measure(settings, loads, open_pages, seconds, minutes, console.say), as_json)


@app.command("metrics")
def bench_metrics(
    rate: Annotated[float, typer.Option(min=0.1, help="Events/s.")] = 40,
    seconds: Annotated[float, typer.Option(min=1, help="How long those that watch are watched, s.")] = 60,
    as_json: AsJson = False,
) -> None:
    """Measure what metrics cost: counting in the processes, scraping them, exporter, Prometheus and Alertmanager."""
    with temporary_stack(_report, overrides={**_source(None), "rate": rate, "airflow": False}) as settings:
        _finish(telemetry.measure(settings, rate, seconds, console.say), as_json)


def _numbers(option: str, text: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = [0]
    if min(numbers) < 1:
        raise ConfigError(f"{option} {text}: numbers from 1 on, separated by commas")
    return numbers


def _source(recording: Path | None) -> dict[str, Any]:
    return {"source": Source.RECORDING, "recording": recording} if recording else {"source": Source.SIMULATED}


def _report(states: Mapping[str, str]) -> None:
    """The start of a temporary stack needs no table."""
    del states


def _finish(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        console.emit(result)
        return
    for name, value in result.items():
        console.out.print(f"{name}: {value}", markup=False)
