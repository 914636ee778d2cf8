"""Which models the indexer writes vectors by: the store says it, and it may change while the stream goes on."""

from collections.abc import Sequence
from dataclasses import dataclass

from freshet.embedding import Embedder, Embedders
from freshet.errors import PermanentError
from freshet.store.embeddings import VectorTable
from freshet.store.models import Model, active
from indexer.store import Store


@dataclass(frozen=True)
class Target:
    """A model that gets the vectors of new texts. Without an embedder they wait, and `reason` says for what."""

    table: VectorTable
    page_table: VectorTable
    embedder: Embedder | None
    reason: str = ""


class Models:
    """The active model, those that are being built and can be loaded, and the retired ones. For one thread; others may
    read `targets`.

    A new store begins with the model `first`.
    """

    def __init__(self, store: Store, embedders: Embedders, first: str) -> None:
        self._store = store
        self._embedders = embedders
        self._first = first
        self.targets: Sequence[Target] = ()
        self.kept: Sequence[VectorTable] = ()
        self.active_id = ""

    def start(self) -> None:
        """Load the active model. Raises TransientError when Postgres is away, what loading it raises, and
        PermanentError when the store knows it with other dimensions."""
        known = self._known()
        found = active(known)
        if found is not None:
            self._embedders.wait(found.model_id)
        self.refresh(known)
        for target in self.targets:
            if target.table.model_id == self.active_id and target.embedder is None:
                raise PermanentError(target.reason)

    def refresh(self, known: Sequence[Model] = ()) -> None:
        """Look which models there are now. A new one is loaded in the background; the stream does not wait for it.

        Raises TransientError when Postgres is away.
        """
        known = known or self._known()
        targets = [(model, self._target(model)) for model in known if model.state != "retired"]
        # what is being built is completed by whoever builds it: nothing waits for it here
        self.targets = [target for model, target in targets if model.state == "active" or target.embedder is not None]
        self.active_id = next(model.model_id for model in known if model.state == "active")
        written = {target.table.name for target in self.targets}
        self.kept = [model.table for model in known if model.table_name not in written]
        self._embedders.keep([model.model_id for model, _ in targets])

    def _known(self) -> Sequence[Model]:
        known = self._store.models()
        if active(known) is None:
            first = self._embedders.wait(self._first)
            self._store.add(first.model_id, first.dimensions)
            known = self._store.models()
        return known

    def _target(self, model: Model) -> Target:
        embedder = self._embedders.get(model.model_id)
        if embedder is None:
            reason = self._embedders.failure(model.model_id) or "it is being loaded"
            return Target(model.table, model.page_table, None, f"the model {model.model_id}: {reason}")
        if embedder.dimensions != model.dimensions:
            reason = f"has {embedder.dimensions} dimensions, its table in the store {model.dimensions}"
            return Target(model.table, model.page_table, None, f"the model {model.model_id} {reason}")
        return Target(model.table, model.page_table, embedder)
