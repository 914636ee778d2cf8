"""The indexer's process: `python -m indexer`. Ends with 0 on SIGTERM, when the batch at hand is written."""

import signal
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

from freshet.embedding import Embedders, load_embedder
from freshet.errors import FreshetError
from freshet.patience import patiently
from freshet.settings import load_settings
from freshet.store.migrate import migrate
from freshet.telemetry import logs
from freshet.telemetry.serve import serve_metrics
from indexer.gold import GoldTopic
from indexer.loop import run
from indexer.models import Models
from indexer.pending import embed_pages
from indexer.store import Store


def main() -> None:
    """Index until a signal says stop."""
    settings = load_settings()
    log = logs.configure("indexer", settings.log_level)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve_metrics(settings.listen_host, settings.indexer_metrics_port, "indexer")
    patiently(migrate)(settings.conninfo)
    store = Store(settings.conninfo)
    models = Models(store, Embedders(partial(load_embedder, settings)), settings.embedding_model)
    patiently(models.start)()
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


if __name__ == "__main__":
    try:
        main()
    except FreshetError as error:
        logs.end(error)
