"""`freshet demo`: from nothing to a cited answer about what is really in the stream."""

import time
from datetime import UTC, datetime, timedelta

import psycopg
import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from freshet.context_source import url_of
from freshet.errors import PermanentError
from freshet.settings import Settings, load_settings
from freshet.store import busy, context, freshness
from local import running, source
from local.cli import console, questions
from local.cli.stack import start
from local.supervisor import Supervisor

ENOUGH_DOCUMENTS = 50
TIMEOUT_S = 180
DESCRIPTIONS_S = 15
LATEST = timedelta(seconds=10)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo() -> None:
    """Start the stack, wait until edits are searchable, ask about the busiest page, and leave the stack up."""
    began = time.monotonic()
    settings = running.running_settings()
    if Supervisor(settings).is_up():
        console.say(f"a stack already runs in {settings.state_dir}: asking that one")
    else:
        settings, sentence = source.resolve(load_settings())
        console.say(sentence)
        console.say(source.described_by(settings))
        start(settings, detach=True)
    _await_documents(settings)
    _await_descriptions(settings)
    question = _question(settings)
    console.say(f"\nasking: {question}\n")
    questions.show_answer(questions.call("POST", "/v1/ask", {"question": question}))
    _show_freshness(settings, time.monotonic() - began)
    console.say(f"the API is at http://{settings.api_host}:{settings.api_port}/docs and stays up")
    console.say('more: .venv/bin/freshet ask "...", status, trace DOC_ID, audit; the end: .venv/bin/freshet down')
    console.say(f"ask, watch the stream, and see why: http://{settings.ui_host}:{settings.ui_port}/")


def _await_documents(settings: Settings) -> None:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    deadline = time.monotonic() + TIMEOUT_S
    with (
        Progress(*columns, console=console.err) as progress,
        psycopg.connect(settings.conninfo, autocommit=True) as store,
    ):
        task = progress.add_task("waiting for searchable edits")
        while (there := freshness.count_documents(store)) < ENOUGH_DOCUMENTS:
            if time.monotonic() > deadline:
                raise PermanentError(
                    f"only {there} searchable edits after {TIMEOUT_S} s: see `freshet status` and `freshet logs`"
                )
            progress.update(task, description=f"waiting for searchable edits: {there} of {ENOUGH_DOCUMENTS}")
            time.sleep(0.5)
        progress.update(task, description=f"{there} edits are searchable")


def _await_descriptions(settings: Settings) -> None:
    """A moment for what the pages are about; an edit is found and shown without it as well."""
    described = retry_if_result(lambda known: not known.described)
    with psycopg.connect(settings.conninfo, autocommit=True) as store:
        Retrying(
            retry=described,
            wait=wait_fixed(0.5),
            stop=stop_after_delay(DESCRIPTIONS_S if url_of(settings) else 0),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )(context.known, store)


def _question(settings: Settings) -> str:
    """The default model reads English, so an English page is asked about where there is one."""
    with psycopg.connect(settings.conninfo) as store:
        title = busy.busiest(store, language="en") or busy.busiest(store)
    return f"What is changing about {title}?"


def _show_freshness(settings: Settings, seconds: float) -> None:
    figures = questions.call("GET", "/v1/freshness")
    newest = figures["newest_event_time"]
    console.say(f"\nfirst answer after {seconds:.0f} s; {figures['documents']} documents, newest edit of {newest}")
    now = datetime.now(UTC)
    with psycopg.connect(settings.conninfo) as store:
        took = freshness.percentiles(store, now - LATEST, now)["received_to_searchable"]
    if took["count"]:
        times = f"p50 {took['p50']} ms, p95 {took['p95']} ms"
        console.say(f"received to searchable in the last {LATEST.seconds} s: {times} ({took['count']:g} documents)")
