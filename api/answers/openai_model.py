"""The model that writes answers, behind any server that speaks OpenAI's chat completions."""

import asyncio
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
        deadline = asyncio.get_running_loop().time() + self._settings.answer_timeout_s
        async with _failing(deadline):
            stream = await self._ask(messages)
        try:
            while chunk := await _next(stream, deadline):
                for choice in chunk.choices or []:
                    if text := _text(choice):
                        yield text
                if chunk.usage:
                    yield Tokens(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        finally:
            await stream.close()

    async def _ask(self, messages: list[Message]) -> AsyncStream[object]:
        """The chunks as they are. Built as the client's own types each costs 0.2 ms."""
        effort = self._settings.answer_reasoning_effort
        body = {
            "model": self.name,
            "messages": messages,
            "response_format": _FORMAT,
            "max_completion_tokens": self._settings.answer_max_tokens,
            **({} if effort == "default" else {"reasoning_effort": effort}),
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        return await self._client.post(
            "/chat/completions", cast_to=object, body=body, stream=True, stream_cls=AsyncStream[object]
        )


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


class _Delta(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    delta: _Delta | None = None
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


def _text(choice: _Choice) -> str | None:
    if choice.finish_reason == "content_filter" or (choice.delta and choice.delta.refusal):
        raise ModelError(Failure.REFUSED)
    if choice.finish_reason == "length":
        raise ModelError(Failure.TRUNCATED)
    return choice.delta.content if choice.delta else None


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
