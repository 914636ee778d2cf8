"""Folders of models, as one would download them: the packaged model's files under another name and pooling."""

import json
from pathlib import Path

from freshet.embedding import weights


def model_folder(models_dir: Path, name: str, pooling: str = "cls", max_tokens: int | None = None) -> Path:
    """Make a folder that holds links to the packaged files. Returns it."""
    folder = models_dir / name
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "model.onnx").symlink_to(weights.MINILM_MODEL.locate())
    (folder / "tokenizer.json").symlink_to(weights.MINILM_TOKENIZER.locate())
    flag = f"pooling_mode_{pooling}_token" + ("" if pooling == "cls" else "s")
    said = {"word_embedding_dimension": 384, "pooling_mode_mean_tokens": False, flag: True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(said))
    if max_tokens is not None:
        (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": max_tokens}))
    return folder
