"""The stack that the end-to-end tests share."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from tests.conftest import SHARED_DATA
from tests.receiver import Receiver
from tests.serving import listening
from tests.stacks import Model, Stack, running_stack

DRILL = {"scrape_interval_s": 1, "exporter_interval_s": 1.0, "alert_time_scale": 1 / 60}
"""Minutes of the alert rules are seconds."""


@pytest.fixture(scope="session")
def model() -> Iterator[Model]:
    model = Model(delay_s=0.2)
    model.start()
    yield model
    model.end()


@pytest.fixture(scope="session")
def webhook() -> Iterator[tuple[Receiver, str]]:
    """Who hears of alerts, and its address."""
    receiver = Receiver()
    with listening(receiver) as (_, address):
        yield receiver, f"{address}/alerts"


@pytest.fixture(scope="session")
def stack(model: Model, webhook: tuple[Receiver, str]) -> Iterator[Stack]:
    """The whole stack: real recorded events where they are at hand, else simulated ones; a model writes its answers."""
    drill = {**DRILL, "alertmanager_webhook_url": SecretStr(webhook[1])}
    recording = SHARED_DATA / "recentchange.ndjson.gz"
    source = {"source": "recording", "recording": recording} if recording.exists() else {"source": "simulated"}
    with running_stack(**source, **model.settings, **drill, rate=200, lake_interval_s=5) as stack:
        yield stack
