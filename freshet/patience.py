"""How long a process that starts waits for an engine that starts as well."""

from typing import Final

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_exponential

from freshet.errors import TransientError

# Longer than a restart of Postgres takes; after that the supervisor starts the process again.
PATIENCE_S: Final = 60

patiently: Final = retry(
    retry=retry_if_exception_type(TransientError),
    wait=wait_exponential(0.2, max=5),
    stop=stop_after_delay(PATIENCE_S),
    reraise=True,
)
"""Makes of a function one that is tried again as long as it raises TransientError, a minute at most."""
