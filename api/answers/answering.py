"""From evidence to an answer, event by event. Every route that answers renders these events."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from api.answers.events import Done, Event, Failed, Restart, Sources
from api.answers.evidence import Evidence, milliseconds_since
from api.answers.model import Tokens
from api.answers.writing import Written, write
from api.models.answers import AskOut, SearchedOut, Timings, Usage, WindowOut
from api.models.search import Newest
from api.services import Services
from freshet.settings import Settings
from freshet.store.answers import Given
from freshet.telemetry import logs, metrics, traces


async def whole(services: Services, evidence: Evidence) -> AskOut:
    """The answer once it is done."""
    async with aclosing(_answer(services, evidence, at_once=True)) as events:
        (done,) = [event.answer async for event in events if isinstance(event, Done)]
    return done


async def streamed(services: Services, evidence: Evidence) -> AsyncGenerator[Event]:
    """Sources, tokens, perhaps a restart and tokens anew, done. Whoever stops reading ends the model's work as well."""
    try:
        async with aclosing(_answer(services, evidence, at_once=False)) as events:
            async for event in events:
                yield event
    # The response has begun, so that no handler can answer any more: this is the last that can tell the client.
    except Exception as error:  # noqa: BLE001
        logs.get().error("an answer broke off", exc_info=error)
        traces.fail(type(error).__name__)
        yield Failed()


async def _answer(services: Services, evidence: Evidence, *, at_once: bool) -> AsyncGenerator[Event]:
    """The answer is stored before it is said to be done, so that feedback finds it."""
    yield Sources(evidence.sources)
    written, text, first_token_ms = Written(degraded=dict(evidence.degraded)), "", None
    async with aclosing(write(services.model, evidence, written, at_once=at_once)) as events:
        async for event in events:
            if isinstance(event, Restart):
                text = ""
            else:
                text += event.text
                first_token_ms = first_token_ms or milliseconds_since(evidence.begun)
            yield event
    out = _out(evidence, written, text, first_token_ms or 0.0, services.settings)
    _count(out, written.tokens, services.settings)
    await _keep(services, evidence, out)
    yield Done(out)


def _out(evidence: Evidence, written: Written, text: str, first_token_ms: float, settings: Settings) -> AskOut:
    window, extent = evidence.window, evidence.searched.extent
    took_ms = milliseconds_since(evidence.begun)
    return AskOut(
        answer_id=evidence.answer_id,
        question=evidence.asked.question,
        answer=text,
        outcome=written.outcome,
        answerer=written.answerer,
        model=written.model,
        usage=_usage(written.tokens, settings) if written.tokens and written.model else None,
        citations=[source for source in evidence.sources if source.n in written.cited],
        window=WindowOut(words=window.words, since=window.since, until=window.until) if window else None,
        searched=SearchedOut(
            documents=extent.documents,
            oldest_event_time=extent.oldest_event_time,
            newest_event_time=extent.newest_event_time,
            wikis=list(evidence.searched.wikis) or None,
        ),
        freshness=Newest(**vars(evidence.newest)),
        sources=extent.sources,
        timings=Timings(retrieval_ms=evidence.retrieval_ms, first_token_ms=first_token_ms, total_ms=took_ms),
        took_ms=took_ms,
        degraded=written.degraded,
    )


def _usage(tokens: Tokens, settings: Settings) -> Usage:
    cost = (
        tokens.input * settings.answer_input_usd_per_million + tokens.output * settings.answer_output_usd_per_million
    ) / 1e6
    return Usage(input_tokens=tokens.input, output_tokens=tokens.output, cost_usd=cost)


def _count(out: AskOut, tokens: Tokens | None, settings: Settings) -> None:
    metrics.ANSWERS.labels(out.outcome, out.answerer).inc()
    for part in out.degraded:
        # without a model set none has failed
        if not (part == "model" and not settings.has_model):
            metrics.DEGRADED.labels(part).inc()
    metrics.FIRST_TOKEN.labels(out.answerer).observe(out.timings.first_token_ms / 1000)
    # What an answer cost that could not be used was spent as well.
    if tokens:
        metrics.MODEL_TOKENS.labels("input").inc(tokens.input)
        metrics.MODEL_TOKENS.labels("output").inc(tokens.output)
        metrics.MODEL_COST.inc(_usage(tokens, settings).cost_usd)


async def _keep(services: Services, evidence: Evidence, out: AskOut) -> None:
    given = Given(
        answer_id=out.answer_id,
        asked_at=evidence.asked_at,
        doc_ids=[citation.doc_id for citation in out.citations],
        **out.model_dump(include={"question", "answer", "outcome", "answerer", "model", "degraded", "took_ms"}),
    )
    what = {"freshet.answer_id": str(out.answer_id), "freshet.outcome": out.outcome, "freshet.answerer": out.answerer}
    with traces.span("store answer", what):
        await services.keeper.keep(given)
