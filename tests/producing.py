"""A producer's processes and what they write, for the tests of both producers."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Message, TopicPartition
from tenacity import retry, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from freshet import log
from freshet.settings import CHECKOUT, PREFIX, Settings, Source
from local import ports
from local.eventstreams.app import PATH
from local.eventstreams.simulator import describe, entry
from local.eventstreams.source import Kind

PATIENCE_S = 90
COUNT = 2000
"""Events of a test's own recording."""


def of_its_own(settings: Settings, folder: Path) -> Settings:
    """Settings of a producer and a stand-in of the test's own, at the broker of these settings."""
    seed = uuid.uuid4().int % 2**31
    recording = folder / "events.ndjson"
    recording.write_bytes(b"".join(entry(index, seed, 1_795_393_856_154) + b"\n" for index in range(COUNT)))
    stand_in, metrics = ports.find_free(2)
    changes = {
        "state_dir": folder, "source": Source.RECORDING, "recording": recording, "simulator_seed": seed,
        "rate": 1000, "rewind_ms": 200, "stall_timeout_s": 2, "stream_id": f"test-{seed}",
        "stream_url": f"http://127.0.0.1:{stand_in}{PATH}", "eventstreams_port": stand_in,
        "producer_metrics_port": metrics, "kafka_bootstrap_servers": settings.bootstrap_servers,
    }  # fmt: skip
    return settings.model_copy(update=changes)


def expected(seed: int, kind: Kind) -> list[str | None]:
    """Ids of the events of one kind that such a recording has."""
    return [row.id for row in (describe(index, seed) for index in range(COUNT)) if row.kind is kind]


@retry(retry=retry_if_exception_type(OSError), wait=wait_fixed(0.1), stop=stop_after_delay(30), reraise=True)
def fetched(port: int, path: str) -> str:
    """What a process answers, once it answers at all."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return str(answer.read().decode())


def metric(settings: Settings, name: str) -> float:
    """Sum of a metric of the producer over its labels."""
    rows = fetched(settings.producer_metrics_port, "/metrics").splitlines()
    return sum(float(row.rsplit(" ", 1)[1]) for row in rows if row.startswith(name))


@contextmanager
def running(settings: Settings, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A module run with these settings, in a process group that ends with the block."""
    named = ("state_dir", "source", "recording", "rate", "rewind_ms", "stall_timeout_s", "stream_id", "stream_url",
             "eventstreams_port", "producer_metrics_port", "kafka_bootstrap_servers")  # fmt: skip
    environment = {f"{PREFIX}{name.upper()}": str(getattr(settings, name)) for name in named}
    with (settings.state_dir / f"{command[0]}.log").open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", *command],
            env={**os.environ, **environment}, cwd=CHECKOUT, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        yield child
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


@retry(retry=retry_if_result(lambda held: not held), wait=wait_fixed(0.1), stop=stop_after_delay(PATIENCE_S))
def until(condition: Callable[[], bool]) -> bool:
    return condition()


class Topic:
    """What a topic receives from now on."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._reader = log.reader(settings, f"test-{uuid.uuid4()}")
        ends = log.watermarks(self._reader, name)
        self._reader.assign([TopicPartition(name, part, end) for part, (_, end) in ends.items()])
        self.messages: list[Message] = []

    def read(self) -> "Topic":
        batch = self._reader.consume(2000, timeout=0.3)
        self.messages += [message for message in batch if not message.error()]
        return self

    def close(self) -> None:
        self._reader.close()

    def ids(self) -> set[str]:
        return {json.loads(message.value())["meta"]["id"] for message in self.read().messages}
