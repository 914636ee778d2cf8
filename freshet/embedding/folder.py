"""A model out of a folder, as sentence transformers are published: `model.onnx`, `tokenizer.json`, how to pool."""

import json
from pathlib import Path
from typing import Any, Final

from freshet.embedding.onnx import OnnxEmbedder, Pooling
from freshet.errors import PermanentError

MODEL: Final = ("model.onnx", "onnx/model.onnx")
TOKENIZER: Final = "tokenizer.json"
POOLING: Final = "1_Pooling/config.json"
LENGTH: Final = "sentence_bert_config.json"

USUAL_TOKENS: Final = 256
"""Longest text where neither the model nor its tokenizer says it."""

MODES: Final[dict[str, Pooling]] = {
    "pooling_mode_mean_tokens": "mean",
    # another length of the same direction
    "pooling_mode_mean_sqrt_len_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
}


def load(folder: Path, model_id: str, threads: int) -> OnnxEmbedder:
    """The model of this folder. Raises PermanentError that names the file which is missing or not understood."""
    model = next((folder / name for name in MODEL if (folder / name).is_file()), None)
    if model is None:
        raise PermanentError(f"the model {model_id} has neither {folder / MODEL[0]} nor {folder / MODEL[1]}")
    if not (folder / TOKENIZER).is_file():
        raise PermanentError(f"the model {model_id} has no {folder / TOKENIZER}")
    tokenizer = (folder / TOKENIZER).read_bytes()
    return OnnxEmbedder(
        model_id,
        str(model),
        tokenizer,
        pooling=_pooling(folder / POOLING),
        max_tokens=_max_tokens(folder / LENGTH, tokenizer),
        threads=threads,
    )


def _pooling(file: Path) -> Pooling:
    said = _json(file)
    modes = [name for name, wanted in said.items() if name.startswith("pooling_mode_") and wanted is True]
    if not modes:
        return "mean"
    if len(modes) > 1 or modes[0] not in MODES:
        raise PermanentError(f"{file}: {', '.join(modes)} is none of {', '.join(MODES)}")
    return MODES[modes[0]]


def _max_tokens(file: Path, tokenizer: bytes) -> int:
    most = _json(file).get("max_seq_length") or _truncation(tokenizer) or USUAL_TOKENS
    if not isinstance(most, int) or most < 1:
        raise PermanentError(f"{file}: max_seq_length is {most!r}, which is no number of tokens")
    return most


def _truncation(tokenizer: bytes) -> Any:
    try:
        return (json.loads(tokenizer).get("truncation") or {}).get("max_length")
    except ValueError:
        # the tokenizers library says what is wrong with it
        return None


def _json(file: Path) -> dict[str, Any]:
    """What the file says; nothing where there is none."""
    if not file.is_file():
        return {}
    try:
        return dict(json.loads(file.read_bytes()))
    except (ValueError, TypeError) as error:
        raise PermanentError(f"{file} is no JSON object: {error}") from error
