"""The embedding models of a store, and the way from one to another: building, active, retired, dropped.

Every function is for a connection in autocommit mode. Whatever changes a state waits for whoever else does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from psycopg import Connection, sql
from psycopg.rows import class_row

from freshet.errors import PermanentError
from freshet.store.bulk import INDEX_MEMORY
from freshet.store.embeddings import VectorTable

State = Literal["active", "building", "retired"]

PENDING_SHARE: Final = 0.01
"""A model is not switched to while more of all texts than this still wait for their vector."""

DROP_WAIT: Final = "3s"
"""So long a drop waits for those who read the table; meanwhile nobody else gets to it."""


@dataclass(frozen=True)
class Model:
    """A model of the store: one is active, `building` ones get every new vector as well, `retired` ones none."""

    model_id: str
    dimensions: int
    table_name: str
    state: State = "active"

    @property
    def table(self) -> VectorTable:
        """Where its vectors are."""
        return VectorTable(self.model_id, self.table_name)

    @property
    def page_table(self) -> VectorTable:
        """Where its vectors of pages are, as the migrations call it."""
        return VectorTable(self.model_id, f"page_{self.table_name}", "pages")

    @property
    def tables(self) -> tuple[VectorTable, VectorTable]:
        """Both."""
        return self.table, self.page_table


class Lacking(NamedTuple):
    """Different texts of documents, of pages or of both; those without a vector by a model; and those of them that are
    noted as pending."""

    texts: int
    missing: int
    pending: int


def listed(connection: Connection) -> list[Model]:
    """All of them."""
    with connection.cursor(row_factory=class_row(Model)) as cursor:
        return cursor.execute(LISTED).fetchall()


def find(models: Sequence[Model], model_id: str) -> Model | None:
    """The model of this name."""
    return next((model for model in models if model.model_id == model_id), None)


def active(models: Sequence[Model]) -> Model | None:
    """The one that is searched."""
    return next((model for model in models if model.state == "active"), None)


def active_of(connection: Connection) -> Model:
    """The one that is searched. Raises PermanentError before there is one."""
    model = active(listed(connection))
    if model is None:
        raise PermanentError("the store has no active model yet: the indexer makes the first one")
    return model


def start_building(connection: Connection, model_id: str, dimensions: int) -> Model:
    """Have every new document get a vector by this model as well: a new one, or a retired one on its way back.

    Does nothing the second time, and for the active model. Raises PermanentError as `check_building` does.
    """
    with connection.transaction():
        connection.execute(_LOCK)
        check_building(listed(connection), model_id, dimensions)
        connection.execute("SELECT add_embedding_model(%s, %s, 'building')", (model_id, dimensions))
        connection.execute(
            "UPDATE embedding_models SET state = 'building' WHERE model_id = %s AND state = 'retired'", (model_id,)
        )
        return get(connection, model_id)


def check_building(known: Sequence[Model], model_id: str, dimensions: int) -> None:
    """Raises PermanentError when the model cannot be built: another one is being built, none is active, or the store
    has it with other dimensions."""
    if active(known) is None:
        raise PermanentError("the store has no active model yet: the indexer makes the first one")
    for other in known:
        if other.state == "building" and other.model_id != model_id:
            raise PermanentError(f"the model {other.model_id} is being built: finish that move, or drop it first")
    model = find(known, model_id)
    if model is not None:
        check_dimensions(model, dimensions)


def check_dimensions(model: Model, dimensions: int) -> None:
    """Raises PermanentError when vectors of so many dimensions are not those of the model's table."""
    if model.dimensions != dimensions:
        raise PermanentError(
            f"the model {model.model_id} has {dimensions} dimensions, its table in the store {model.dimensions}: drop"
            " it there, or give the new one another name"
        )


def build_indexes(connection: Connection, model: Model) -> bool:
    """Make the model's vector indexes, of edits and of pages, while their tables are written. Returns whether there was
    anything to do.

    What a build that was killed has left behind is dropped first. When the client is gone the server gives up as well.
    """
    # a list: both are made
    return any([_build_index(connection, table) for table in model.tables])


def _build_index(connection: Connection, table: VectorTable) -> bool:
    valid = index_is_valid(connection, table)
    if valid:
        return False
    connection.execute("SET client_connection_check_interval = '5s'")
    connection.execute(sql.SQL("SET maintenance_work_mem = {}").format(INDEX_MEMORY))
    connection.execute("SET max_parallel_maintenance_workers = 0")
    index, name = sql.Identifier(table.index_name), sql.Identifier(table.name)
    if valid is not None:
        connection.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(index))
    connection.execute(_BUILD.format(name=index, table=name))
    connection.execute(sql.SQL("ANALYZE {}").format(name))
    return True


def index_is_valid(connection: Connection, table: VectorTable) -> bool | None:
    """Whether its vector index can be used; None when there is none."""
    row = connection.execute(_INDEX_STATE, (table.index_name,)).fetchone()
    return bool(row[0]) if row else None


