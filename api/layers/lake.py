"""How far the lake's tables have come, from their newest commit; no data is read. It blocks: call it in a thread."""

from datetime import UTC, datetime

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from api.models.freshness import LakeOut, TableOut
from freshet.delta import UNREADABLE, newest_commit
from freshet.lake import LAYERS, LakePaths
from freshet.offsets import age


def look(lake: LakePaths) -> LakeOut:
    """Every table."""
    return LakeOut(**{layer: _table(lake.table(layer)) for layer in LAYERS})


def _table(uri: str) -> TableOut:
    try:
        commit = newest_commit(DeltaTable(uri))
    except TableNotFoundError:
        return TableOut(status="not yet in the lake")
    except UNREADABLE as error:
        return TableOut(
            status=f"the lake cannot be read: {type(error).__name__} (`freshet mend` names what is damaged)"
        )
    committed_at = datetime.fromtimestamp(commit["timestamp"] / 1000, UTC)
    return TableOut(
        status="ok",
        version=commit["version"],
        committed_at=committed_at,
        age_seconds=age(committed_at, datetime.now(UTC)),
    )
