"""The text of an answer: a model's, where there is one and it answers, else made of the edits themselves."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field

from opentelemetry.trace import Span, SpanKind

from api.answers import extractive, prompt
from api.answers.events import Restart, Token
from api.answers.evidence import Evidence
from api.answers.grounding import Grounding, MalformedError
from api.answers.model import Failure, Model, ModelError, Tokens
from api.answers.plain import plain
from api.models.answers import Answerer, Outcome
from freshet.telemetry import logs, metrics, traces

NO_MODEL = "no model is set: the answer is made of the edits themselves"


@dataclass
class Written:
    """What became of an answer; true once its last token is there. `cited` are the numbers of its sources."""

    outcome: Outcome = "refused"
    answerer: Answerer = "extractive"
    model: str | None = None
    tokens: Tokens | None = None
    cited: list[int] = field(default_factory=list)
    degraded: dict[str, str] = field(default_factory=dict)


async def write(
    model: Model | None, evidence: Evidence, written: Written, *, at_once: bool
) -> AsyncGenerator[Token | Restart]:
    """The answer, piece by piece, or of a model `at_once`. One that fails after its first words makes it begin anew."""
    if model is None:
        written.degraded["model"] = NO_MODEL
    if not evidence.cited:
        yield Token(f"No edit supports an answer. {evidence.searched}")
        return
    because = "without a model"
    if model is not None:
        begun = False
        try:
            ask = model.whole if at_once else model.stream
            async with aclosing(_by_model(ask(prompt.messages(evidence)), model.name, evidence, written)) as tokens:
                async for token in tokens:
                    begun = True
                    yield token
        except ModelError as failure:
            metrics.MODEL_FAILURES.labels(failure.failure).inc()
            logs.get().warning("the model failed", reason=failure.failure, **failure.cause)
            because = f"because {failure}"
            written.degraded["model"] = str(failure)
            if begun:
                yield Restart(str(failure))
        else:
            return
    with traces.span("extract answer", current=False):
        for token in _extractive(evidence, because):
            yield token
    written.outcome = "grounded"
    written.cited = [one.n for one in evidence.cited]


async def _by_model(
    answer: AsyncGenerator[str | Tokens], model: str, evidence: Evidence, written: Written
) -> AsyncGenerator[Token]:
    grounding = Grounding(len(evidence.cited))
    with traces.span("ground answer", current=False) as span:
        try:
            async with aclosing(_pieces(answer, model, written, span)) as pieces:
                async for piece in pieces:
                    if shown := grounding.feed(piece):
                        yield Token(shown)
            if shown := grounding.end():
                yield Token(shown)
        except MalformedError as error:
            raise ModelError(Failure.MALFORMED) from error
        finally:
            metrics.CITATIONS_REMOVED.inc(grounding.removed)
            metrics.CLAIMS_DROPPED.inc(grounding.dropped)
            span.set_attributes(
                {
                    "freshet.citations": len(grounding.cited),
                    "freshet.citations_removed": grounding.removed,
                    "freshet.claims_dropped": grounding.dropped,
                }
            )
    written.answerer, written.model, written.cited = "model", model, grounding.cited
    name = plain(model)
    if grounding.cited:
        written.outcome = "grounded"
        yield Token(f"\n\n{evidence.searched} This answer was written by {name} from the edits that it cites.")
    else:
        yield Token(f"The edits found do not support an answer, as {name} reads them. {evidence.searched}")


async def _pieces(
    answer: AsyncGenerator[str | Tokens], model: str, written: Written, parent: Span
) -> AsyncGenerator[str]:
    """What the model says, in a span of its call, which has the tokens that it took."""
    what = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": model}
    with traces.span(f"chat {model}", what, kind=SpanKind.CLIENT, parent=parent, current=False) as span:
        try:
            async with aclosing(answer) as pieces:
                async for piece in pieces:
                    if isinstance(piece, str):
                        yield piece
                        continue
                    written.tokens = piece
                    span.set_attribute("gen_ai.usage.input_tokens", piece.input)
                    span.set_attribute("gen_ai.usage.output_tokens", piece.output)
        except ModelError as failure:
            span.set_attribute("freshet.model.failure", failure.failure)
            raise


def _extractive(evidence: Evidence, because: str) -> Iterator[Token]:
    newest = evidence.searched.extent.newest_event_time or max(one.found.event_time for one in evidence.cited)
    for line in extractive.lines(evidence.cited, newest):
        yield Token(line)
    yield Token(f"\n{evidence.searched} This answer is extractive: made of the edits themselves, {because}.")
