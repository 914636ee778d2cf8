"""The process that finds out what pages are about: `python -m context`. Ends with 0 on SIGTERM."""

import signal
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from context.asking import Asker, keeping
from context.noting import run
from context.pace import Pace
from context.raw import RawRecords
from context.store import Store
from context.wikidata import Wikidata
from freshet.context_source import url_of
from freshet.contract import topics
from freshet.errors import FreshetError
from freshet.membership import Member
from freshet.patience import patiently
from freshet.settings import Settings, load_settings
from freshet.store.migrate import migrate
from freshet.telemetry import logs, metrics
from freshet.telemetry.serve import serve_metrics


def main() -> None:
    """Note and ask until a signal says stop."""
    settings = load_settings()
    log = logs.configure("context", settings.log_level)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve_metrics(settings.listen_host, settings.context_metrics_port, "context")
    url = url_of(settings)
    if url is None:
        # to end would have it started again and again
        log.info("idle: nobody describes pages, by FRESHET_CONTEXT_SOURCE", source=settings.context_source)
        metrics.READY.set(1)
        stop.wait()
    else:
        patiently(migrate)(settings.conninfo)
        log.info("describing pages", url=url, per_minute=settings.context_requests_per_minute)
        work(settings, url, Pace(settings.context_requests_per_minute), stop)
    log.info("stopped")


def work(settings: Settings, url: str, pace: Pace, stop: Event) -> None:
    """Hear which pages are edited, and beside that ask about them."""
    source = Member(settings, topics.CONTEXT_GROUP, [topics.GOLD, topics.SILVER])
    store, raw, wikidata = Store(settings.conninfo), RawRecords(settings), Wikidata(url, settings)
    asker = Asker(Store(settings.conninfo), wikidata, pace, keeping(settings), lambda: source.joined)
    with ThreadPoolExecutor(1, thread_name_prefix="asking") as beside:
        asking = beside.submit(asker.run, stop)
        # whichever of the two fails ends the other
        asking.add_done_callback(lambda _: stop.set())
        try:
            run(source, store, raw, stop)
        finally:
            stop.set()
            source.close()
            raw.close()
            store.close()
    wikidata.close()
    asking.result()


if __name__ == "__main__":
    try:
        main()
    except FreshetError as error:
        logs.end(error)
