"""`POST /v1/chat/completions` and `GET /v1/models`: any client of OpenAI's can use Freshet as a model."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException
from fastapi.exceptions import RequestValidationError
from fastapi.sse import format_sse_event
from pydantic import ValidationError
from starlette.responses import Response, StreamingResponse

from api import problems
from api.answers.answering import streamed, whole
from api.answers.evidence import Evidence, gather
from api.completions import chunks, completion
from api.event_data import as_data
from api.models.chat import MODEL, ChatIn, Completion, ModelOut, ModelsOut
from api.services import Provided, Services

router = APIRouter(prefix="/v1", tags=["chat"])

_HEADERS: Final = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_ALSO_A_STREAM: Final[dict[str, Any]] = {"content": {"text/event-stream": {}}}


async def _evidence(chat: ChatIn, services: Provided) -> Evidence:
    if chat.model != MODEL:
        raise HTTPException(404, f"There is no model of this name; there is {MODEL!r}.")
    try:
        asked = chat.asked()
    except ValidationError as error:
        wrong = [{**item, "loc": ("body", "messages")} for item in error.errors()]
        raise RequestValidationError(wrong) from error
    return await gather(services, asked)


@router.get("/models")
async def models() -> ModelsOut:
    """The one model there is."""
    return ModelsOut(data=[ModelOut(created=0)])


@router.post("/chat/completions", response_model=Completion, responses={**problems.NOT_FOUND, 200: _ALSO_A_STREAM})
async def complete(
    chat: ChatIn, services: Provided, evidence: Annotated[Evidence, Depends(_evidence)]
) -> Completion | Response:
    """Answer the last message of the user from the edits, after the messages before it.

    Messages of the system, tools and parameters of sampling are accepted and ignored. The marks of the citations are
    links in the text, and `message.annotations` has them as `url_citation`. The field `freshet` has the citations
    themselves, the id for feedback, what was searched, how fresh it is, and what did not take part; in a stream the
    last chunk before `[DONE]` has it.
    """
    if not chat.stream:
        return completion(await whole(services, evidence))
    include_usage = chat.stream_options is not None and chat.stream_options.include_usage
    stream = _stream(services, evidence, include_usage)
    return StreamingResponse(stream, media_type="text/event-stream", headers=_HEADERS)


async def _stream(services: Services, evidence: Evidence, include_usage: bool) -> AsyncGenerator[bytes]:
    async with aclosing(streamed(services, evidence)) as events:
        async for chunk in chunks(evidence.answer_id, events, include_usage):
            yield format_sse_event(data_str=as_data(chunk))
    yield format_sse_event(data_str="[DONE]")
