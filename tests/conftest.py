"""Fixtures: real services of the embedded stack, on free ports in a temporary state folder."""

import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import KafkaException
from tenacity import retry, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

import freshet.log
from freshet.contract import topics
from freshet.settings import CHECKOUT, PREFIX, Settings, load_settings
from local import broker as embedded_broker
from local import ports
from local import postgres as embedded_postgres
from local.process import Process
from local.supervision import guarded
from tests.receiver import Receiver
from tests.serving import listening

SHARED_DATA = CHECKOUT.parent / "shared" / "data"


NO_RECORDING = "no recorded events in ../shared/data"
NO_SMALL_DISK = "only root can mount a small disk"
NO_COMPOSE = "neither docker compose nor its loader is at hand"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test has failed, unless for want of what not everybody has: recordings, Docker, Go or root."""
    report = yield
    excused = any(reason in str(report.longrepr) for reason in (NO_RECORDING, NO_COMPOSE, NO_SMALL_DISK))
    if report.skipped and os.environ.get("CI") and not excused:
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session", autouse=True)
def without_a_model_of_the_machine() -> Iterator[None]:
    """No test asks a model that somebody pays for."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
            environment.delenv(name, raising=False)
            environment.delenv(PREFIX + name, raising=False)
        yield


def free_settings(state_dir: Path, **overrides: object) -> Settings:
    """Settings of a stack that meets no other: free ports, its own state folder."""
    names = [name for name in Settings.model_fields if name.endswith("_port")]
    free = dict(zip(names, ports.find_free(len(names)), strict=True))
    return load_settings(state_dir=state_dir, **{**free, **overrides})


@pytest.fixture(scope="session")
def state_dir() -> Iterator[Path]:
    """A folder that an unprivileged Postgres can reach, which pytest's own temporary folders are not."""
    folder = Path(tempfile.mkdtemp(prefix="freshet-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def stack_settings(state_dir: Path) -> Settings:
    return free_settings(state_dir)


@pytest.fixture(scope="session")
def broker(stack_settings: Settings) -> Iterator[str]:
    """Bootstrap servers of a real broker."""
    embedded_broker.prepare(stack_settings)
    with running(embedded_broker.declare(stack_settings), stack_settings):
        freshet.log.ensure_topics(stack_settings)
        until_led(stack_settings)
        yield stack_settings.bootstrap_servers


@retry(retry=retry_if_exception_type(KafkaException), wait=wait_fixed(0.1), stop=stop_after_delay(30))
def until_led(settings: Settings) -> None:
    """A topic that was just made may have no leader yet, who alone knows its offsets."""
    reader = freshet.log.reader(settings)
    try:
        for topic in topics.ALL:
            freshet.log.watermarks(reader, topic.name)
    finally:
        reader.close()


@pytest.fixture
def settings(broker: str, stack_settings: Settings) -> Settings:
    """Settings whose broker runs and has the topics."""
    return stack_settings


@pytest.fixture(scope="session")
def postgres(stack_settings: Settings) -> Iterator[str]:
    """Connection string of a running server's own database."""
    embedded_postgres.prepare(stack_settings)
    with running(embedded_postgres.declare(stack_settings), stack_settings):
        yield stack_settings.conninfo


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """Connection string of an empty database of the test's own."""
    with empty_database(postgres) as conninfo:
        yield conninfo


@contextmanager
def empty_database(postgres: str) -> Iterator[str]:
    """Connection string of a database that is there until the block ends."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield postgres.rsplit("/", 1)[0] + f"/{name}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def webhook() -> Iterator[tuple[Receiver, str]]:
    """Who hears of alerts, and its address."""
    receiver = Receiver()
    with listening(receiver) as (_, address):
        yield receiver, f"{address}/alerts"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded events beside the checkout; without it these tests skip."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"{NO_RECORDING}: this is checked with simulated ones only")
    return SHARED_DATA


@contextmanager
def running(process: Process, settings: Settings) -> Iterator[None]:
    """Run one declared process until the block ends; it works when the block begins."""
    log = (settings.state_dir / f"{process.name}.log").open("wb")
    child = subprocess.Popen(guarded(process, settings), stdout=log, stderr=log, cwd=CHECKOUT, env=dict(os.environ))

    @retry(retry=retry_if_result(lambda ready: not ready), wait=wait_fixed(0.05), stop=stop_after_delay(60))
    def until_ready() -> bool:
        assert child.poll() is None, Path(log.name).read_text()[-3000:]
        return process.ready()

    try:
        until_ready()
        yield
    finally:
        child.send_signal(signal.Signals[f"SIG{process.stop_signal}"])
        try:
            child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
