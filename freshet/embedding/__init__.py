"""Texts to vectors: the protocol that every embedder follows, and the one that the settings choose."""

from freshet.embedding.choice import load_embedder
from freshet.embedding.protocol import Embedder

__all__ = ["Embedder", "load_embedder"]
