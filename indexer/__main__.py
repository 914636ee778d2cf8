"""The indexer's process: `python -m indexer`. Ends with 0 on SIGTERM, when the batch at hand is written."""

import signal
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_exponential

from freshet.embedding import Embedders, load_embedder
from freshet.errors import FreshetError, TransientError
from freshet.settings import load_settings
from freshet.store.migrate import migrate
from freshet.telemetry import logs
from freshet.telemetry.serve import serve_metrics
from indexer.gold import GoldTopic
from indexer.loop import run
from indexer.models import Models
from indexer.pending import embed_pages
from indexer.store import Store

# Longer than a restart of Postgres takes; after that the supervisor starts this process again.
PATIENCE_S = 60


def main() -> None:
    """Index until a signal says stop."""
    settings = load_settings()
    log = logs.configure("indexer", settings.log_level)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve_metrics(settings.listen_host, settings.indexer_metrics_port, "indexer")
    _patiently(migrate)(settings.conninfo)
    store = Store(settings.conninfo)
    models = Models(store, Embedders(partial(load_embedder, settings)), settings.embedding_model)
    _patiently(models.start)()
    source = GoldTopic(settings)
    log.info("indexing", model=models.active_id, most_documents=settings.indexer_batch_documents)
    with ThreadPoolExecutor(1, thread_name_prefix="pages") as beside:
        pages = beside.submit(embed_pages, Store(settings.conninfo), models, stop)
        # whichever of the two fails ends the other
        pages.add_done_callback(lambda _: stop.set())
        try:
            run(source, store, models, settings.indexer_batch_documents, stop)
        finally:
            stop.set()
            source.close()
            store.close()
    pages.result()
    log.info("stopped")


_patiently = retry(
    retry=retry_if_exception_type(TransientError),
    wait=wait_exponential(0.2, max=5),
    stop=stop_after_delay(PATIENCE_S),
    reraise=True,
)


if __name__ == "__main__":
    try:
        main()
    except FreshetError as error:
        logs.end(error)
