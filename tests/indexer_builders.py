"""An embedder for the indexer's tests that does as it is told."""

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from freshet.errors import FreshetError


class TextEmbedder:
    """A vector drawn from the text alone. Remembers what it was asked; fails with `failure` while that is set."""

    model_id = "drawn-from-text"
    dimensions = 8

    def __init__(self, failure: FreshetError | None = None, refused: str = "") -> None:
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
