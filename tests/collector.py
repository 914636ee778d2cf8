"""A collector of traces that remembers every span it was sent."""

import asyncio
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """An ASGI application that takes OTLP over HTTP, and answers after `delay_s`."""

    def __init__(self, delay_s: float = 0) -> None:
        self.delay_s = delay_s
        self.spans: dict[str, Span] = {}
        self.services: set[str] = set()
        self.received = b""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        assert scope["path"] == "/v1/traces"
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        await asyncio.sleep(self.delay_s)
        self.received += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.services |= {one.value.string_value for one in resource.resource.attributes if one.key == SERVICE}
            self.spans |= {span.name: span for scoped in resource.scope_spans for span in scoped.spans}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    def parents(self) -> dict[str, str]:
        """The name of the span that each is below, or the id of one that is not here."""
        names = {span.span_id: name for name, span in self.spans.items()}
        return {name: names.get(span.parent_span_id, span.parent_span_id.hex()) for name, span in self.spans.items()}

    def said(self, name: str) -> dict[str, Any]:
        """The attributes of a span."""
        return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in self.spans[name].attributes}


SERVICE = "service.name"
