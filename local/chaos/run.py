"""A run: faults by their plan, then peace, then the audit."""

import sched
import time
from collections.abc import Callable
from typing import Any, Final

import psycopg
from tenacity import RetryCallState, RetryError, retry, retry_if_result, stop_after_delay, wait_fixed

from freshet.errors import PermanentError
from freshet.settings import Settings
from local import launch, stack
from local.audit import audit
from local.bench.backlog import until_documents
from local.chaos.breaking import Breaker
from local.chaos.plan import Planned, plan
from local.chaos.report import FRESH_S, Hit, report
from local.chaos.watch import Watch
from local.overview import overview
from local.supervisor import log_file

Say = Callable[[str], None]

FRESH_TIMEOUT_S: Final = 600.0
TELL_S: Final = 5.0
AUDIT_WAIT_S: Final = 600.0
LAST_WORDS: Final = 1500


VICTIMS: Final = (
    "kafka", "postgres", "serve", "lake", "producer", "indexer", "context", "api", "ui", "airflow-scheduler",
)  # fmt: skip
"""The processes that are killed and stopped, one at a time, where the stack has them. A power cut is for all."""


def run(settings: Settings, seconds: float, seed: int, say: Say) -> dict[str, Any]:
    """Break a running stack for so long, let it come to rest, and balance the books: what `report` says of it.

    Raises PermanentError when a process does not come back, or the index does not become fresh again.
    """
    there = {process.name for process in stack.declare(settings)}
    planned = plan(seconds, seed, [name for name in VICTIMS if name in there])
    with psycopg.connect(settings.conninfo, autocommit=True) as connection:
        until_documents(connection, 1, say)
    with Watch(settings) as watch:
        say(f"{len(planned)} faults in {seconds:g} s, seed {seed}")
        hits = _break(Breaker(settings), planned, say)
        say("no more faults: waiting until everything works")
        try:
            launch.await_all(settings)
            _until_fresh(settings, watch, say)
        except PermanentError as error:
            gone = ", ".join(watch.given_up()) or "none"
            said = _last_words(settings, watch)
            raise PermanentError(f"{error}; given up by the supervisor: {gone}; seed {seed}\n{said}") from error
        answers = dict(sorted(watch.answers.items()))
    books = audit(settings, AUDIT_WAIT_S, say)
    return {**report(hits, watch.samples, books), "searches": answers, "seed": seed, "rate": settings.rate}


def _break(breaker: Breaker, planned: list[Planned], say: Say) -> list[Hit]:
    hits: list[Hit] = []
    schedule = sched.scheduler()
    start = time.monotonic()

    def begin(one: Planned) -> None:
        began = time.monotonic()
        if hit := breaker.begin(one):
            say(f"{began - start:5.0f} s: {one.name}")
            schedule.enter(one.lasts_s, 0, end, (one, hit, began))
        else:
            say(f"{began - start:5.0f} s: {one.name}: it was down")

    def end(one: Planned, hit: list[str], began: float) -> None:
        breaker.end(one, hit)
        hits.append(Hit(one, hit, began, time.monotonic()))

    for one in planned:
        schedule.enterabs(start + one.at_s, 1, begin, (one,))
    schedule.run()
    return hits


def _last_words(settings: Settings, watch: Watch) -> str:
    """The end of the logs of those that do not work."""
    down = [process.name for process in stack.declare(settings) if process.name not in watch.samples[-1].ready]
    logs = {name: log_file(settings, name).read_text(errors="replace") for name in down}
    return "\n".join(f"{name}: {text[-LAST_WORDS:]}" for name, text in logs.items())


def _until_fresh(settings: Settings, watch: Watch, say: Say) -> None:
    def fresh() -> bool:
        return watch.samples[-1].staleness_s <= FRESH_S

    def tell(_: RetryCallState) -> None:
        say(f"the newest searchable edit is {watch.samples[-1].staleness_s:.0f} s old; {_behind(settings)}")

    waiting = retry(
        retry=retry_if_result(lambda done: not done),
        wait=wait_fixed(TELL_S),
        stop=stop_after_delay(FRESH_TIMEOUT_S),
        before_sleep=tell,
    )
    try:
        waiting(fresh)()
    except RetryError as error:
        raise PermanentError(
            f"the newest searchable edit was over {FRESH_S:g} s old {FRESH_TIMEOUT_S:g} s later; {_behind(settings)}"
        ) from error


def _behind(settings: Settings) -> str:
    """Who does not work, and how many records each reader has still to do."""
    rows = overview(settings).processes
    lags = [f"{row.name} {row.lag}" for row in rows if row.lag is not None]
    down = [f"{row.name} {row.state}" for row in rows if row.state != "ready"]
    return f"records to do: {', '.join(lags) or 'not known'}; {', '.join(down) or 'all ready'}"
