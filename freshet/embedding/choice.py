"""Which embedder a name means: the built-in model, or a folder."""

from freshet.embedding import folder, minilm
from freshet.embedding.protocol import Embedder
from freshet.errors import ConfigError
from freshet.settings import PREFIX, Settings


def load_embedder(settings: Settings, model_id: str | None = None) -> Embedder:
    """The embedder of this name, of `settings.embedding_model` when there is none, ready to use. Takes about a second.

    Raises ConfigError for an unknown model and PermanentError when its files are missing, altered or not understood.
    """
    name = model_id or settings.embedding_model
    if name == minilm.MODEL_ID:
        return minilm.load(settings.embedding_sessions)
    if (settings.models_dir / name).is_dir():
        return folder.load(settings.models_dir / name, name, settings.embedding_sessions)
    known = ", ".join(known_models(settings))
    raise ConfigError(
        f"unknown model {name!r}; known: {known}; others are folders with a model.onnx in {settings.models_dir},"
        f" see {PREFIX}EMBEDDING_MODEL and {PREFIX}MODELS_DIR"
    )


def known_models(settings: Settings) -> list[str]:
    """The built-in model and the folders."""
    there = settings.models_dir.iterdir() if settings.models_dir.is_dir() else ()
    return sorted({minilm.MODEL_ID, *(one.name for one in there if one.is_dir())})
