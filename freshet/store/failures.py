"""What went wrong in Postgres, as errors of Freshet."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.errors import ProgramLimitExceeded, RaiseException

from freshet.contract.rejections import Reason
from freshet.errors import DataError, PermanentError, TransientError


@contextmanager
def translated() -> Iterator[None]:
    """Raises TransientError when Postgres is away or asks to try again, DataError when it refuses what it was given,
    and PermanentError when a function of ours refuses the call."""
    try:
        yield
    # A value too long for an index is reported among the operational errors, but waiting does not shorten it.
    except (psycopg.DataError, psycopg.IntegrityError, ProgramLimitExceeded) as error:
        raise DataError(Reason.BAD_DOCUMENT, f"the store refuses it: {error}") from error
    except RaiseException as error:
        raise PermanentError(f"the store: {error.diag.message_primary}") from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise TransientError(f"Postgres: {error}") from error
