"""An answer in the form of OpenAI's chat completions, whole and in chunks."""

import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final
from uuid import UUID

from api.answers.events import Done, Event, Restart, Sources, Token
from api.answers.markdown import annotations, linked
from api.models.answers import AskOut, Citation
from api.models.chat import MODEL, Choice, Completion, Grounds, MessageOut, UsageOut

# OpenAI's client raises this as its own error when it finds it in a stream.
_BROKEN_OFF: Final = {"error": {"message": "The answer broke off.", "type": "server_error"}}


def completion(answer: AskOut) -> Completion:
    """The whole answer."""
    content = linked(answer.answer, answer.citations)
    message = MessageOut(content=content, annotations=annotations(content, answer.citations))
    return Completion(
        id=_id(answer.answer_id),
        created=int(time.time()),
        choices=[Choice(message=message)],
        usage=_usage(answer),
        freshet=_grounds(answer),
    )


async def chunks(answer_id: UUID, events: AsyncIterator[Event], include_usage: bool) -> AsyncGenerator[dict[str, Any]]:
    """The same in chunks. Where usage is wanted every chunk has the field, and one more comes last."""
    head = {"id": _id(answer_id), "object": "chat.completion.chunk", "created": int(time.time()), "model": MODEL}
    if include_usage:
        head["usage"] = None

    def chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}]}

    yield chunk({"role": "assistant", "content": ""})
    sources: list[Citation] = []
    content, start = "", 0
    async for event in events:
        match event:
            case Sources():
                sources = event.sources
            case Token() | Restart():
                text = linked(event.text, sources) if isinstance(event, Token) else _restart(event)
                content += text
                start = len(content) if isinstance(event, Restart) else start
                yield chunk({"content": text})
            case Done(answer):
                last = chunk({"annotations": annotations(content, sources, start)}, "stop")
                if include_usage:
                    yield last
                    last = {**head, "choices": [], "usage": _usage(answer)}
                yield {**last, "freshet": _grounds(answer)}
            case _:
                yield _BROKEN_OFF


def _id(answer_id: UUID) -> str:
    return f"chatcmpl-{answer_id}"


def _restart(restart: Restart) -> str:
    """Nothing of a chat can be taken back."""
    return f"\n\nWhat is above is void, because {restart.reason}. The answer anew:\n\n"


def _usage(answer: AskOut) -> UsageOut:
    read, written = (answer.usage.input_tokens, answer.usage.output_tokens) if answer.usage else (0, 0)
    return UsageOut(prompt_tokens=read, completion_tokens=written, total_tokens=read + written)


def _grounds(answer: AskOut) -> Grounds:
    return Grounds.model_validate(answer, from_attributes=True)
