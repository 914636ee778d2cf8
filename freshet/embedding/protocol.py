"""What an embedder is."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


class Embedder(Protocol):
    """Makes vectors of texts. Safe to call from several threads at once."""

    @property
    def model_id(self) -> str:
        """Names the model in the store; another id is another vector space."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One vector a text, in order: shape (len(texts), dimensions), each of length 1.

        Raises TransientError when trying again may help and PermanentError when it will not.
        """
        ...
