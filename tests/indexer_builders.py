"""An embedder for the indexer's tests that does as it is told."""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from freshet.embedding import Embedder, Embedders
from freshet.errors import ConfigError, FreshetError
from indexer.models import Models


class TextEmbedder:
    """A vector drawn from the text alone. Remembers what it was asked; fails with `failure` while that is set."""

    def __init__(
        self,
        failure: FreshetError | None = None,
        refused: str = "",
        model_id: str = "drawn-from-text",
        dimensions: int = 8,
    ) -> None:
        self.model_id = model_id
        self.dimensions = dimensions
        self.failure = failure
        self.refused = refused
        self.asked: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.asked.append(list(texts))
        if self.failure and (not self.refused or self.refused in texts):
            raise self.failure
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> npt.NDArray[np.float32]:
        drawn = np.random.default_rng(zlib.crc32(text.encode())).normal(size=self.dimensions)
        return (drawn / np.linalg.norm(drawn)).astype(np.float32)


def models_of(store: Any, *embedders: Embedder) -> Models:
    """The models of an indexer that can load these; a new store begins with the first."""

    def load(model_id: str) -> Embedder:
        if model_id not in known:
            raise ConfigError(f"there is no {model_id}")
        return known[model_id]

    known = {embedder.model_id: embedder for embedder in embedders}
    models = Models(store, Embedders(load), embedders[0].model_id)
    models.start()
    return models
