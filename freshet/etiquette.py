"""How Wikimedia wants to be asked: by somebody with a name, who waits when told to."""

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from freshet import __version__

# A server's wish beyond this is a mistake rather than a wish.
MAX_RETRY_AFTER_S: Final = 900.0


def user_agent(contact: str) -> str:
    """Who asks, as Wikimedia's policy wants it: the tool, a contact, the library."""
    return f"Freshet/{__version__} ({contact or 'Freshet'}) python-httpx/{httpx.__version__}"


def retry_after_s(value: str | None, now: datetime) -> float:
    """Seconds that a Retry-After header asks for, given as seconds or as a date; 0 when it says nothing usable."""
    if not value:
        return 0.0
    try:
        wished = float(value) if value.strip().isdigit() else (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError):
        return 0.0
    return min(max(wished, 0.0), MAX_RETRY_AFTER_S)
