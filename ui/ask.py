"""What happens when a reader asks, retries, rates: the page's events, as Gradio calls them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import gradio as gr
from gradio.blocks import Block

from freshet.telemetry import metrics
from ui import render
from ui.answering import Asked, Shown, answer, said
from ui.client import ApiAwayError, Client, RefusedError
from ui.filters import Filters
from ui.words import literal

Memory = dict[str, Any]
"""What a page remembers, in the page itself: `turns` that were answered, the last `question`, the `rated` answer."""

NOTHING: Final[Memory] = {"turns": [], "question": "", "rated": None}
MOST_AT_ONCE: Final = 200
MOST_TURNS: Final = 20

Updates = dict[Block, Any]
"""What each part becomes; a part that is not named stays as it is."""

_RATINGS: Final[Mapping[Any, str]] = {True: "up", "Like": "up", False: "down", "Dislike": "down"}


@dataclass(frozen=True)
class Parts:
    """The parts of the page that asking changes."""

    chat: gr.Chatbot
    grounds: gr.HTML
    sources: gr.HTML
    memory: gr.JSON
    submit: gr.Button
    stop: gr.Button
    retry: gr.Button
    all_times: gr.Button
    clear: gr.Button
    comment_row: gr.Row
    comment: gr.Textbox

    def all(self) -> list[Block]:
        """As outputs of an event."""
        return list(vars(self).values())


class Asking:
    """The page's events around a question. Each gives the parts that change with what they become."""

    def __init__(self, client: Client, parts: Parts) -> None:
        self._client = client
        self._parts = parts

    async def ask(self, question: str, memory: Memory, *chosen: Any) -> AsyncGenerator[Updates]:
        """Answer a question after the conversation so far."""
        if question.strip():
            async for update in self._answered(question.strip(), memory, Filters(*chosen)):
                yield update
        else:
            yield {self._parts.chat: gr.skip()}

    async def again(self, memory: Memory, *chosen: Any) -> AsyncGenerator[Updates]:
        """Answer the last question once more, in place of its answer."""
        async for update in self._answered(memory["question"], _before(memory), Filters(*chosen)):
            yield update

    async def all_times(self, memory: Memory, *chosen: Any) -> AsyncGenerator[Updates]:
        """The same, whatever time the question names."""
        filters = Filters(*chosen).without_window()
        async for update in self._answered(memory["question"], _before(memory), filters, time_words=False):
            yield update

    def stopped(self, chat: list[dict[str, Any]], memory: Memory) -> Updates:
        """The reader has had enough: what was written stays, marked as not finished."""
        messages = _messages(memory["turns"])
        partial = _text(chat[-1]) if len(chat) > len(messages) else ""
        ended = "\n\n".join(filter(None, [partial, "*Stopped\\.*"]))
        return {**self._at_rest(memory), self._parts.chat: [*messages, *_turn(memory["question"], ended)]}

    def cleared(self) -> Updates:
        """A new conversation."""
        parts = self._parts
        return {**self._at_rest(NOTHING), parts.chat: [], parts.grounds: "", parts.sources: render.sources([])}

    async def rated(self, memory: Memory, given: gr.LikeData) -> Updates:
        """Keep a thumb at once, and ask for words."""
        number = (given.index if isinstance(given.index, int) else given.index[0]) // 2
        if number >= len(memory["turns"]):
            raise gr.Error("This answer was not finished, so it cannot be rated.", print_exception=False)
        rating = _RATINGS.get(given.liked)
        if rating is None:
            return {self._parts.comment_row: gr.Row(visible=False)}
        rated = {"answer_id": memory["turns"][number]["answer"]["answer_id"], "rating": rating}
        await self._keep(rated)
        gr.Info("Thank you: your rating is kept.", duration=3)
        parts = self._parts
        return {parts.memory: {**memory, "rated": rated}, parts.comment_row: gr.Row(visible=True), parts.comment: ""}

    async def commented(self, comment: str, memory: Memory) -> Updates:
        """Keep the words beside the thumb."""
        if comment.strip() and memory["rated"]:
            await self._keep({**memory["rated"], "comment": comment.strip()})
            gr.Info("Thank you: your words are kept.", duration=3)
        return {self._parts.comment_row: gr.Row(visible=False)}

    async def _keep(self, feedback: Mapping[str, Any]) -> None:
        try:
            await self._client.post("/v1/feedback", feedback)
        except (ApiAwayError, RefusedError) as error:
            raise gr.Error(f"It could not be kept: {error}", print_exception=False) from error

    async def _answered(
        self, question: str, memory: Memory, filters: Filters, *, time_words: bool = True
    ) -> AsyncGenerator[Updates]:
        turns = memory["turns"][-MOST_TURNS:]
        memory = {**memory, "turns": turns, "question": question}
        metrics.UI_QUESTIONS.inc()
        asked = Asked(question, said(turns), filters, time_words)
        with metrics.UI_ANSWERING.track_inprogress():
            async with aclosing(answer(self._client, asked)) as steps:
                async for shown in steps:
                    if shown.answer is not None:
                        yield self._finished(memory, shown.answer, filters)
                        continue
                    chat = [*_messages(turns), *_turn(question, shown.markdown(len(turns)))]
                    state = self._at_rest(memory) if shown.failed else self._busy(memory)
                    yield {**state, self._parts.chat: chat}

    def _finished(self, memory: Memory, answer: Mapping[str, Any], filters: Filters) -> Updates:
        turn = {"question": memory["question"], "answer": answer}
        turns, parts = [*memory["turns"], turn], self._parts
        return {
            **self._at_rest({**memory, "turns": turns}),
            parts.chat: _messages(turns),
            parts.grounds: render.grounds(turn, filters),
            parts.sources: render.sources(turns),
            parts.all_times: gr.Button(visible=answer["window"] is not None),
        }

    def _busy(self, memory: Memory) -> Updates:
        parts, hidden = self._parts, gr.Button(visible=False)
        return {
            parts.memory: memory,
            parts.submit: hidden,
            parts.stop: gr.Button(visible=True),
            parts.retry: hidden,
            parts.all_times: hidden,
            parts.clear: hidden,
            parts.comment_row: gr.Row(visible=False),
        }

    def _at_rest(self, memory: Memory) -> Updates:
        parts, some = self._parts, gr.Button(visible=bool(memory["question"]))
        return {
            parts.memory: dict(memory),
            parts.submit: gr.Button(visible=True),
            parts.stop: gr.Button(visible=False),
            parts.retry: some,
            parts.all_times: gr.Button(visible=False),
            parts.clear: some,
        }


def _before(memory: Memory) -> Memory:
    """The memory before the last question was answered, if it was."""
    turns = memory["turns"]
    answered = bool(turns) and turns[-1]["question"] == memory["question"]
    return {**memory, "turns": turns[:-1] if answered else turns}


def _messages(turns: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        message
        for number, turn in enumerate(turns)
        for message in _turn(turn["question"], Shown(answer=turn["answer"]).markdown(number))
    ]


def _turn(question: str, text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": literal(question)}, {"role": "assistant", "content": text}]


def _text(message: Mapping[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
