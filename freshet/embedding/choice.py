"""Which embedder the settings ask for."""

from freshet.embedding import minilm
from freshet.embedding.protocol import Embedder
from freshet.errors import ConfigError
from freshet.settings import PREFIX, Settings

LOADERS = {minilm.MODEL_ID: minilm.load}
"""Every known model by the name that the setting `embedding_model` takes."""


def load_embedder(settings: Settings) -> Embedder:
    """The embedder of `settings.embedding_model`, ready to use. Takes about a second.

    Raises ConfigError for an unknown model and PermanentError when its weights are missing or altered.
    """
    load = LOADERS.get(settings.embedding_model)
    if load is None:
        known = ", ".join(sorted(LOADERS))
        raise ConfigError(f"{PREFIX}EMBEDDING_MODEL: unknown model {settings.embedding_model!r}; known: {known}")
    return load(settings.embedding_sessions)
