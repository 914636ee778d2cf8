"""The stand-in's HTTP face: a bare ASGI application, so that hundreds of answers at once cost little."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from local.openai_server import faults, writer
from local.openai_server.faults import Fault

MODEL: Final = "stand-in"
REFUSAL: Final = "I cannot help with that."
FAILED: Final = "The stand-in was told to fail."
_STREAM: Final = [(b"content-type", b"text/event-stream; charset=utf-8")]
# A moment, so that a test of retries is short; a real server says seconds.
_SOON: Final = [(b"retry-after-ms", b"20")]
_REASON: Final = {Fault.LENGTH: "length", Fault.FILTERED: "content_filter"}
_STATUS: Final = {Fault.ERROR: 500, Fault.LIMITED: 429, Fault.DENIED: 401}


@dataclass
class Counts:
    """What was asked and what became of it."""

    requests: int = 0
    answers: int = 0
    abandoned: int = 0


@dataclass
class OpenAIServer:
    """Answers after `delay_s`, in `pieces` spread over that time. `asked` keeps the last request's body."""

    delay_s: float = 0.0
    pieces: int = 20
    fault: Fault = Fault.NONE
    counts: Counts = field(default_factory=Counts)
    asked: dict[str, Any] = field(default_factory=dict)

    def reset(self) -> None:
        """As if nobody had asked."""
        self.counts, self.asked = Counts(), {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        match scope["path"]:
            case "/v1/chat/completions":
                await self._complete(await _body(receive), _key(scope), receive, send)
            case "/v1/models":
                await _json(send, 200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})
            case "/healthz" | "/readyz" | "/-/counts":
                await _json(send, 200, vars(self.counts))
            case _:
                await _json(send, 404, _error("not_found"))

    async def _complete(self, body: dict[str, Any], key: str, receive: Receive, send: Send) -> None:
        self.counts.requests += 1
        self.asked = body
        fault = faults.of_model(str(body.get("model")), self.fault)
        if status := _STATUS.get(fault):
            # servers of this protocol repeat a key that they refuse
            said = f"Incorrect API key provided: {key}." if fault is Fault.DENIED else FAILED
            await _json(send, status, _error("server_error", said), _SOON)
        elif fault is Fault.HANG:
            await self._until_left(receive)
        elif body.get("stream"):
            await self._stream(body, fault, receive, send)
        else:
            await self._whole(body, fault, receive, send)

    async def _whole(self, body: dict[str, Any], fault: Fault, receive: Receive, send: Send) -> None:
        await asyncio.sleep(self.delay_s)
        match fault:
            case Fault.STALL:
                await self._until_left(receive)
            case Fault.CUT:
                # begun and never finished, so that the server closes the connection
                head = [(b"content-type", b"application/json"), (b"content-length", b"1000000")]
                await send({"type": "http.response.start", "status": 200, "headers": head})
                await _write(send, b'{"choices"', more=True)
            case Fault.GARBAGE:
                await _json(send, 200, "no completion")
            case Fault.BROKEN:
                await _json(send, 500, _error("server_error"), _SOON)
            case _:
                content = writer.write(writer.edits(body["messages"]), fault)
                await _json(send, 200, _completion(body, content, fault))
                self.counts.answers += 1

    async def _stream(self, body: dict[str, Any], fault: Fault, receive: Receive, send: Send) -> None:
        content = writer.write(writer.edits(body["messages"]), fault)
        await send({"type": "http.response.start", "status": 200, "headers": _STREAM})
        pieces = list(_cut(content, self.pieces))
        if fault in (Fault.STALL, Fault.CUT, Fault.GARBAGE, Fault.BROKEN, Fault.LENGTH, Fault.FILTERED):
            del pieces[len(pieces) * 3 // 4 :]
        for piece in pieces:
            await asyncio.sleep(self.delay_s / self.pieces)
            await _write(send, _HEAD + json.dumps(piece).encode() + _TAIL)
        match fault:
            case Fault.STALL:
                return await self._until_left(receive)
            case Fault.CUT:
                return None
            case Fault.GARBAGE:
                await _write(send, b"data: {no JSON\n\n")
            case Fault.BROKEN:
                await _write(send, _event(_error("server_error")))
            case Fault.REFUSAL:
                await _write(send, _event(_chunk({"refusal": REFUSAL})))
        reason = _REASON.get(fault, "stop")
        usage = {**_chunk({}), "choices": [], "usage": _usage(body, content)}
        wanted = (body.get("stream_options") or {}).get("include_usage")
        end = _event(_chunk({}, reason)) + (_event(usage) if wanted else b"") + b"data: [DONE]\n\n"
        await _write(send, end, more=False)
        self.counts.answers += 1
        return None

    async def _until_left(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.counts.abandoned += 1


def _cut(text: str, pieces: int) -> Iterator[str]:
    size = max(1, -(-len(text) // pieces))
    return (text[at : at + size] for at in range(0, len(text), size))


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": MODEL, "choices": [choice]}


def _completion(body: dict[str, Any], content: str, fault: Fault) -> dict[str, Any]:
    said = {"content": None, "refusal": REFUSAL} if fault is Fault.REFUSAL else {"content": content}
    choice = {"index": 0, "message": {"role": "assistant", **said}, "finish_reason": _REASON.get(fault, "stop")}
    return {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [choice],
        "usage": _usage(body, content),
    }


def _usage(body: dict[str, Any], content: str) -> dict[str, int]:
    """About four letters a token."""
    read = sum(len(str(message.get("content"))) for message in body["messages"]) // 4
    written = len(content) // 4
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _error(code: str, message: str = FAILED) -> dict[str, Any]:
    return {"error": {"message": message, "type": code, "code": code, "param": None}}


def _key(scope: Scope) -> str:
    sent: bytes = dict(scope["headers"]).get(b"authorization", b"")
    return sent.decode().removeprefix("Bearer ")


async def _body(receive: Receive) -> dict[str, Any]:
    parts = bytearray()
    while True:
        message = await receive()
        parts += message.get("body", b"")
        if not message.get("more_body"):
            body: dict[str, Any] = json.loads(parts or b"{}")
            return body


async def _json(send: Send, status: int, value: Any, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    head = [(b"content-type", b"application/json"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await _write(send, json.dumps(value).encode(), more=False)


def _event(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


async def _write(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


# A piece's event is the same but for the piece.
_HEAD, _TAIL = _event(_chunk({"content": "@"})).split(b'"@"')
