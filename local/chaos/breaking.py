"""Doing it: signals to processes, faults of the stand-ins, and taking them back."""

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import httpx
import psutil

from freshet.errors import TransientError
from freshet.settings import Settings
from local import stack
from local.chaos.plan import Fault, Planned
from local.supervisor import Supervisor
from local.trees import told, tree

OUTSIDE: Final = ("eventstreams", "wikidata")
"""Processes that stand in for the world outside: they have faults of their own and are never killed."""

CONSUMERS: Final = ("serve", "lake", "indexer", "context")
"""What is held while a backlog grows."""

FRAMES: Final[Mapping[Fault, str]] = {
    Fault.DISCONNECT: "disconnect_every",
    Fault.CUT: "cut_every",
    Fault.MALFORMED: "malformed_every",
}
EVERY: Final = 200
"""One fault in so many frames of the stream."""

TIMEOUT_S: Final = 10.0


class Breaker:
    """Breaks a running stack. `begin` and `end` name the processes that a fault was done to."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._control = Supervisor(settings)
        self._names = tuple(process.name for process in stack.declare(settings))

    def begin(self, planned: Planned) -> Sequence[str]:
        """Let a fault happen. Returns the processes that it hit: none where a process was down already."""
        match planned.fault:
            case Fault.KILL | Fault.FREEZE if planned.process:
                return self._signal([planned.process], planned.fault is Fault.FREEZE)
            case Fault.POWER_CUT:
                return self._signal([name for name in self._names if name not in OUTSIDE], freeze=False)
            case Fault.BACKLOG:
                held = [name for name in CONSUMERS if name in self._names]
                for name in held:
                    self._control.stop(name)
                return held
            case Fault.CONTEXT_429:
                self._ask(self._settings.wikidata_port, fault="429")
                return ["context"]
            case Fault.THROTTLE:
                # those who are connected go first, or nobody would come to be refused
                self._ask(self._settings.eventstreams_port, throttle_every=1, disconnect_every=EVERY)
            case Fault.STALL:
                stall_every = max(1, round(self._settings.rate))
                self._ask(self._settings.eventstreams_port, stall_every=stall_every, stall_s=planned.lasts_s)
            case fault:
                self._ask(self._settings.eventstreams_port, **{FRAMES[fault]: EVERY})
        return ["producer"]

    def end(self, planned: Planned, hit: Sequence[str]) -> None:
        """Take a fault back that lasts."""
        match planned.fault:
            case Fault.FREEZE:
                told(_trees(hit, self._control), psutil.Process.resume)
            case Fault.BACKLOG:
                for name in hit:
                    self._control.start(name)
            case Fault.CONTEXT_429:
                self._ask(self._settings.wikidata_port, fault="none")
            case Fault.KILL | Fault.POWER_CUT:
                pass
            case _:
                self._ask(self._settings.eventstreams_port)

    def _signal(self, names: Sequence[str], freeze: bool) -> Sequence[str]:
        """Kill processes without those that they started, or stop them with these. Returns those that ran."""
        pids = {name: state.pid for name, state in self._control.states().items() if name in names and state.pid}
        if freeze:
            told(_trees(list(pids), self._control), psutil.Process.suspend)
            return list(pids)
        for pid in pids.values():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return list(pids)

    def _ask(self, port: int, **parameters: object) -> None:
        url = f"http://127.0.0.1:{port}/-/fault"
        given = {name: str(value) for name, value in parameters.items()}
        try:
            httpx.get(url, params=given, timeout=TIMEOUT_S, trust_env=False).raise_for_status()
        except httpx.HTTPError as error:
            raise TransientError(f"a stand-in does not take its faults: {error}") from error


def _trees(names: Sequence[str], control: Supervisor) -> list[psutil.Process]:
    """Processes and all that they started."""
    states = control.states()
    return [process for name in names for process in tree(states[name].pid)]
