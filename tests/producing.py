"""A producer's processes and what they write, for the tests of both producers."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from confluent_kafka import Message, TopicPartition
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from freshet import log
from freshet.settings import CHECKOUT, PREFIX, Settings

PATIENCE_S = 90


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
