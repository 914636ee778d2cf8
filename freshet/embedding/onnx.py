"""Sentence transformers as ONNX on the CPU: the tokens' vectors are pooled to one a text."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as failures
from tokenizers import Tokenizer

from freshet.embedding.grouping import group_by_length
from freshet.embedding.protocol import Vectors
from freshet.errors import PermanentError

Pooling = Literal["mean", "cls", "max"]
Mask = npt.NDArray[np.int64]

UNREADABLE: Final = (failures.Fail, failures.InvalidProtobuf, failures.InvalidGraph, failures.NoSuchFile)
FAILED: Final = (failures.Fail, failures.InvalidArgument, failures.RuntimeException)


class OnnxEmbedder:
    """A model and its tokenizer in memory, with `threads` texts or groups embedded side by side."""

    def __init__(
        self, model_id: str, model: bytes | str, tokenizer: bytes, *, pooling: Pooling, max_tokens: int, threads: int
    ) -> None:
        """`model` is the file's content, or its path where it refers to files beside it. Raises PermanentError when
        either cannot be read."""
        self.model_id = model_id
        self._pool_tokens = POOLINGS[pooling]
        self._tokenizer = _tokenizer(model_id, tokenizer, max_tokens)
        self._session = _session(model_id, model)
        self._inputs = frozenset(one.name for one in self._session.get_inputs())
        self._output = _tokens_output(model_id, self._session)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="embed")
        # some exports leave it open how long a vector is
        self.dimensions = int(self._embed_group([self._tokenizer.encode("a").ids]).shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See Embedder. Equal texts are embedded once; a vector does not depend on the texts beside it."""
        different = list(dict.fromkeys(texts))
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(different)]
        groups = group_by_length([len(ids) for ids in tokens])
        batches = [[tokens[index] for index in group] for group in groups]
        # One group, as a query is, is not worth the way to another thread.
        run = map if len(batches) == 1 else self._pool.map
        vectors = np.empty((len(different), self.dimensions), dtype=np.float32)
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
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        asked = {name: value for name, value in given.items() if name in self._inputs}
        try:
            (hidden,) = self._session.run([self._output], asked)
        except (*FAILED, ValueError) as error:
            raise PermanentError(f"{self.model_id} cannot embed these texts: {error}") from error
        return _normalised(self._pool_tokens(np.asarray(hidden, dtype=np.float32), mask))


def _mean(hidden: Vectors, mask: Mask) -> Vectors:
    # The mean over the tokens and their sum have the same direction.
    result: Vectors = (hidden * mask[:, :, None].astype(np.float32)).sum(axis=1)
    return result


def _first(hidden: Vectors, mask: Mask) -> Vectors:
    del mask
    return hidden[:, 0]


def _most(hidden: Vectors, mask: Mask) -> Vectors:
    result: Vectors = np.where(mask[:, :, None] == 1, hidden, -np.inf).max(axis=1)
    return result


POOLINGS: Final[Mapping[Pooling, Callable[[Vectors, Mask], Vectors]]] = {"mean": _mean, "cls": _first, "max": _most}
"""From the tokens' vectors, shape (texts, tokens, dimensions), and 1 for each that is no padding, to the texts'."""


def _normalised(rows: Vectors) -> Vectors:
    result: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return result


def _tokenizer(model_id: str, content: bytes, max_tokens: int) -> Any:
    try:
        tokenizer = Tokenizer.from_buffer(content)
    except Exception as error:  # the library raises nothing narrower
        raise PermanentError(f"{model_id}: its tokenizer cannot be read: {error}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def _session(model_id: str, model: bytes | str) -> onnxruntime.InferenceSession:
    # its own builds would tell their makers how it is used
    onnxruntime.disable_telemetry_events()
    try:
        return onnxruntime.InferenceSession(model, _options(), providers=["CPUExecutionProvider"])
    except UNREADABLE as error:
        raise PermanentError(f"{model_id}: its model cannot be read: {error}") from error


def _tokens_output(model_id: str, session: onnxruntime.InferenceSession) -> str:
    """The output with a vector for each token; others may be pooled already, in a way that is not said."""
    for output in session.get_outputs():
        if len(output.shape) == 3:
            return str(output.name)
    raise PermanentError(f"{model_id}: its model gives no vectors of tokens, shape (texts, tokens, dimensions)")


def _options() -> onnxruntime.SessionOptions:
    # One session, one thread a call, several calls at once: 10.8 ms of a core a text. A session a core is no faster
    # (10.5) and takes 140 MB more; one call on two threads costs 12.3.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