def lacking(connection: Connection, model: Model) -> Lacking:
    """How complete the model is, its texts of documents and of pages together."""
    return Lacking(
        *(sum(figures) for figures in zip(*(_lacking(connection, one) for one in model.tables), strict=True))
    )


def _lacking(connection: Connection, table: VectorTable) -> Lacking:
    statement = _LACKING.format(table=sql.Identifier(table.name), texts=sql.Identifier(table.texts))
    return Lacking(*connection.execute(statement, (table.model_id, table.texts)).fetchall()[0])


def switch(connection: Connection, model_id: str) -> str | None:
    """Make this the active model, and the one before a retired one: both or neither. Returns the one before.

    Does nothing, and returns None, when it is active already. Raises PermanentError when it is not being built, has no
    valid index, or texts lack their vector that are not noted as pending, or more are pending than PENDING_SHARE and
    than by the model before: texts of documents and of pages, each for themselves.
    """
    with connection.transaction():
        connection.execute(_LOCK)
        model, before = get(connection, model_id), active(listed(connection))
        if before is None or before.model_id == model_id:
            return None
        _check(connection, model, before)
        connection.execute("UPDATE embedding_models SET state = 'retired' WHERE state = 'active'")
        connection.execute("UPDATE embedding_models SET state = 'active' WHERE model_id = %s", (model_id,))
        connection.execute("DELETE FROM embedding_progress WHERE model_id = %s", (model_id,))
        return before.model_id


def drop(connection: Connection, model_id: str) -> bool:
    """Drop a model that is not active, with its vectors. Returns whether it was there.

    Raises PermanentError for the active one, and psycopg.errors.LockNotAvailable when one of its tables is being read.
    """
    with connection.transaction():
        connection.execute(_LOCK)
        model = find(listed(connection), model_id)
        if model is None:
            return False
        check_dropping(model)
        connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(DROP_WAIT))
        for table in model.tables:
            connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(table.name)))
        connection.execute("DELETE FROM embedding_models WHERE model_id = %s", (model_id,))
        return True


def check_dropping(model: Model) -> None:
    """Raises PermanentError when the model must stay."""
    if model.state == "active":
        raise PermanentError(f"the model {model.model_id} is the active one: move to another one first")


def get(connection: Connection, model_id: str) -> Model:
    """The model of this name. Raises PermanentError that names those there are."""
    known = listed(connection)
    model = find(known, model_id)
    if model is None:
        there = ", ".join(one.model_id for one in known)
        raise PermanentError(f"the store has no model {model_id}; it has {there or 'none'}")
    return model


def _check(connection: Connection, model: Model, before: Model) -> None:
    if model.state != "building":
        raise PermanentError(
            f"the model {model.model_id} is {model.state}: it must be built first, so that it is whole"
        )
    for table, old in zip(model.tables, before.tables, strict=True):
        _check_table(connection, table, old)


def _check_table(connection: Connection, table: VectorTable, old: VectorTable) -> None:
    if not index_is_valid(connection, table):
        raise PermanentError(
            f"the model {table.model_id} has no valid vector index of its {table.texts}: build it first"
        )
    new = _lacking(connection, table)
    if new.missing > new.pending:
        raise PermanentError(
            f"{new.missing:,} of {new.texts:,} texts of {table.texts} have no vector by {table.model_id},"
            f" {new.pending:,} of them are noted as pending: embed the others first"
        )
    if new.pending > max(PENDING_SHARE * new.texts, _lacking(connection, old).missing):
        raise PermanentError(
            f"{new.pending:,} of {new.texts:,} texts of {table.texts} wait for their vector by {table.model_id}: more"
            f" than {PENDING_SHARE:.0%}, and more than by {old.model_id}"
        )


LISTED: Final = "SELECT model_id, dimensions, table_name, state FROM embedding_models ORDER BY model_id"

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('add_embedding_model'))"

# As `add_vector_index` makes it, but a plain CREATE INDEX would have all writers of the table wait.
_BUILD: Final = sql.SQL(
    "CREATE INDEX CONCURRENTLY {name} ON {table} USING hnsw (embedding halfvec_cosine_ops) WITH (ef_construction = 200)"
)
_INDEX_STATE: Final = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(quote_ident(%s))"

_LACKING: Final = sql.SQL("""
SELECT count(*), count(*) FILTER (WHERE e.content_hash IS NULL),
    count(*) FILTER (WHERE e.content_hash IS NULL AND p.content_hash IS NOT NULL)
FROM (SELECT DISTINCT content_hash FROM {texts} WHERE content_hash IS NOT NULL) d
LEFT JOIN {table} e USING (content_hash)
LEFT JOIN pending_embeddings p ON p.content_hash = d.content_hash AND p.model_id = %s AND p.texts = %s""")
