"""`GET /v1/feed`: edits as they come, as server-sent events."""

import asyncio
from collections.abc import AsyncIterable, Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.feed.hub import Event, Listener, Wanted
from api.feed.position import parse
from api.models.feed import FeedIn
from api.services import Provided

router = APIRouter(prefix="/v1", tags=["feed"])

PATIENCE_S: Final = 5.0
"""How long a listener waits for the broker before it is told that it is away."""

NOTICE_S: Final = 0.5
"""How soon a stream that has nothing to send notices that the API is ending."""

Listening = Callable[[], AbstractContextManager[Listener]]


async def _listening(
    services: Provided,
    asked: Annotated[FeedIn, Query()],
    last_event_id: Annotated[str | None, Header(max_length=4096)] = None,
) -> Listening:
    """Begins to listen when it is called. The broker is waited for only once the request is known to be sound."""
    after = parse(last_event_id) if last_event_id else None
    try:
        hub = await asyncio.wait_for(services.feed.hub(), PATIENCE_S)
    except TimeoutError:
        raise HTTPException(503, "The log does not answer.", {"Retry-After": "5"}) from None
    return partial(hub.listening, _wanted(asked), after, asked.recent)


@router.get("/feed", response_class=EventSourceResponse)
async def feed(
    request: Request, listening: Annotated[Listening, Depends(_listening)]
) -> AsyncIterable[ServerSentEvent]:
    """Silver's rows as events of type `edit`, each once, newest last. A filter that is not given narrows nothing.

    A `gap` says how many records of the log were skipped: its reader was too slow, or came back too late with
    `Last-Event-ID` (then filters are not counted in). An id that is none of the feed's is as good as none. Comments
    keep an idle stream alive.
    """
    with listening() as listener:
        while not request.app.state.ending():
            skipped, items = await listener.take(NOTICE_S)
            if skipped:
                yield ServerSentEvent(event="gap", data={"skipped": skipped})
            for item in items:
                yield ServerSentEvent(event="edit", id=str(item.position), data=item.event)


def _wanted(asked: FeedIn) -> Wanted:
    named = asked.model_dump(exclude={"recent", "minor"})
    allowed = {name: frozenset(values) for name, values in named.items() if values}
    if asked.minor is not None:
        allowed["minor"] = frozenset([asked.minor])

    def wanted(event: Event) -> bool:
        return all(event.get(name) in values for name, values in allowed.items())

    return wanted
