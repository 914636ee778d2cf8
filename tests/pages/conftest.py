"""A running stack as a browser and as Prometheus see it: of simulated events, with hostile ones among them."""

import json
import time
import uuid
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from freshet.contract import pages
from freshet.errors import ConfigError
from freshet.store import repository
from local.bench.material import put_raw
from local.browser import browser
from local.eventstreams import simulator
from tests.described import describe
from tests.hostile import HOSTILE
from tests.pages.reader import Reader
from tests.receiver import Receiver
from tests.stacks import Model, Stack, running_stack

RATE = 25

NAMES = {name: f"Zeppelin{number}" for number, name in enumerate(HOSTILE)}
"""A word by which each hostile page is found."""


def hostile_events() -> Iterator[dict[str, Any]]:
    """Edits of strangers with bad intentions: their text is the title, the summary and the name."""
    now_ms = round(time.time() * 1000)
    entries = (simulator.entry(index, seed=7, timestamp_ms=now_ms) for index in count())
    wanted = (b'"type":"edit"', b'"wiki":"enwiki"', b'"namespace":0', b'"bot":false')
    edits = (entry for entry in entries if all(part in entry for part in wanted))
    for entry, (name, text) in zip(edits, HOSTILE.items(), strict=False):
        event = json.loads(entry)
        event |= {"title": f"{NAMES[name]} {text}"[:200], "comment": text, "user": text[:80]}
        event["meta"] |= {"id": str(uuid.uuid4()), "uri": "https://evil.example/wiki/Page"}
        yield event


def said_of(text: str) -> pages.Description:
    """The label and description of a page whose describers have bad intentions as well."""
    return pages.Description("Q1", text, text, "en")


@pytest.fixture(scope="session")
def model() -> Iterator[Model]:
    """It takes its time, so that one sees an answer being written."""
    model = Model(delay_s=2.0)
    model.start()
    yield model
    model.end()


@pytest.fixture(scope="session")
def stack(model: Model, webhook: tuple[Receiver, str]) -> Iterator[Stack]:
    """Without Airflow. Minutes of the alert rules are three seconds."""
    watched = {"scrape_interval_s": 5, "exporter_interval_s": 2.0, "alert_time_scale": 1 / 20}
    told = {"alertmanager_webhook_url": webhook[1]}
    with running_stack(source="simulated", airflow=False, rate=RATE, **watched, **told, **model.settings) as stack:
        events = list(hostile_events())
        with repository.connect(stack.settings.conninfo) as store:
            # before the edits, so that nobody asks about their pages any more
            describe(store, {pages.Page(event["wiki"], event["title"]): said_of(event["comment"]) for event in events})
        put_raw(stack.settings, iter(events))
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
