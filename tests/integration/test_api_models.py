"""Searches through the real API process while the store moves to another model, back again, and drops it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest
from pydantic import SecretStr

from freshet.embedding import load_embedder
from freshet.settings import Settings, load_settings
from freshet.store import embeddings, repository
from freshet.store.migrate import migrate
from freshet.store.repository import Batch, Made
from freshet.upkeep.moves import Asked
from freshet.upkeep.reembed import run
from tests.api_serving import process
from tests.documents import gold
from tests.models import model_folder

pytestmark = pytest.mark.integration

PACKAGED, OTHER = "minilm-l6-v2-int8", "mini-cls"
PATIENCE_S = 60
QUERY = "the canal of the city"


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    """A store of some documents, and a folder with another model."""
    migrate(database)
    model_folder(tmp_path, OTHER)
    settings = load_settings(postgres_dsn=SecretStr(database), models_dir=tmp_path)
    embedder = load_embedder(settings)
    documents = [gold(text=f"canal number {number} of the city of {number}") for number in range(40)]
    vectors = embedder.embed([one["text"] for one in documents])
    with repository.connect(database) as connection:
        table = embeddings.add_embedding_model(connection, embedder.model_id, embedder.dimensions)
        made = {one["content_hash"]: vector for one, vector in zip(documents, vectors, strict=True)}
        repository.write(connection, Batch(documents, [Made(table, made)]))
    return settings


@dataclass
class Searches:
    """What came back. Another model gives the first result another cosine."""

    done: int = 0
    failed: list[str] = field(default_factory=list)
    cosines: list[float] = field(default_factory=list)

    def note(self, limit: int, response: httpx.Response) -> None:
        """One answer, to a search for so many."""
        self.done += 1
        body = response.json()
        found = body.get("results", [])
        if response.status_code != 200 or len(found) != limit or body["degraded"]:
            self.failed.append(f"{response.status_code}: {len(found)} results, {body.get('degraded')}")
        else:
            self.cosines.append(round(found[0]["scores"]["vector"], 4))

    def until(self, holds: Callable[[float], bool]) -> float:
        """Wait until the latest cosine is as wanted. Returns it."""
        deadline = time.monotonic() + PATIENCE_S
        while not (self.cosines and holds(self.cosines[-1])):
            assert time.monotonic() < deadline, self.failed[-3:]
            time.sleep(0.02)
        return self.cosines[-1]


@contextmanager
def searching(url: str) -> Iterator[Searches]:
    """Somebody searches, again and again, until the block ends."""
    searches, stop = Searches(), Event()

    def go_on() -> None:
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            # another limit is another search to whoever remembers answers
            for limit in cycle(range(10, 40)):
                if stop.is_set():
                    return
                asked = {"query": QUERY, "limit": limit, "collapse": False}
                searches.note(limit, client.post("/v1/search", json=asked))

    thread = Thread(target=go_on)
    thread.start()
    try:
        yield searches
    finally:
        stop.set()
        thread.join()


def move(settings: Settings, model: str) -> None:
    run(settings, Asked("move", model, apply=True))


def test_no_search_fails_or_is_empty_while_models_are_switched_back_and_dropped(
    settings: Settings, tmp_path: Path
) -> None:
    dsn = settings.postgres_dsn.get_secret_value()
    with process(tmp_path, postgres_dsn=dsn, models_dir=tmp_path) as (_, url), searching(url) as searches:
        packaged = searches.until(lambda _: True)
        move(settings, OTHER)
        other = searches.until(lambda cosine: cosine != packaged)
        move(settings, PACKAGED)
        assert searches.until(lambda cosine: cosine != other) == packaged
        run(settings, Asked("drop", OTHER, apply=True))
        seen = searches.done
        searches.until(lambda _: searches.done > seen + 5)
        assert httpx.get(f"{url}/readyz", trust_env=False).json()["dependencies"]["embedding"] == "ok"
    assert not searches.failed
    assert set(searches.cosines) == {packaged, other}


def test_an_api_that_starts_after_a_move_searches_with_the_model_of_the_store(
    settings: Settings, tmp_path: Path
) -> None:
    move(settings, OTHER)
    dsn = settings.postgres_dsn.get_secret_value()
    with process(tmp_path, postgres_dsn=dsn, models_dir=tmp_path) as (_, url):
        body = httpx.post(f"{url}/v1/search", json={"query": QUERY}, trust_env=False).json()
    assert body["degraded"] == {}
    assert body["results"]
    loaded = [line for line in (tmp_path / "api.log").read_text().splitlines() if "model loaded" in line]
    assert [OTHER in line for line in loaded] == [True]
