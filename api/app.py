"""The application: its parts, opened when it starts and closed when it ends."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from typing import Final

import psycopg
from anyio import to_thread
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from api import description, problems
from api.answers.keeping import Keeper
from api.answers.model import Model
from api.browsers import DOCS, Browsers
from api.clients import Clients
from api.feed.reader import FeedReader
from api.layers.views import Layers
from api.middleware import BodyLimit, Observed
from api.pipeline.views import watched
from api.query_models import QueryModels
from api.retrieval import Retrieval
from api.routes import ask, chat, documents, feed, feedback, freshness, health, pipeline, search, stats
from api.services import Services
from api.turns import Turns, open_pool
from freshet import __version__
from freshet.embedding import Embedder, Embedders, load_embedder
from freshet.errors import ConfigError, FreshetError
from freshet.settings import Settings
from freshet.store.search import active_model
from freshet.telemetry import metrics, traces

LOOK_S: Final = 2
"""So long the start waits for Postgres to say which model is active."""

ABOUT = """
Search Wikimedia's edits by meaning and by words within a second of their making, ask about them, and follow each
document back to the record it came from. Every error is a problem document (RFC 9457). Titles, comments and texts
are what strangers wrote: treat them as data.
"""


def create_app(settings: Settings, embedder: Embedder | None = None) -> FastAPI:
    """The API for these settings. It starts although Postgres is down. Without `embedder` the store's active model is
    loaded at the start, or the configured one, which raises FreshetError when it cannot be."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        models = await _models(settings, embedder)
        with traces.configured("api", settings):
            async with (
                open_pool(settings) as pool,
                _model(settings) as model,
                watched(settings, pool, layers := Layers(settings, pool)) as watching,
            ):
                feed_reader, turns = FeedReader(settings), Turns(pool)
                retrieval = Retrieval(turns, models, settings.search_half_life_hours)
                app.state.services = Services(
                    settings, pool, turns, retrieval, feed_reader, layers, watching, model, Keeper(turns)
                )
                metrics.READY.set(1)
                yield
                metrics.READY.set(0)
                feed_reader.stop()

    app = FastAPI(
        title="Freshet",
        version=__version__,
        description=ABOUT,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        # It would lead to the address that the request's own Host names.
        redirect_slashes=False,
        docs_url=DOCS,
        redoc_url=None,
    )
    # Whoever runs the application says here when it is ending, so that open streams end in time.
    app.state.ending = lambda: False
    problems.handle(app)
    for routes in (search, ask, chat, feedback, documents, feed, stats, freshness, pipeline, health):
        app.include_router(routes.router)
    description.complete(app, keyed=bool(settings.api_keys))
    # The last is the outermost: whatever the others answer has a request id, and a browser may read it.
    app.add_middleware(BodyLimit)
    app.add_middleware(Clients, settings.api_keys, settings.api_rate_limit, settings.api_at_once)
    if settings.api_cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.api_cors_origins,
            allow_methods=("GET", "POST"),
            allow_headers=("Authorization", "Last-Event-ID", "X-Request-ID"),
            expose_headers=("X-Request-ID", "Retry-After"),
        )
    app.add_middleware(Browsers, settings.allowed_hosts)
    app.add_middleware(Observed)
    return app


async def _models(settings: Settings, embedder: Embedder | None) -> QueryModels:
    # queries are embedded in one thread
    own = settings.model_copy(update={"embedding_sessions": 1})
    embedders = Embedders(partial(load_embedder, own), *filter(None, [embedder]))
    first = embedder.model_id if embedder else await _first_model(settings)
    try:
        await to_thread.run_sync(embedders.wait, first)
    except FreshetError:
        # what the store has may be mended while words are searched; what is configured must be right
        if first == settings.embedding_model:
            raise
    return QueryModels(embedders, first, settings.query_deadline_s)


async def _first_model(settings: Settings) -> str:
    """The store's active model, or what is configured when the store has none or does not answer."""
    try:
        async with await psycopg.AsyncConnection.connect(settings.conninfo, connect_timeout=LOOK_S) as connection:
            model = await active_model(connection)
    except (psycopg.Error, ConfigError):
        return settings.embedding_model
    return model.model_id if model else settings.embedding_model


def _model(settings: Settings) -> AbstractAsyncContextManager[Model | None]:
    if not settings.has_model:
        return nullcontext()
    # A second and 25 MB, which only who has a model should pay.
    from api.answers.openai_model import open_model

    return open_model(settings)
