"""The stack that the end-to-end tests share."""

from collections.abc import Iterator

import pytest

from tests.conftest import SHARED_DATA
from tests.stacks import Model, Stack, running_stack


@pytest.fixture(scope="session")
def model() -> Iterator[Model]:
    model = Model(delay_s=0.2)
    model.start()
    yield model
    model.end()


@pytest.fixture(scope="session")
def stack(model: Model) -> Iterator[Stack]:
    """The whole stack: real recorded events where they are at hand, else simulated ones; a model writes its answers."""
    recording = SHARED_DATA / "recentchange.ndjson.gz"
    source = {"source": "recording", "recording": recording} if recording.exists() else {"source": "simulated"}
    with running_stack(**source, **model.settings, rate=200, lake_interval_s=5) as stack:
        yield stack
