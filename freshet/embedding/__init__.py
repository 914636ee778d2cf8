"""Texts to vectors: the protocol that every embedder follows, and the ones that a name means."""

from freshet.embedding.choice import load_embedder
from freshet.embedding.embedders import Embedders
from freshet.embedding.protocol import Embedder

__all__ = ["Embedder", "Embedders", "load_embedder"]
