"""Freshet as a model, asked by OpenAI's own client over real connections."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import psycopg
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.asking import QUESTION, insert_snails
from tests.serving import listening

pytestmark = pytest.mark.integration

ASKED: dict[str, Any] = {"model": "freshet", "messages": [{"role": "user", "content": QUESTION["question"]}]}
LINK = re.compile(r"\[(\d+)\]\((https://[^)]+)\)")


@pytest.fixture(autouse=True)
def edits(store: str) -> None:
    insert_snails(store)


@pytest.fixture
def address(application) -> Iterator[str]:
    with listening(application()) as (_, address):
        yield f"{address}/v1"


def client(address: str) -> OpenAI:
    return OpenAI(base_url=address, api_key="none", max_retries=0)


def streamed(address: str, **more: Any) -> tuple[str, list[Any]]:
    """The text, and every chunk."""
    chunks = list(client(address).chat.completions.create(**ASKED, stream=True, **more))
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices), chunks


def test_freshet_is_a_model(address):
    assert [model.id for model in client(address).models.list()] == ["freshet"]


def test_an_answer_has_its_citations_as_links_as_annotations_and_in_full(address, store):
    answer = client(address).chat.completions.create(**ASKED)
    message = answer.choices[0].message
    links = LINK.findall(message.content)
    assert [number for number, _ in links] == ["1", "2", "3"]
    grounds = answer.model_extra["freshet"]
    assert [citation["n"] for citation in grounds["citations"]] == [1, 2, 3]
    assert grounds["outcome"] == "grounded"
    assert grounds["degraded"] == {}
    assert grounds["freshness"]["newest_event_time"]
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    for annotation, (number, url) in zip(message.annotations, links, strict=True):
        cited = annotation.url_citation
        assert message.content[cited.start_index : cited.end_index] == f"[{number}]({url})"
        assert cited.url == url
        assert "nails" in cited.title
    with psycopg.connect(store) as connection:
        row = connection.execute(
            "SELECT count(*) FROM answers WHERE answer_id = %s", (grounds["answer_id"],)
        ).fetchone()
    assert row == (1,)


def test_a_link_leads_to_the_change_or_else_to_the_page_and_nowhere_else(address):
    links = LINK.findall(client(address).chat.completions.create(**ASKED).choices[0].message.content)
    assert {url for _, url in links} == {
        "https://en.wikipedia.org/w/index.php?diff=1",
        "https://en.wikipedia.org/wiki/Sea_snails_%28animals%29",
        "https://en.wikipedia.org/w/index.php?diff=3",
    }


def test_a_stream_gives_the_same_text_and_its_last_chunk_the_citations(address):
    whole = client(address).chat.completions.create(**ASKED)
    text, chunks = streamed(address)
    assert re.sub(r"the newest .* old", "", text) == re.sub(r"the newest .* old", "", whole.choices[0].message.content)
    assert len(chunks) > 5
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert ["freshet" in (chunk.model_extra or {}) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert [one["n"] for one in chunks[-1].model_extra["freshet"]["citations"]] == [1, 2, 3]
    assert chunks[-1].id == f"chatcmpl-{chunks[-1].model_extra['freshet']['answer_id']}"
    for annotation in chunks[-1].choices[0].delta.model_extra["annotations"]:
        cited = annotation["url_citation"]
        assert LINK.fullmatch(text[cited["start_index"] : cited["end_index"]])[2] == cited["url"]


def test_usage_comes_in_a_chunk_of_its_own_when_it_is_wanted(address):
    _, chunks = streamed(address, stream_options={"include_usage": True})
    assert [chunk.usage is None for chunk in chunks] == [True] * (len(chunks) - 1) + [False]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens > 0
    assert chunks[-1].model_extra["freshet"]["outcome"] == "grounded"


def test_the_stream_ends_with_done(address):
    response = httpx.post(f"{address}/chat/completions", json={**ASKED, "stream": True}, timeout=30)
    events = response.text.strip().split("\n\n")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert events[-1] == "data: [DONE]"
    assert all(json.loads(event.removeprefix("data: "))["model"] == "freshet" for event in events[:-1])


async def _of_async_client(address: str) -> tuple[str, str]:
    async with AsyncOpenAI(base_url=address, api_key="none") as client:
        whole = await client.chat.completions.create(**ASKED)
        stream = await client.chat.completions.create(**ASKED, stream=True)
        return whole.choices[0].message.content, "".join(
            [choice.delta.content or "" async for chunk in stream for choice in chunk.choices]
        )


def test_the_asynchronous_client_works_as_well(address):
    whole, text = asyncio.run(_of_async_client(address))
    assert LINK.findall(whole) == LINK.findall(text) != []


@pytest.mark.parametrize(
    "more",
    [
        {"temperature": 0.1, "top_p": 0.5, "n": 3, "seed": 1, "stop": ["x"], "max_tokens": 1, "logprobs": True},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}], "tool_choice": "required"},
        {"response_format": {"type": "json_object"}, "user": "somebody", "metadata": {"a": "b"}},
    ],
)
def test_what_means_nothing_here_is_ignored(address, more):
    answer = client(address).chat.completions.create(**ASKED, **more)
    assert len(answer.choices) == 1
    assert LINK.search(answer.choices[0].message.content)


def test_the_last_message_of_the_user_is_the_question_and_what_is_before_it_the_conversation(address, model):
    messages = [
        {"role": "system", "content": "Answer in verse."},
        {"role": "user", "content": QUESTION["question"]},
        {"role": "assistant", "content": "Species " + "were added. " * 300},
        {"role": "tool", "content": "42", "tool_call_id": "1"},
        {"role": "user", "content": [{"type": "text", "text": "And who"}, {"type": "text", "text": "did that?"}]},
    ]
    answer = client(address).chat.completions.create(model="freshet", messages=messages)
    assert answer.model_extra["freshet"]["outcome"] == "grounded"
    said = model.asked["messages"]
    assert [message["role"] for message in said] == ["system", "user", "assistant", "user"]
    assert "verse" not in said[0]["content"]
    assert 1990 < len(said[2]["content"]) <= 2000
    assert said[-1]["content"].endswith("And who did that?\n")


def test_an_unknown_model_is_not_found(address):
    with pytest.raises(openai.NotFoundError) as caught:
        client(address).chat.completions.create(**{**ASKED, "model": "gpt-5"})
    assert caught.value.response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "system", "content": "hello"}],
        [{"role": "user", "content": ""}],
        [{"role": "user", "content": "x" * 1001}],
        [{"role": "user", "content": "a\x00b"}],
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://evil.example"}}]}],
        [{"role": "nobody", "content": "hello"}],
    ],
)
def test_a_chat_that_asks_nothing_is_a_problem(address, messages):
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        client(address).chat.completions.create(model="freshet", messages=messages)
    assert caught.value.response.headers["content-type"] == "application/problem+json"
    assert all(error["pointer"].startswith("/messages") for error in caught.value.response.json()["errors"])


def test_a_refusal_is_an_ordinary_answer(address):
    asked = [{"role": "user", "content": "chess grandmasters"}]
    answer = client(address).chat.completions.create(model="freshet", messages=asked)
    assert answer.model_extra["freshet"]["outcome"] == "refused"
    assert answer.choices[0].message.annotations == []
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == 0


@pytest.mark.parametrize("name", ["fault-500", "fault-cut", "fault-prose"])
def test_a_model_that_fails_is_told_in_the_text_and_the_answer_goes_on(application, name):
    with listening(application(name)) as (_, address):
        text, chunks = streamed(f"{address}/v1")
        whole = client(f"{address}/v1").chat.completions.create(**ASKED)
    grounds = chunks[-1].model_extra["freshet"]
    assert grounds["answerer"] == whole.model_extra["freshet"]["answerer"] == "extractive"
    void, restarted, answer = text.partition(f"What is above is void, because {grounds['degraded']['model']}.")
    assert bool(restarted) is (name == "fault-cut")
    assert "What the edits nearest to the question say:" in (answer if restarted else void)
    assert "is void" not in whole.choices[0].message.content
    for annotation in chunks[-1].choices[0].delta.model_extra["annotations"]:
        cited = annotation["url_citation"]
        assert cited["start_index"] >= (len(void) if restarted else 0)
        assert LINK.fullmatch(text[cited["start_index"] : cited["end_index"]])


class Broken:
    """A fault of ours, not of a model's server."""

    name = "broken"

    async def stream(self, messages: list[Any]) -> Any:
        yield '{"claims": [{"citations": [1], "text": "It was '
        raise RuntimeError("secret-of-ours")


def test_a_fault_of_ours_in_mid_stream_is_the_client_s_error(application):
    app = application()
    with listening(app) as (_, address):
        object.__setattr__(app.state.services, "model", Broken())
        with pytest.raises(openai.APIError, match=r"^The answer broke off\.$"):
            streamed(f"{address}/v1")
