"""Models out of folders: pooled as they say, as long as they say, and what is wrong with one is named."""

import json
import time
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from freshet.embedding import Embedder, Embedders, load_embedder
from freshet.embedding.onnx import POOLINGS
from freshet.errors import ConfigError, PermanentError
from freshet.settings import load_settings
from tests.indexer_builders import TextEmbedder
from tests.models import model_folder

TEXTS = ["Climate change", "the history of the canal in the city"]


def load(models_dir: Path, name: str) -> Embedder:
    return load_embedder(load_settings(models_dir=models_dir), name)


def test_tokens_are_pooled_by_their_mean_their_first_or_their_largest_and_padding_by_none() -> None:
    hidden = np.array([[[1, 5], [3, 1], [100, 100]]], dtype=np.float32)
    mask = np.array([[1, 1, 0]])
    pooled = {name: pool(hidden, mask)[0].tolist() for name, pool in POOLINGS.items()}
    # the mean as a sum, which has its direction
    assert pooled == {"mean": [4, 6], "cls": [1, 5], "max": [3, 5]}


def test_a_folder_is_a_model_by_its_name_pooled_as_it_says(tmp_path: Path) -> None:
    for pooling in ("mean", "cls", "max"):
        model_folder(tmp_path, f"mini-{pooling}", pooling)
    packaged = load(tmp_path, "minilm-l6-v2-int8").embed(TEXTS)
    vectors = {pooling: load(tmp_path, f"mini-{pooling}").embed(TEXTS) for pooling in ("mean", "cls", "max")}
    assert load(tmp_path, "mini-cls").model_id == "mini-cls"
    assert load(tmp_path, "mini-cls").dimensions == 384
    np.testing.assert_allclose(vectors["mean"], packaged, atol=1e-5)
    for pooling in ("cls", "max"):
        np.testing.assert_allclose(np.linalg.norm(vectors[pooling], axis=1), 1, atol=1e-5)
        assert (np.sum(vectors[pooling] * packaged, axis=1) < 0.98).all()


def test_a_model_says_how_long_a_text_it_reads(tmp_path: Path) -> None:
    model_folder(tmp_path, "short", max_tokens=8)
    short = load(tmp_path, "short")
    one, other = short.embed(["a b c d e f g h i j", "a b c d e f g h i other words"])
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_model_may_be_where_exports_put_it(tmp_path: Path) -> None:
    folder = model_folder(tmp_path, "exported")
    (folder / "onnx").mkdir()
    (folder / "model.onnx").rename(folder / "onnx" / "model.onnx")
    assert load(tmp_path, "exported").dimensions == 384


def test_an_unknown_model_is_answered_with_the_known_ones_and_the_folder(tmp_path: Path) -> None:
    model_folder(tmp_path, "there-is")
    with pytest.raises(ConfigError, match=f"'other'; known: minilm-l6-v2-int8, there-is; .*{tmp_path}"):
        load(tmp_path, "other")


@pytest.mark.parametrize(
    ("file", "content", "error"),
    [
        ("model.onnx", None, "neither .*/model.onnx nor .*/onnx/model.onnx"),
        ("model.onnx", b"no model", "its model cannot be read"),
        ("tokenizer.json", None, "has no .*/tokenizer.json"),
        ("tokenizer.json", b"{}", "its tokenizer cannot be read"),
        ("1_Pooling/config.json", b"[", "1_Pooling/config.json is no JSON object"),
        ("1_Pooling/config.json", {"pooling_mode_lasttoken": True}, "pooling_mode_lasttoken is none of"),
        ("1_Pooling/config.json", {"pooling_mode_cls_token": True, "pooling_mode_max_tokens": True}, "is none of"),
        ("sentence_bert_config.json", {"max_seq_length": "long"}, "max_seq_length is 'long'"),
    ],
)
def test_what_is_missing_or_not_understood_is_named(tmp_path: Path, file: str, content: Any, error: str) -> None:
    folder = model_folder(tmp_path, "broken")
    (folder / file).unlink(missing_ok=True)
    if content is not None:
        (folder / file).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(PermanentError, match=error):
        load(tmp_path, "broken")


def test_an_embedder_is_loaded_in_the_background_once_and_forgotten_when_told() -> None:
    go, loads = Event(), []

    def slowly(name: str) -> Embedder:
        loads.append(name)
        assert go.wait(10)
        return TextEmbedder()

    embedders = Embedders(slowly)
    assert embedders.get("one") is None
    assert embedders.get("one") is None
    go.set()
    assert embedders.wait("one") is embedders.get("one") is not None
    assert loads == ["one"]
    embedders.keep([])
    embedders.wait("one")
    assert loads == ["one", "one"]


def test_a_model_that_cannot_be_loaded_says_why_and_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def fail(name: str) -> Embedder:
        tries.append(name)
        raise PermanentError("no such file")

    embedders = Embedders(fail)
    with pytest.raises(PermanentError):
        embedders.wait("one")
    assert embedders.get("one") is None
    assert embedders.failure("one") == "no such file"
    assert len(tries) == 1
    monkeypatch.setattr("freshet.embedding.embedders.AGAIN_S", 0)
    time.sleep(0.001)
    embedders.get("one")
    with pytest.raises(PermanentError):
        embedders.wait("one")
    assert len(tries) > 1
