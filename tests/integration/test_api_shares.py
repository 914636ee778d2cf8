"""One client that asks for all there is, against the real process: others go on getting answers."""

import asyncio
import uuid
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from freshet import keys
from freshet.settings import Settings
from tests.api_serving import process
from tests.asking import QUESTION, insert_snails

pytestmark = pytest.mark.integration

AT_ONCE = 12
FEEDS = 8
SEARCHERS = 8
CHATTERS = 4
ANSWERS = 10
WORDS = "what is changing about the snails of the sea and of the land and of rivers " * 4


def client(name: str, url: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer key-of-{name}"}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=60, limits=httpx.Limits(max_connections=None))


async def search_for_ever(greedy: httpx.AsyncClient, seen: Counter[int]) -> None:
    """Long questions, each another one, one after the other without a pause."""
    while True:
        answer = await greedy.post("/v1/search", json={"query": f"{uuid.uuid4()} {WORDS}"[:1000]})
        seen[answer.status_code] += 1


async def chat_for_ever(greedy: httpx.AsyncClient, seen: Counter[int]) -> None:
    """Answers as streams, each given up as soon as it begins."""
    while True:
        asked = {"role": "user", "content": f"{uuid.uuid4()} {WORDS}"[:1000]}
        body = {"model": "freshet", "stream": True, "messages": [asked]}
        async with greedy.stream("POST", "/v1/chat/completions", json=body) as answer:
            seen[answer.status_code] += 1


async def feeds(greedy: httpx.AsyncClient, opened: AsyncExitStack) -> Counter[int]:
    """Streams that are opened and never read."""
    streams = [await opened.enter_async_context(greedy.stream("GET", "/v1/feed")) for _ in range(FEEDS)]
    return Counter(stream.status_code for stream in streams)


async def story(url: str) -> None:
    async with client("greedy", url) as greedy, client("modest", url) as modest, AsyncExitStack() as opened:
        seen: Counter[int] = Counter()
        chats: Counter[int] = Counter()
        asking = [asyncio.create_task(search_for_ever(greedy, seen)) for _ in range(SEARCHERS)]
        asking += [asyncio.create_task(chat_for_ever(greedy, chats)) for _ in range(CHATTERS)]
        try:
            streams = await feeds(greedy, opened)
            assert streams[200] > 0
            answers = [
                (await modest.post("/v1/search", json={"query": f"snails {n}"})).status_code for n in range(ANSWERS)
            ]
            assert answers == [200] * ANSWERS
            asked = await modest.post("/v1/ask", json=QUESTION)
            assert asked.json()["outcome"] == "grounded"
            async with modest.stream("GET", "/v1/feed") as feed:
                assert feed.status_code == 200
        finally:
            for task in asking:
                task.cancel()
            ended = await asyncio.gather(*asking, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in ended)
        assert seen[429] > 0
        assert chats[429] > 0


def test_while_one_client_takes_all_it_can_another_is_answered(settings: Settings, store: str, tmp_path: Path) -> None:
    insert_snails(store)
    known = ",".join(f"{name}:{keys.digest(f'key-of-{name}')}" for name in ("greedy", "modest"))
    given = {"kafka_bootstrap_servers": settings.bootstrap_servers, "postgres_dsn": store, "log_level": "error"}
    with process(tmp_path, **given, api_keys=known, api_at_once=AT_ONCE) as (_, url):
        asyncio.run(story(url))
