"""Rows of silver and gold that removals cover, found and deleted by DataFusion: it needs no JVM."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, PostCommitHookProperties, QueryBuilder
from psycopg import sql

from freshet.contract.documents import CONTENT_TYPES
from freshet.contract.removals import ANY_WIKI, NAMED_BY, Kind, Origin, Standing
from freshet.store.removed import Found

MOST: Final = 5_000
"""Rows that are deleted at once: DataFusion's planner runs out of stack over a list of some ten thousands."""

# Spark, which writes most of a table's log, makes its checkpoints and lets go of its old entries.
_NO_HOOKS: Final = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)


class Covered(NamedTuple):
    """A row that a removal covers, and when what it tells of happened."""

    why: Found
    event_time: datetime


def rows(table: DeltaTable, asked: Sequence[Standing]) -> Iterator[Covered]:
    """The rows of silver or gold that these removals cover, once each; of several removals by the one by hand.

    A removal of the stream is of edits alone: that a page was deleted remains known. Raises what is in
    `freshet.delta.UNREADABLE`.
    """
    standing: dict[str, list[Standing]] = {}
    for one in asked:
        standing.setdefault(one.target, []).append(one)
    kinds = {one.kind for one in asked}
    named = {f"target_{at}": _hash(*by) for at, by in enumerate(NAMED_BY) if by[0] in kinds}
    if not named:
        return
    query = _ROWS.format(
        targets=sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(hashed, sql.Identifier(name)) for name, hashed in named.items()
        ),
        types=sql.SQL(", ").join(map(sql.Literal, CONTENT_TYPES)),
        all_types=sql.Literal(any(one.origin == Origin.HAND for one in asked)),
    )
    wanted = pa.array(standing, pa.string())
    for batch in QueryBuilder().register("rows", table).execute(query.as_string()):
        for row in _with_any(pa.record_batch(batch), list(named), wanted):
            yield from _covered(row, [one for name in named for one in standing.get(row[name], ())])


def delete(table: DeltaTable, covered: Sequence[Covered]) -> int:
    """Delete these rows, MOST at the most. Returns how many there were.

    Raises CommitFailedError when another writer's commit came first.
    """
    times = [one.event_time.isoformat() for one in covered]
    hashes = (hashlib.sha256(one.why.event_id.encode()).hexdigest() for one in covered)
    predicate = _THESE.format(
        hashes=sql.SQL(", ").join(sql.SQL("X{}").format(sql.Literal(one)) for one in hashes),
        first=sql.Literal(min(times)),
        last=sql.Literal(max(times)),
    )
    done = table.delete(predicate.as_string(), post_commithook_properties=_NO_HOOKS)
    return int(done["num_deleted_rows"])


def _hash(kind: Kind, wiki: str, name: str) -> sql.Composed:
    """`freshet.contract.removals.target` of a row, null where a name is."""
    of_wiki = sql.Identifier(wiki) if wiki else sql.Literal(ANY_WIKI)
    return _HASH.format(kind=sql.Literal(f"{kind}\n"), wiki=of_wiki, end=sql.Literal("\n"), name=sql.Identifier(name))


def _with_any(batch: pa.RecordBatch, columns: Iterable[str], wanted: pa.Array) -> Iterator[dict[str, Any]]:
    """The rows that have one of the targets."""
    meant = pa.array([False] * batch.num_rows)
    for name in columns:
        meant = pc.or_(meant, pc.is_in(pc.cast(batch[name], pa.string()), wanted))
    # not by filter(): Arrow has none for DataFusion's views of text
    for at in pc.indices_nonzero(meant).to_pylist():
        yield {name: batch[name][at].as_py() for name in batch.schema.names}


def _covered(row: Mapping[str, Any], removals: Iterable[Standing]) -> Iterator[Covered]:
    """The row by the first of those that cover it: "hand" is before "stream"."""
    edit = row["type"] in CONTENT_TYPES
    covering = [one for one in removals if row["event_time"] <= one.until and (edit or one.origin == Origin.HAND)]
    for one in sorted(covering, key=lambda one: (one.origin, one.target))[:1]:
        place = (row["raw_topic"], row["raw_partition"], row["raw_offset"])
        yield Covered(Found(row["event_id"], one.target, one.origin, one.kind, *place), row["event_time"])


_HASH: Final = sql.SQL("encode(sha256({kind} || {wiki} || {end} || CAST({name} AS VARCHAR)), 'hex')")

_ROWS: Final = sql.SQL("""
SELECT event_id, event_time, type, raw_topic, raw_partition, raw_offset, {targets}
FROM rows WHERE {all_types} OR type IN ({types})""")

# Hashes, so that nothing that a stranger wrote is in it. By the times Delta skips files, and sees whether a commit of
# another matters. It reads the condition again for that, and fails on a text within a function (deltalake 1.6).
_THESE: Final = sql.SQL("sha256(event_id) IN ({hashes}) AND event_time BETWEEN {first} AND {last}")
