"""Which of the newest edits are about a question, so that the live feed can show them."""

from datetime import UTC, datetime, timedelta
from typing import Final

from ui.client import ApiAwayError, Client, RefusedError

NEWEST: Final = timedelta(minutes=1)
MOST: Final = 20


async def newest(client: Client, question: str) -> list[str]:
    """Event ids of edits that would support an answer; none while the API is away."""
    since = (datetime.now(UTC) - NEWEST).isoformat()
    body = {"query": question, "limit": MOST, "collapse": False, "filters": {"since": since}}
    try:
        found = await client.post("/v1/search", body)
    except (ApiAwayError, RefusedError):
        return []
    return [result["event_id"] for result in found["results"] if result["supports"]]
