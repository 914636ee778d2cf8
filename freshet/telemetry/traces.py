"""Traces, sent to the collector that `FRESHET_OTLP_ENDPOINT` names. Without one a span is nothing, and costs nothing.

Attributes say what was done, never what was asked: no text of a question, an answer or an edit, no key. Neither is the
message of an error taken, which may quote them: its kind is.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Final

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from freshet import __version__
from freshet.monitoring_settings import MonitoringSettings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

EXPORT_S: Final = 5.0
"""A batch that the collector has not taken by then is given up."""

FLUSH_S: Final = 2.0
"""The end of a process waits no longer for the collector."""

_W3C: Final = TraceContextTextMapPropagator()


class _Collected:
    """The process' tracer, while there is a collector."""

    tracer: Tracer | None = None


@contextmanager
def configured(process: str, settings: MonitoringSettings) -> Iterator[None]:
    """Collect this process' spans until the block ends, then send those that are left."""
    if not settings.otlp_endpoint:
        yield
        return
    provider = _provider(process, settings.otlp_endpoint)
    _Collected.tracer = provider.get_tracer("freshet", __version__)
    try:
        yield
    finally:
        _Collected.tracer = None
        flush = Thread(target=provider.shutdown, name="traces-flush", daemon=True)
        flush.start()
        flush.join(FLUSH_S)


@contextmanager
def span(
    name: str,
    attributes: Mapping[str, str | int | float] | None = None,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: Span | None = None,
    current: bool = True,
) -> Iterator[Span]:
    """A span until the block ends, below `parent` or else the current one. An exception marks it as failed.

    Not `current` in a generator: what it yields to would be within it as well, and may be another task at its end.
    """
    if _Collected.tracer is None:
        yield trace.INVALID_SPAN
        return
    above = trace.set_span_in_context(parent) if parent else None
    begun = _Collected.tracer.start_span(name, above, kind, attributes)
    token = context.attach(trace.set_span_in_context(begun)) if current else None
    try:
        yield begun
    except Exception as error:
        fail(type(error).__name__, begun)
        raise
    finally:
        if token:
            context.detach(token)
        begun.end()


@contextmanager
def continued(headers: Mapping[str, str], name: str) -> Iterator[Span]:
    """A server's span, below that of the caller whose `traceparent` is among these headers."""
    if _Collected.tracer is None:
        yield trace.INVALID_SPAN
        return
    token = context.attach(_W3C.extract(headers))
    try:
        with span(name, kind=SpanKind.SERVER) as begun:
            yield begun
    finally:
        context.detach(token)


def fail(kind: str, failed: Span | None = None) -> None:
    """Mark a span, or else the current one, as failed."""
    failed = failed or trace.get_current_span()
    failed.set_status(StatusCode.ERROR)
    failed.set_attribute("error.type", kind)


def headers(sender: Span) -> dict[str, str]:
    """What a request sends along so that its server's spans come below `sender`; empty without a trace."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, trace.set_span_in_context(sender))
    return carrier


def trace_id(of: Span) -> str | None:
    """The id of a span's trace, as log lines have it; None without a trace."""
    said = of.get_span_context()
    return trace.format_trace_id(said.trace_id) if said.is_valid else None


def _provider(process: str, endpoint: str) -> "TracerProvider":
    # 20 MB and a fifth of a second, which only who has a collector should pay
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": f"freshet-{process}", "service.version": __version__})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
