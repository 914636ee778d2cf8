"""The stack that the end-to-end tests share."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from deltalake import DeltaTable
from pydantic import SecretStr

from freshet.environment import environment_of
from tests.conftest import SHARED_DATA
from tests.e2e.changing import FLAWED, NAMESPACES, SILENT_S, WIKIS, Changed, damage
from tests.receiver import Receiver
from tests.serving import listening
from tests.stacks import START_TIMEOUT_S, Model, Stack, eventually, running_stack

DRILL = {"scrape_interval_s": 1, "exporter_interval_s": 1.0, "alert_time_scale": 1 / 60}
"""Minutes of the alert rules are seconds."""

AIRFLOW_TIMEOUT_S = 600
"""Its first start on two cores, beside live processes that go first."""
FIRST_TIMEOUT_S = 480
"""Within what a test has for its set-up."""

MODEL_KEY = "key-that-the-stand-in-does-not-ask-for"


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
    described = {"context_descriptions": SHARED_DATA / "page-descriptions.jsonl"}
    recorded = {"source": "recording", "recording": recording, **described}
    source = recorded if recording.exists() else {"source": "simulated"}
    with running_stack(**source, **model.settings, openai_api_key=MODEL_KEY, rate=25) as stack:
        # a start does not wait for Airflow, and what the tests wait for later is no start
        stack.until_healthy(FIRST_TIMEOUT_S)
        yield stack


@pytest.fixture(scope="session")
def breaches() -> Iterator[tuple[Receiver, str]]:
    receiver = Receiver()
    with listening(receiver) as (_, address):
        yield receiver, f"{address}/hook"


@pytest.fixture(scope="session")
def changed(stack: Stack, breaches: tuple[Receiver, str], webhook: tuple[Receiver, str]) -> Changed:
    """Files on Commons are documents from now on, edits of most Wikipedias are none, and one is not as it was."""
    if not stack.process("kafka"):
        assert stack.run("up", "--detach", timeout=START_TIMEOUT_S).returncode == 0
    eventually(lambda: stack.json("audit", "--wait", "3")["counts"]["gold"] > 500, 240)
    flawed = damage(stack.settings, datetime.now(UTC), 1)
    with psycopg.connect(stack.settings.conninfo) as store:
        store.execute("UPDATE documents SET text = %s WHERE doc_id = ANY(%s)", (FLAWED, flawed))
    assert stack.run("down").returncode == 0
    at = datetime.now(UTC)
    receiver, address = breaches
    other = stack.settings.model_copy(
        update={
            "source": "simulated",
            "rate": 15.0,
            # a batch costs seconds whatever its size: fewer of them leave pauses to the jobs, which come last
            "lake_interval_s": 60,
            "gold_namespaces": NAMESPACES,
            "gold_wikis": WIKIS,
            "alert_webhook_url": SecretStr(address),
            "alertmanager_webhook_url": SecretStr(webhook[1]),
            **DRILL,
            "sla_source_silence_s": float(SILENT_S),
            "sla_silver_age_s": float(SILENT_S),
            "upkeep_deadline_s": 5.0,
        }
    )
    again = Stack(other, {**stack.environment, **environment_of(other)})
    done = again.run("up", "--detach", timeout=START_TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    again.until_healthy(AIRFLOW_TIMEOUT_S)

    def gold() -> list[dict[str, Any]]:
        table = DeltaTable(other.lake.table("gold")).to_pyarrow_table(columns=["doc_id", "raw_timestamp"])
        return list(table.to_pylist())

    # what the lake had not come to before the stop is then done
    eventually(lambda: max(row["raw_timestamp"] for row in gold()) > at, 300)
    before = {row["doc_id"] for row in gold() if row["raw_timestamp"] < at}
    return Changed(again, receiver, at, before, flawed[0])
