"""The pages of a running stack, in a real browser: whose events are simulated ones, with hostile ones among them."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from freshet.errors import ConfigError
from local.browser import browser
from local.eventstreams import simulator
from tests.hostile import HOSTILE
from tests.pages.reader import Reader
from tests.stacks import Model, Stack, running_stack

EVENTS = 15_000
RATE = 40
FIRST = 400
"""Events before the first hostile one, so that the stream looks like any other."""

SEED = 7
EPOCH_MS = 1_795_600_000_000

NAMES = {name: f"Zeppelin{number}" for number, name in enumerate(HOSTILE)}
"""A word by which each hostile page is found."""


def stream_with_hostile_edits() -> Iterator[bytes]:
    """Simulated events, and after the first of them the edits of strangers with bad intentions, ten events apart."""
    hostile = enumerate(HOSTILE.items())
    for index in range(EVENTS):
        yield simulator.entry(index, SEED, EPOCH_MS + index)
        if index >= FIRST and index % 10 == 0 and (one := next(hostile, None)):
            number, (name, text) = one
            event = json.loads(article_edit(index))
            event |= {"title": f"{NAMES[name]} {text}"[:200], "comment": text, "user": text[:80]}
            event["meta"] |= {"id": str(uuid.UUID(int=number)), "uri": "https://evil.example/wiki/Page"}
            yield json.dumps(event).encode()


def article_edit(index: int) -> bytes:
    """The next edit that a person makes to an English article, from this index on."""
    for later in range(index, EVENTS):
        data = simulator.entry(later, SEED, EPOCH_MS + later)
        if all(part in data for part in (b'"type":"edit"', b'"wiki":"enwiki"', b'"namespace":0', b'"bot":false')):
            return data
    raise AssertionError("the simulation has no such edit")


@pytest.fixture(scope="session")
def model() -> Iterator[Model]:
    """It takes its time, so that one sees an answer being written."""
    model = Model(delay_s=2.0)
    model.start()
    yield model
    model.end()


@pytest.fixture(scope="session")
def stack(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    recording = tmp_path_factory.mktemp("events") / "events.ndjson"
    recording.write_bytes(b"\n".join(stream_with_hostile_edits()))
    given = {"source": "recording", "recording": recording, "retime": True, "rate": RATE, "airflow": False}
    with running_stack(**given, **model.settings, lake_interval_s=5) as stack:
        yield stack


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    try:
        with browser() as opened:
            yield opened
    except ConfigError as error:
        pytest.skip(str(error))


@pytest.fixture
def reader(chromium: Browser, stack: Stack) -> Iterator[Reader]:
    """Somebody with the page open, on a desktop."""
    with Reader.opening(chromium, stack) as reader:
        yield reader
        reader.assert_untroubled()


@pytest.fixture
def page(reader: Reader) -> Page:
    return reader.page


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Outages come last: what they leave is not everybody's."""
    items.sort(key=lambda item: Path(item.path).name == "test_pages_outage.py")
