"""Delta tables as everything but Spark reads them, and commits to them whoever makes them."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import pyarrow as pa
import structlog
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

UNREADABLE: Final = (DeltaError, OSError, pa.ArrowException)
"""What opening or reading a table raises when a file of it is damaged, away or refused."""

_ATTEMPTS: Final = 10

Result = TypeVar("Result")

log = structlog.get_logger()


def until_committed(layer: str, commit: Callable[[], Result], is_conflict: Callable[[BaseException], bool]) -> Result:
    """Do what commits to a layer's table, again from the start when another writer's commit came first.

    Raises what the last attempt raised.
    """
    attempts = Retrying(
        retry=retry_if_exception(is_conflict),
        wait=wait_random_exponential(multiplier=0.2, max=10),
        stop=stop_after_attempt(_ATTEMPTS),
        before_sleep=lambda state: _log_conflict(layer, state),
        reraise=True,
    )
    return attempts(commit)


def _log_conflict(layer: str, state: RetryCallState) -> None:
    log.warning("commit met another writer's; trying again", layer=layer, attempt=state.attempt_number)


def newest_commit(table: DeltaTable) -> dict[str, Any]:
    """The newest entry of a table's log. Raises DeltaError when it is empty, as a crash may leave it."""
    entries = table.history(limit=1)
    if not entries:
        raise DeltaError(f"entry {table.version()} of the log of {table.table_uri} says nothing")
    return entries[0]
