"""The model's client against servers that are none: whatever they say, it is one of the few ways to fail."""

import asyncio
from typing import Any

import pytest

from api.answers.model import Failure, ModelError, Tokens
from api.answers.openai_model import open_model
from freshet.settings import load_settings

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
END = b"Connection: close\r\n\r\n"
PIECE = b'data: {"choices": [{"delta": {"content": "{"}}]}\n\n'


async def _asked(reply: bytes) -> list[str | Tokens]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        async with open_model(load_settings(openai_base_url=address, answer_timeout_s=5)) as model:
            return [piece async for piece in model.stream([{"role": "user", "content": "?"}])]


def asked(reply: bytes) -> Any:
    return asyncio.run(_asked(reply))


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        (b"\x00\xff no HTTP at all\r\n\r\n", Failure.UNREACHABLE),
        (b"", Failure.UNREACHABLE),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", Failure.UNREACHABLE),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZZ\r\nhello", Failure.UNREACHABLE),
        (HEAD + b"Content-Length: 10000\r\n\r\n" + PIECE, Failure.UNREACHABLE),
        (HEAD + b"Content-Encoding: gzip\r\n" + END + PIECE, Failure.UNREACHABLE),
        (b"HTTP/1.1 307 On\r\nLocation: /v1/chat/completions\r\nContent-Length: 0\r\n" + END, Failure.UNREACHABLE),
        (b"HTTP/1.1 400 Bad\r\nContent-Length: 6\r\n" + END + b"<html>", Failure.ERROR),
        (b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n" + END, Failure.DENIED),
        (HEAD + END + b"data: no JSON\n\n", Failure.MALFORMED),
        (HEAD + END + b"data: 5\n\n", Failure.MALFORMED),
        (HEAD + END + b'data: {"choices": 5, "usage": "x"}\n\n', Failure.MALFORMED),
        (HEAD + END + b'data: {"choices": [{"delta": {"content": ["x"]}}]}\n\n', Failure.MALFORMED),
        (HEAD + END + b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n', Failure.MALFORMED),
    ],
)
def test_a_server_that_is_none_is_a_failure_of_a_known_kind(reply, failure):
    with pytest.raises(ModelError) as caught:
        asked(reply)
    assert caught.value.failure is failure


@pytest.mark.parametrize("body", [b"", b"<html>hello</html>", b'{"choices": []}', b"data: null\n\n", b"data: {}\n\n"])
def test_a_server_that_streams_no_chunk_says_nothing(body):
    assert asked(HEAD + END + body) == []


def test_what_a_server_adds_to_its_chunks_is_passed_over():
    chunk = (
        b'data: {"id": 5, "choices": [{"delta": {"content": "{", "reasoning": "hm"}, "more": []}], "usage": null}\n\n'
    )
    usage = b'data: {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3, "details": {}}}\n\n'
    assert asked(HEAD + END + b": comment\n\n" + chunk + usage + b"data: [DONE]\n\n") == ["{", Tokens(7, 3)]
