"""`POST /v1/ask`, and the same as server-sent events."""

from collections.abc import AsyncIterable
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from api import problems
from api.answers.answering import streamed, whole
from api.answers.events import Done, Event, Restart, Sources, Token
from api.answers.evidence import Evidence, gather
from api.event_data import as_data
from api.models.answers import AskOut
from api.services import Provided

router = APIRouter(prefix="/v1", tags=["ask"])

Gathered = Annotated[Evidence, Depends(gather)]


@router.post("/ask", response_model=AskOut)
async def ask(services: Provided, evidence: Gathered) -> Response:
    """Answer from the edits, every claim cited; refuse when no edit supports an answer.

    A model writes the answer where one is set. Without one, or when it fails, the answer is made of the edits
    themselves, and `degraded` says why.
    """
    # as it is: it was checked when it was made
    answer = await whole(services, evidence)
    return Response(answer.model_dump_json(), media_type="application/json")


@router.post("/ask/stream", response_class=EventSourceResponse)
async def ask_stream(request: Request, services: Provided, evidence: Gathered) -> AsyncIterable[ServerSentEvent]:
    """The same answer as it is written, in events:

    - `sources`: a list of the edits that it is written from, as citations
    - `token`: `{"text"}`, the next letters; a mark `[n]` is never cut
    - `restart`: `{"reason"}`, when the model fails after it began: the text so far is void
    - `done`: the whole answer, as `POST /v1/ask` gives it
    - `error`: a problem document, instead of `done`

    Comments keep a stream alive while nothing comes. To close it ends the model's work.
    """
    async with aclosing(streamed(services, evidence)) as events:
        async for event in events:
            yield _rendered(event, request)


def _rendered(event: Event, request: Request) -> ServerSentEvent:
    match event:
        case Sources(sources):
            return ServerSentEvent(event="sources", raw_data=as_data(sources))
        case Token(text):
            return ServerSentEvent(event="token", raw_data=as_data({"text": text}))
        case Restart(reason):
            return ServerSentEvent(event="restart", raw_data=as_data({"reason": reason}))
        case Done(answer):
            return ServerSentEvent(event="done", raw_data=as_data(answer))
        case _:
            return ServerSentEvent(event="error", raw_data=as_data(problems.broken_off(request)))
