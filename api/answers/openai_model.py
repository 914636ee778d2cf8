"""The model that writes answers, behind any server that speaks OpenAI's chat completions."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
import openai
from openai import AsyncOpenAI, AsyncStream, DefaultAioHttpClient
from pydantic import BaseModel

from api.answers.model import Failure, Message, ModelError, Tokens
from api.answers.prompt import SCHEMA
from freshet.settings import Settings

RETRIES: Final = 2
# Asked by path and in bytes, and read as it comes: built as the client's own types each chunk costs 0.2 ms.
_PATH: Final = "/chat/completions"
_FORMAT: Final = {
    "type": "json_schema",
    "json_schema": {"name": "claims", "strict": True, "schema": SCHEMA},
}


class OpenAIModel:
    """One model. Its server is asked again, a few times, while nothing of an answer has come."""

    def __init__(self, settings: Settings, client: AsyncOpenAI) -> None:
        self.name: Final = settings.answer_model
        self._settings = settings
        self._client = client

    async def stream(self, messages: list[Message]) -> AsyncGenerator[str | Tokens]:
        """The answer in pieces, and what it took where the server tells. Raises ModelError."""
        # Bounded step by step: a bound around a `yield` would end whoever reads this instead.
        deadline = self._deadline()
        content = self._content(messages, stream=True, stream_options={"include_usage": True})
        async with _failing(deadline):
            stream = await self._client.post(
                _PATH, cast_to=object, content=content, stream=True, stream_cls=AsyncStream[object]
            )
        try:
            while chunk := await _next(stream, deadline):
                for piece in _pieces(chunk):
                    yield piece
        finally:
            await stream.close()

    async def whole(self, messages: list[Message]) -> AsyncGenerator[str | Tokens]:
        """The same in one piece, for whoever waits for all of it anyway."""
        async with _failing(self._deadline()):
            content = self._content(messages)
            answer = await self._client.post(_PATH, cast_to=object, content=content)
            pieces = _pieces(_Chunk.model_validate(answer))
        for piece in pieces:
            yield piece

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._settings.answer_timeout_s

    def _content(self, messages: list[Message], **more: object) -> bytes:
        effort = self._settings.answer_reasoning_effort
        body = {
            "model": self.name,
            "messages": messages,
            "response_format": _FORMAT,
            "max_completion_tokens": self._settings.answer_max_tokens,
            **({} if effort == "default" else {"reasoning_effort": effort}),
            **more,
        }
        return json.dumps(body).encode()


@asynccontextmanager
async def open_model(settings: Settings) -> AsyncGenerator[OpenAIModel]:
    """The model of the settings. Its connections, of which the client allows a thousand, are closed at the end."""
    client = AsyncOpenAI(
        # A server of one's own may want no key; the client wants one.
        api_key=settings.openai_api_key.get_secret_value() or "none",
        base_url=settings.openai_base_url or None,
        timeout=settings.answer_timeout_s,
        max_retries=RETRIES,
        http_client=DefaultAioHttpClient(),
    )
    async with client:
        yield OpenAIModel(settings, client)


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    delta: _Message | None = None
    message: _Message | None = None
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int


class _Chunk(BaseModel):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None


async def _next(stream: AsyncStream[object], deadline: float) -> _Chunk | None:
    async with _failing(deadline):
        chunk = await anext(stream, None)
        return None if chunk is None else _Chunk.model_validate(chunk)


def _pieces(chunk: _Chunk) -> list[str | Tokens]:
    """What a chunk, or a whole answer, says."""
    pieces: list[str | Tokens] = [text for choice in chunk.choices or [] if (text := _text(choice))]
    if chunk.usage:
        pieces.append(Tokens(chunk.usage.prompt_tokens, chunk.usage.completion_tokens))
    return pieces


def _text(choice: _Choice) -> str | None:
    said = choice.delta or choice.message or _Message()
    if choice.finish_reason == "content_filter" or said.refusal:
        raise ModelError(Failure.REFUSED)
    if choice.finish_reason == "length":
        raise ModelError(Failure.TRUNCATED)
    return said.content


@asynccontextmanager
async def _failing(deadline: float) -> AsyncGenerator[None]:
    """Whatever goes wrong until the deadline, and the deadline itself, as ModelError."""
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError as error:
        raise ModelError(Failure.TIMEOUT) from error
    # The transport below the client lets errors of its own through when a server speaks no HTTP.
    except (openai.APIConnectionError, aiohttp.ClientError) as error:
        raise ModelError(Failure.UNREACHABLE) from error
    except openai.RateLimitError as error:
        raise ModelError(Failure.LIMITED) from error
    except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
        raise ModelError(Failure.DENIED) from error
    except openai.OpenAIError as error:
        raise ModelError(Failure.ERROR) from error
    except ValueError as error:
        raise ModelError(Failure.MALFORMED) from error
