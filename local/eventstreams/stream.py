"""One client's connection: the log from an index on, as server-sent events, each entry when it has happened."""

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local.eventstreams.faults import Fault, FaultPlan
from local.eventstreams.position import sse_id
from local.eventstreams.served import Served, now_ms

HEARTBEAT_S = 5.0
# Entries in one write while a client catches up; more would only make the others wait.
MOST_AT_ONCE = 64


def frame(data: bytes, timestamp_ms: int) -> bytes:
    """One frame of the stream."""
    # Within a frame a line break would end the field; the standard joins data lines with a newline.
    lines = data.replace(b"\r", b"\ndata: ")
    return b"event: message\nid: %s\ndata: %s\n\n" % (sse_id(timestamp_ms).encode(), lines)


class EventStream(Response):
    """An ASGI response that serves from `start` until the client goes or a fault ends it."""

    def __init__(self, served: Served, plan: FaultPlan, start: int) -> None:
        super().__init__()
        self._served = served
        self._source = served.source
        self._clock = served.clock()
        self._plan = plan
        self._index = start

    async def __call__(
        self,
        scope: Scope,  # noqa: ARG002
        receive: Receive,
        send: Send,
    ) -> None:
        """Serve one client."""
        gone = asyncio.create_task(_until_gone(receive))
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            await _write(send, b":ok\n\n")
            while not gone.done():
                if not (count := self._ready()):
                    await self._wait(gone, send)
                elif (fault := self._plan.due(self._index)) is None:
                    await self._serve(count, send)
                    # Lets other clients in, however fast this one reads.
                    await asyncio.sleep(0)
                elif await self._go_wrong(fault, gone, send):
                    return
        finally:
            gone.cancel()

    def _ready(self) -> int:
        """How many entries from here on have happened and can go in one write."""
        end = self._clock.happened(now_ms())
        if self._source.total is not None:
            end = min(end, self._source.total)
        return int(max(0, min(end - self._index, MOST_AT_ONCE)))

    async def _wait(self, gone: "asyncio.Task[None]", send: Send) -> None:
        """Until the next entry happens; after a long silence a heartbeat."""
        ended = self._source.total is not None and self._index >= self._source.total
        due_s = HEARTBEAT_S if ended else (self._clock.timestamp(self._index) - now_ms()) / 1000
        done, _ = await asyncio.wait({gone}, timeout=min(max(due_s, 0.001), HEARTBEAT_S))
        if not done and due_s >= HEARTBEAT_S:
            await _write(send, b":heartbeat\n\n")

    async def _serve(self, count: int, send: Send) -> None:
        first = self._index
        body: list[bytes] = []
        while len(body) < count and (not body or self._plan.due(self._index) is None):
            timestamp_ms = self._clock.timestamp(self._index)
            body.append(frame(self._source.data(self._index, timestamp_ms), timestamp_ms))
            self._index += 1
        await _write(send, b"".join(body))
        for index in range(first, self._index):
            self._served.mark(index)

    async def _go_wrong(self, fault: Fault, gone: "asyncio.Task[None]", send: Send) -> bool:
        """Let a fault happen. Returns whether it ends the connection."""
        self._plan.happens(fault, self._index)
        timestamp_ms = self._clock.timestamp(self._index)
        match fault:
            case Fault.DISCONNECT:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return True
            case Fault.CUT:
                whole = frame(self._source.data(self._index, timestamp_ms), timestamp_ms)
                await _write(send, whole[: len(whole) // 2])
                # Returning without an end makes the server drop the connection where it stands.
                return True
            case Fault.STALL:
                await asyncio.wait({gone}, timeout=self._plan.faults.stall_s)
            case Fault.MALFORMED:
                await _write(send, frame(b'{"meta":{"id":"cut off before entry %d' % self._index, timestamp_ms))
        return False


async def _write(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
