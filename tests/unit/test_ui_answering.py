"""An answer as it comes, whatever goes wrong on the way."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import pytest

from ui import answering
from ui.answering import Asked, Shown, answer, said
from ui.client import ApiAwayError, RefusedError

DONE = ("done", {"answer": "Bridges were built. [1]", "answer_id": "a"})
WRITTEN = [("sources", [{}]), ("token", {"text": "Bridges "}), ("token", {"text": "were built. [1]"}), DONE]


class Api:
    """Plays one script for each time it is asked: events, and errors that are raised."""

    def __init__(self, *scripts: list[Any]) -> None:
        self.scripts = list(scripts)
        self.bodies: list[Mapping[str, Any]] = []
        self.closed = 0

    async def ask(self, body: Mapping[str, Any]) -> AsyncGenerator[tuple[str, Any]]:
        self.bodies.append(body)
        try:
            for step in self.scripts.pop(0):
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                    continue
                yield step
        finally:
            self.closed += 1


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "TICK_S", 0.01)
    monkeypatch.setattr(answering, "SLOW_S", 0.0)


def read(api: Api, asked: Asked | None = None) -> list[Shown]:
    async def all_of_it() -> list[Shown]:
        real, asyncio.sleep = asyncio.sleep, lambda seconds: real(min(seconds, 0.05))  # type: ignore[assignment]
        try:
            return [shown async for shown in answer(api, asked or Asked("What about bridges?"))]  # type: ignore[arg-type]
        finally:
            asyncio.sleep = real

    return asyncio.run(all_of_it())


def test_an_answer_grows_by_its_tokens_and_ends_whole() -> None:
    steps = read(Api(WRITTEN))
    assert [step.text for step in steps] == ["", "", "Bridges ", "Bridges were built. [1]", "Bridges were built. [1]"]
    assert steps[-1].answer == DONE[1]
    assert steps[-1].markdown(0) == "Bridges were built. [\\[1\\]](#source-0-1)"


def test_what_a_model_wrote_before_it_failed_is_taken_back() -> None:
    steps = read(Api([("token", {"text": "Wrong"}), ("restart", {"reason": "it broke <off>"}), *WRITTEN[1:]]))
    after = steps[[step.text for step in steps].index("Wrong") + 1]
    assert (after.text, after.doing) == ("", "Written anew, because it broke <off>…")
    assert "\\<off\\>" in after.markdown(0)


def test_an_api_that_is_away_is_tried_again_until_it_is_back() -> None:
    api = Api(
        [ApiAwayError("nothing listens at its address")], [("token", {"text": "Half"}), ApiAwayError("gone")], WRITTEN
    )
    steps = read(api)
    assert any("does not answer: nothing listens at its address. Trying again in 2 s" in step.doing for step in steps)
    assert steps[-1].answer is not None
    assert len(api.bodies) == 3


def test_an_api_that_asks_to_come_later_is_asked_later() -> None:
    steps = read(
        Api([RefusedError(429, "Too many", 3)], [RefusedError(503, "Postgres does not answer.", None)], WRITTEN)
    )
    assert [step.doing for step in steps if "Too many questions at once. Trying again in" in step.doing] == [
        f"Too many questions at once. Trying again in {left} s…" for left in (3, 2, 1)
    ]
    assert any(step.doing.startswith("Postgres does not answer. Trying again") for step in steps)
    assert steps[-1].answer is not None


def test_who_has_to_wait_too_long_is_told_when_to_come_again() -> None:
    (_, last) = read(Api([RefusedError(429, "Too many", 600)]))
    assert last.failed
    assert last.doing == "Too many questions at once. Ask again in 600 s or later."


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ([RefusedError(422, "/question: too long", None)], "The question was refused: /question: too long"),
        ([("token", {"text": "Ha"}), ("error", {"detail": "Something went wrong here."})], "The answer broke off"),
    ],
)
def test_what_cannot_be_answered_says_why_and_is_not_tried_again(script: list[Any], told: str) -> None:
    api = Api(script)
    last = read(api)[-1]
    assert last.failed
    assert told in last.doing
    assert len(api.bodies) == 1


def test_a_slow_answer_says_that_it_is_waited_for() -> None:
    steps = read(Api([("sources", [{}]), 0.05, *WRITTEN[1:]]))
    assert any("without a word" in step.doing for step in steps)


def test_who_stops_reading_ends_the_apis_work() -> None:
    api = Api(WRITTEN)

    async def stop_early() -> None:
        steps = answer(api, Asked("What about bridges?"))  # type: ignore[arg-type]
        await anext(steps)
        await anext(steps)
        await steps.aclose()

    asyncio.run(stop_early())
    assert api.closed == 1


def test_a_conversation_is_its_last_messages_none_too_long() -> None:
    turns = [{"question": f"q{number}", "answer": {"answer": "a" * 5_000}} for number in range(9)]
    messages = said(turns)
    assert [message["role"] for message in messages] == ["user", "assistant"] * 3
    assert messages[0]["content"] == "q6"
    assert {len(message["content"]) for message in messages[1::2]} == {2_000}
