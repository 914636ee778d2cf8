"""Several models at once: each is loaded in the background when it is first asked for, and forgotten when told."""

from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from time import monotonic
from typing import Final

from freshet.embedding.protocol import Embedder
from freshet.telemetry import logs

AGAIN_S: Final = 30.0
"""After so long a model that could not be loaded is tried again: somebody may have put its files there."""


class Embedders:
    """Embedders by model. Safe to call from several threads at once; only the caller of `wait` ever waits."""

    def __init__(self, load: Callable[[str], Embedder], *ready: Embedder) -> None:
        self._load = load
        self._lock = Lock()
        self._loads: dict[str, Future[Embedder]] = {}
        self._failed_at: dict[str, float] = {}
        self._told: set[tuple[str, str]] = set()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="load-model")
        for embedder in ready:
            done: Future[Embedder] = Future()
            done.set_result(embedder)
            self._loads[embedder.model_id] = done

    def get(self, model_id: str) -> Embedder | None:
        """The embedder, or None while it is being loaded, which this begins, and when it cannot be."""
        load = self.loading(model_id)
        return load.result() if load.done() and load.exception() is None else None

    def wait(self, model_id: str) -> Embedder:
        """The embedder, loaded now if need be. Raises what loading it raises."""
        return self.loading(model_id).result()

    def loading(self, model_id: str) -> "Future[Embedder]":
        """The load of this model: under way, done or failed."""
        with self._lock:
            load = self._loads.get(model_id)
            if load is None or self._failed_long_ago(model_id):
                load = self._pool.submit(self._load, model_id)
                self._loads[model_id] = load
                self._failed_at.pop(model_id, None)
                load.add_done_callback(lambda done: self._note(model_id, done))
        return load

    def failure(self, model_id: str) -> str | None:
        """Why the model cannot be loaded; None when it can, or may."""
        load = self._loads.get(model_id)
        error = load.exception() if load is not None and load.done() else None
        return None if error is None else str(error)

    def keep(self, model_ids: Collection[str]) -> None:
        """Forget all others."""
        with self._lock:
            self._loads = {name: load for name, load in self._loads.items() if name in model_ids}

    def _failed_long_ago(self, model_id: str) -> bool:
        return model_id in self._failed_at and monotonic() > self._failed_at[model_id] + AGAIN_S

    def _note(self, model_id: str, done: "Future[Embedder]") -> None:
        error = done.exception()
        if error is None:
            logs.get().info("model loaded", model=model_id)
            return
        self._failed_at[model_id] = monotonic()
        if (model_id, str(error)) not in self._told:
            self._told.add((model_id, str(error)))
            logs.get().error("model cannot be loaded", model=model_id, error=str(error))
