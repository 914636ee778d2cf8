"""Delta tables as everything but Spark reads them."""

from typing import Any, Final

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

UNREADABLE: Final = (DeltaError, OSError, pa.ArrowException)
"""What opening or reading a table raises when a file of it is damaged, away or refused."""


def newest_commit(table: DeltaTable) -> dict[str, Any]:
    """The newest entry of a table's log. Raises DeltaError when it is empty, as a crash may leave it."""
    entries = table.history(limit=1)
    if not entries:
        raise DeltaError(f"entry {table.version()} of the log of {table.table_uri} says nothing")
    return entries[0]
