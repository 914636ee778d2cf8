"""The packaged model: right vectors, in order, whatever stands beside them."""

import numpy as np
import pytest

from freshet.embedding import Embedder, load_embedder
from freshet.embedding.grouping import MOST_PADDING, MOST_TEXTS, group_by_length
from freshet.embedding.weights import PackagedFile
from freshet.errors import ConfigError, PermanentError
from freshet.settings import load_settings


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return load_embedder(load_settings())


def test_near_meanings_have_near_vectors(embedder: Embedder) -> None:
    climate, warming, football = embedder.embed(["Climate change", "Global warming", "Football season"])
    assert climate @ warming == pytest.approx(0.773, abs=0.005)
    assert climate @ football == pytest.approx(0.140, abs=0.005)


def test_vectors_are_float32_of_length_one_in_the_order_of_the_texts(embedder: Embedder) -> None:
    texts = ["a", "the history of the canal in the city " * 20, "", "a", "東京", "x " * 500, "[PAD] [CLS] [PAD]"]
    vectors = embedder.embed(texts)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(texts), embedder.dimensions)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for text, vector in zip(texts, vectors, strict=True):
        np.testing.assert_allclose(embedder.embed([text])[0], vector, atol=1e-4)


def test_no_texts_make_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.dimensions)


def test_groups_hold_every_text_once_and_little_padding() -> None:
    lengths = [3, 60, 4, 256, 61, 3, 62, 58, 12, *[20] * 30]
    groups = group_by_length(lengths)
    assert sorted(index for group in groups for index in group) == list(range(len(lengths)))
    for group in groups:
        tokens = [lengths[index] for index in group]
        assert len(group) <= MOST_TEXTS
        assert max(tokens) * len(group) <= sum(tokens) * (1 + MOST_PADDING)
    assert len(groups) < len(lengths) / 3


def test_an_unknown_model_names_the_setting_and_the_known_models() -> None:
    with pytest.raises(ConfigError, match=r"word2vec.*minilm-l6-v2-int8.*FRESHET_EMBEDDING_MODEL"):
        load_embedder(load_settings(embedding_model="word2vec"))


def test_an_altered_model_file_is_refused() -> None:
    with pytest.raises(PermanentError, match="not the pinned file"):
        PackagedFile("tokenizers", "__init__.py", "0" * 64).read()


def test_a_missing_package_is_named() -> None:
    with pytest.raises(PermanentError, match="no_such_package"):
        PackagedFile("no_such_package", "model.onnx", "0" * 64).read()
