"""What the routes work with."""

from dataclasses import dataclass, field
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Request

from api.answers.keeping import Keeper
from api.answers.model import Model
from api.feed.reader import FeedReader
from api.layers.views import Layers
from api.pipeline.views import Pipeline
from api.retrieval import Retrieval
from api.turns import Pool, Turns
from freshet.settings import Settings


@dataclass(frozen=True)
class Services:
    """One a process, made at the start."""

    settings: Settings
    pool: Pool
    turns: Turns
    retrieval: Retrieval
    feed: FeedReader
    layers: Layers
    pipeline: Pipeline
    model: Model | None
    keeper: Keeper
    # Tracing reads files and waits for a broker: a few at a time, so that it cannot take every thread.
    tracing: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(6))


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Provided = Annotated[Services, Depends(_services)]
