"""Starting the stack in dependency order, in parallel where possible, and ending it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from freshet.environment import environment_of
from freshet.errors import PermanentError
from freshet.settings import CHECKOUT, Settings
from local import cluster, monitoring, ports, postgres, running, stack, supervisor
from local.process import Process
from local.supervisor import State, Supervisor

Report = Callable[[Mapping[str, str]], None]
"""Called with the state of every process, by name, as it changes."""

POLL_S = 0.2
HALF_RESTORED = "half-restored.json"
"""A file of the state folder while a restore writes into it."""
START_TIMEOUT_S = 300
UPKEEP_TIMEOUT_S = 900
"""Of what a start does not wait for: Airflow takes minutes where live processes fill the machine."""
STATE_FOLDERS = (
    "airflow", "alertmanager", "kafka", "lake", "logs", "postgres", "prometheus", "run", "secrets", "spark", "ui",
    "upkeep",
)  # fmt: skip


def up(
    settings: Settings,
    *,
    detach: bool,
    report: Report,
    only: Sequence[str] = (),
    hold: Sequence[str] = (),
    prepared: bool = False,
) -> Supervisor:
    """Start everything, or `only` some processes without those on `hold`, and return when they work; those for which
    nobody waits are only started. With `prepared` the log and the store are taken as they are.

    Raises ConfigError for a taken port, PermanentError when a process gives up (with the end of its log); then
    nothing of the stack is left running.
    """
    _refuse_half_restored(settings)
    if Supervisor(settings).is_up():
        raise PermanentError(
            f"a stack already runs in {settings.state_dir}: see `freshet status`, end it with `freshet down`"
        )
    running.end_leftovers(settings)
    settings = cluster.told(monitoring.told(settings))
    stack.prepare(settings)
    processes = [process for process in stack.declare(settings) if not only or process.name in only]
    ports.check(processes)
    running.remember(settings)
    environment = environment_of(settings)
    control = supervisor.launch(settings, processes, environment, detach)
    try:
        wanted = [process for process in processes if process.name not in hold]
        awaited = [process for process in wanted if process.awaited]
        _start_in_order(control, settings, awaited, environment, report, prepared)
        for process in wanted:
            if not process.awaited:
                control.start(process.name)
    except BaseException:
        down(settings)
        raise
    return control


def await_all(settings: Settings) -> None:
    """Wait for those as well for which a start does not. Raises PermanentError when they do not come."""
    deadline = time.monotonic() + UPKEEP_TIMEOUT_S
    while missing := [process.name for process in stack.declare(settings) if not process.ready()]:
        if time.monotonic() > deadline:
            raise PermanentError(f"not ready after {UPKEEP_TIMEOUT_S} s: {', '.join(missing)}; see `freshet logs`")
        time.sleep(POLL_S)


def down(settings: Settings) -> list[str]:
    """End the stack and whatever a dead supervisor left. Returns the names of what was ended."""
    control = Supervisor(settings)
    ended = []
    if control.is_up():
        # what reads goes first, what is read from goes last
        states = control.states()
        ended = [name for name, state in states.items() if state.pid]
        rooms = [name for name in states if not stack.ends_last(name)]
        for wave in (rooms, [name for name in states if stack.ends_last(name)]):
            with ThreadPoolExecutor(max_workers=len(states)) as pool:
                list(pool.map(control.stop, wave))
        control.shutdown()
        while control.is_up():
            time.sleep(POLL_S)
    leftovers = [name for name in running.end_leftovers(settings) if name != supervisor.NAME]
    running.forget(settings)
    return sorted({*ended, *leftovers})


def remove_state(settings: Settings) -> None:
    """Delete everything the embedded stack keeps. Nothing of it may run."""
    if not settings.state_dir.exists():
        return
    postgres.remove(settings)
    # by name: the setting may point to a folder that has other things in it
    for name in STATE_FOLDERS:
        shutil.rmtree(settings.state_dir / name, ignore_errors=True)
    for file in settings.state_dir.glob("*.json"):
        file.unlink()
    if not any(settings.state_dir.iterdir()):
        settings.state_dir.rmdir()


def _start_in_order(
    control: Supervisor,
    settings: Settings,
    processes: Sequence[Process],
    environment: Mapping[str, str],
    report: Report,
    prepared: bool,
) -> None:
    waiting = {process.name: process for process in processes}
    starting: dict[str, Process] = {}
    ready: list[str] = []
    deadline = time.monotonic() + START_TIMEOUT_S
    with ThreadPoolExecutor(max_workers=len(processes)) as pool:
        while waiting or starting or not prepared:
            if not prepared and all(name in ready for name in _engines(processes)):
                _prepare_log_and_store(settings, environment)
                prepared = True
            for process in [p for p in waiting.values() if _may_start(p, ready, prepared)]:
                control.start(process.name)
                starting[process.name] = waiting.pop(process.name)
            checks = pool.map(lambda process: process.ready(), starting.values())
            for name in [name for name, works in zip(list(starting), list(checks), strict=True) if works]:
                del starting[name]
                ready.append(name)
            states = control.states()
            report({name: "ready" if name in ready else _words(states[name]) for name in states})
            _raise_when_given_up(settings, states)
            if time.monotonic() > deadline:
                raise PermanentError(f"not ready after {START_TIMEOUT_S} s: {', '.join(starting)}; see `freshet logs`")
            time.sleep(POLL_S)


def _refuse_half_restored(settings: Settings) -> None:
    if (settings.state_dir / HALF_RESTORED).exists():
        raise PermanentError(
            f"a restore into {settings.state_dir} did not come to its end, and what is there is not whole: "
            "remove it with `freshet down --remove`, then restore again"
        )


def _engines(processes: Sequence[Process]) -> list[str]:
    return [process.name for process in processes if process.name in stack.ENGINES]


def _may_start(process: Process, ready: Sequence[str], prepared: bool) -> bool:
    return set(process.after) <= set(ready) and (prepared or process.name in stack.ENGINES or not process.after)


def _prepare_log_and_store(settings: Settings, environment: Mapping[str, str]) -> None:
    log = supervisor.log_file(settings, "prepare")
    with log.open("wb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "freshet.prepare"],
            stdout=file, stderr=file, cwd=CHECKOUT, env={**os.environ, **environment}, check=False,
        )  # fmt: skip
    if done.returncode:
        raise PermanentError(f"the log and the store could not be prepared:\n{log.read_text()[-2000:]}")


def _raise_when_given_up(settings: Settings, states: Mapping[str, State]) -> None:
    for name, state in states.items():
        if state.state == "FATAL":
            tail = supervisor.log_file(settings, name).read_text(errors="replace")[-2000:]
            raise PermanentError(f"{name} ended again and again and was given up; the end of its log:\n{tail}")


def _words(state: State) -> str:
    return {"STOPPED": "waiting", "RUNNING": "starting", "STARTING": "starting"}.get(state.state, state.state.lower())
