"""Where a client wants to go on: `Last-Event-ID` and `since`, read as EventStreams reads them."""

import json
from datetime import UTC, datetime
from typing import Any

from freshet.errors import DataError
from local.eventstreams.clock import Clock

TOPICS = ("eqiad.mediawiki.recentchange", "codfw.mediawiki.recentchange")


def sse_id(timestamp_ms: int) -> str:
    """The id of a frame: one data centre with a time, the other with none."""
    return (
        f'[{{"topic":"{TOPICS[0]}","partition":0,"timestamp":{timestamp_ms}}},'
        f'{{"topic":"{TOPICS[1]}","partition":0,"offset":-1}}]'
    )


def after_id(last_event_id: str, clock: Clock) -> int:
    """Index to go on from: at the earliest timestamp named, else after the last offset named.

    Raises DataError when it is not an array of topics with timestamps or offsets.
    """
    try:
        entries = json.loads(last_event_id)
    except ValueError as error:
        raise DataError("bad_last_event_id", f"Last-Event-ID is not JSON: {error}") from error
    if not isinstance(entries, list) or not entries or not all(map(_is_position, entries)):
        raise DataError("bad_last_event_id", "Last-Event-ID is not an array of {topic, partition, timestamp or offset}")
    timestamps = [entry["timestamp"] for entry in entries if "timestamp" in entry]
    if timestamps:
        return clock.first_at(min(timestamps))
    offsets: list[int] = [entry["offset"] for entry in entries]
    return max(0, max(offsets) + 1)


def since(text: str, clock: Clock) -> int:
    """Index of the first entry since a time, as ISO 8601 or milliseconds. Raises DataError when it is neither."""
    if text.isascii() and text.isdigit():
        return clock.first_at(int(text))
    try:
        # In a query an unescaped plus sign arrives as a space.
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise DataError("bad_since", f"since is neither ISO 8601 nor milliseconds: {text}") from error
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return clock.first_at(int(aware.timestamp() * 1000))


def _is_position(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("topic"), str)
        and ("timestamp" in entry or "offset" in entry)
        and isinstance(entry.get("timestamp", 0), int)
        and isinstance(entry.get("offset", 0), int)
    )
