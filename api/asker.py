"""Who asks, for the queues that all share: set where a client is known, read where it waits."""

from contextvars import ContextVar
from typing import Final

CLIENT: Final = ContextVar("client", default="")
