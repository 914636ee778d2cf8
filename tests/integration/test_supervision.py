"""The supervisor with real processes: restarted when they die, given up in the end, and never left behind."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from freshet.environment import environment_of
from freshet.errors import ConfigError
from freshet.settings import Settings
from local import guard, launch, ports, supervisor
from local.process import Process
from local.supervision import run_folder
from local.supervisor import Supervisor
from tests.conftest import free_settings

pytestmark = pytest.mark.integration

SLEEPER = (sys.executable, "-c", "import signal; signal.pause()")
PARENT_OF_SLEEPER = (
    sys.executable,
    "-c",
    "import subprocess, sys, signal; subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']);"
    " signal.pause()",
)


@pytest.fixture
def own_settings(tmp_path: Path) -> Iterator[Settings]:
    settings = free_settings(tmp_path)
    yield settings
    launch.down(settings)


def eventually(check: Callable[[], bool]) -> None:
    retry(retry=retry_if_result(lambda done: not done), wait=wait_fixed(0.05), stop=stop_after_delay(30))(check)()


def start(settings: Settings, command: tuple[str, ...], *, detach: bool = True, **policy: int) -> Supervisor:
    process = Process(name="worker", command=command, ready=lambda: True, **{"start_seconds": 0, **policy})  # type: ignore[arg-type]
    control = supervisor.launch(settings, [process], environment_of(settings), detach)
    control.start("worker")
    return control


def worker(settings: Settings) -> psutil.Process | None:
    return guard.process_of(run_folder(settings) / "worker.pid")


def started(settings: Settings) -> psutil.Process:
    eventually(lambda: worker(settings) is not None)
    found = worker(settings)
    assert found is not None
    eventually(lambda: "local.guard" not in " ".join(found.cmdline()))
    return found


def test_a_process_that_is_killed_is_started_again(own_settings: Settings) -> None:
    start(own_settings, SLEEPER)
    first = started(own_settings)
    first.kill()
    eventually(lambda: (now := worker(own_settings)) is not None and now.pid != first.pid)


def test_a_process_that_cannot_run_is_given_up_after_its_retries(own_settings: Settings) -> None:
    control = start(own_settings, (sys.executable, "-c", "raise SystemExit(3)"), start_seconds=1, retries=1)
    eventually(lambda: control.states()["worker"].state == "FATAL")


def test_down_ends_everything_and_says_what(own_settings: Settings) -> None:
    start(own_settings, SLEEPER)
    process = started(own_settings)
    assert launch.down(own_settings) == ["worker"]
    eventually(lambda: not process.is_running())


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's; elsewhere `down` cleans up")
def test_nothing_outlives_a_supervisor_that_was_killed(own_settings: Settings) -> None:
    start(own_settings, SLEEPER)
    process = started(own_settings)
    supervising = guard.process_of(run_folder(own_settings) / "supervisor.pid")
    assert supervising is not None
    supervising.kill()
    eventually(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)


def test_what_a_killed_process_left_running_is_ended_by_down(own_settings: Settings) -> None:
    start(own_settings, PARENT_OF_SLEEPER)
    process = started(own_settings)
    eventually(lambda: len(process.children()) == 1)
    child = process.children()[0]
    assert launch.down(own_settings) == ["worker"]
    eventually(lambda: not child.is_running())


def test_a_taken_port_is_named_with_its_setting(own_settings: Settings) -> None:
    import socket

    with socket.create_server(("127.0.0.1", own_settings.api_port)):
        process = Process("api", SLEEPER, ready=lambda: True, ports={"API_PORT": own_settings.api_port})
        with pytest.raises(ConfigError, match=rf"port {own_settings.api_port} .*pid {os.getpid()}.*FRESHET_API_PORT"):
            ports.check([process])


def test_a_pid_file_of_another_process_with_the_same_pid_is_not_believed(tmp_path: Path) -> None:
    file = tmp_path / "old.pid"
    file.write_text(f"{os.getpid()} 12345.0\n")
    assert guard.process_of(file) is None
    guard.write_pid_file(file)
    assert guard.process_of(file) is not None


def test_a_process_has_no_secret_that_is_not_its_own_and_writes_for_its_owner_alone(
    own_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    given = own_settings.model_copy(update={"openai_api_key": SecretStr("hush-hush")})
    start(given, SLEEPER)
    process = started(given)
    assert not {name for name, value in process.environ().items() if "hush-hush" in value}
    log = supervisor.log_file(given, "worker")
    assert {stat.S_IMODE(place.stat().st_mode) for place in (log, log.parent)} == {0o600, 0o700}
