"""Which model a query is embedded by: the store's active one, as soon as this process has loaded it; until then the one
before, for as long as its vectors are there."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from api.query_vectors import OverloadedError, QueryVectors, Vector
from freshet.embedding import Embedders
from freshet.errors import FreshetError
from freshet.store.models import Model, active, find
from freshet.telemetry import logs, traces


class Embedded(NamedTuple):
    """A query by a model; None where that could not make its vector."""

    model_id: str
    vector: Vector | None


class QueryModels:
    """The query side of the store's models. Begins with the model `first`. For one event loop."""

    def __init__(self, embedders: Embedders, first: str, deadline_s: float) -> None:
        self._embedders = embedders
        self._deadline_s = deadline_s
        self._by_model: dict[str, QueryVectors] = {}
        self.current = first
        """The model that searches are made with, as far as was seen last."""

    async def embed(self, query: str) -> Embedded:
        """The query by the current model, for which it waits where that is still being loaded, up to the deadline.

        Raises OverloadedError.
        """
        model_id = self.current
        what = {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": model_id}
        with traces.span(f"embeddings {model_id}", what) as span:
            vectors = await self._vectors(model_id)
            try:
                return Embedded(model_id, await vectors.vector(query) if vectors else None)
            except OverloadedError:
                raise
            except FreshetError as error:
                traces.fail(type(error).__name__, span)
                logs.get().warning("query not embedded", model=model_id, error=str(error))
                return Embedded(model_id, None)

    def choose(self, known: Sequence[Model]) -> Model | None:
        """The model to search with: the active one if its embedder is here, else the current one if it still has a
        table, else none. Makes it the current one, and has what is active or being built loaded in the background."""
        wanted, serving = active(known), find(known, self.current)
        if wanted is None:
            return None
        for model in known:
            if model.state == "building":
                self._embedders.get(model.model_id)
        chosen = next((model for model in (wanted, serving) if model and self._fits(model)), None)
        self.current = (chosen or wanted).model_id
        self._forget_all_but({model.model_id for model in known if model.state != "retired"} | {self.current})
        return chosen

    def mismatch(self, known: Sequence[Model]) -> str | None:
        """Why queries cannot be compared with the store's vectors, or None when they can."""
        wanted = active(known)
        if wanted is None:
            return "no embedding model is active in the store yet: searched by words only"
        if self.choose(known) is not None:
            return None
        embedder, failure = self._embedders.get(wanted.model_id), self._embedders.failure(wanted.model_id)
        if embedder is not None:
            failure = f"it has {embedder.dimensions} dimensions here and {wanted.dimensions} in the store"
        return f"the store's active model is {wanted.model_id}: {failure or 'it is being loaded'}: words only"

    def _fits(self, model: Model) -> bool:
        embedder = self._embedders.get(model.model_id)
        return embedder is not None and embedder.dimensions == model.dimensions

    async def _vectors(self, model_id: str) -> QueryVectors | None:
        if model_id not in self._by_model:
            loading = asyncio.wrap_future(self._embedders.loading(model_id))
            # shielded: others wait for the same load
            await asyncio.wait([asyncio.shield(loading)], timeout=self._deadline_s)
            embedder = self._embedders.get(model_id)
            if embedder is None:
                return None
            self._by_model.setdefault(model_id, QueryVectors(embedder, self._deadline_s))
        return self._by_model[model_id]

    def _forget_all_but(self, model_ids: set[str]) -> None:
        self._embedders.keep(model_ids)
        for gone in self._by_model.keys() - model_ids:
            del self._by_model[gone]
