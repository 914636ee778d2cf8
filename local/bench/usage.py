"""CPU and memory of the stack's processes while something is measured."""

import time
from collections.abc import Mapping, Sequence
from threading import Event, Thread
from types import TracebackType

import numpy as np
import psutil

from local.overview import tree_memory_mb
from local.supervisor import State, Supervisor
from local.trees import told, tree

SAMPLE_S = 1.0
HISTORY_S = 0.3
THIRDS = ("first", "middle", "last")


class Usage:
    """A context that watches; afterwards `cpu_seconds` and `peak_memory_mb` by process."""

    def __init__(self, control: Supervisor) -> None:
        self._control = control
        self._stop = Event()
        self._thread = Thread(target=self._sample, daemon=True)
        self.cpu_seconds: dict[str, float] = {}
        self.peak_memory_mb: dict[str, float] = {}

    def __enter__(self) -> "Usage":
        self._before = _cpu(self._control.states())
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        after = _cpu(self._control.states())
        self.cpu_seconds = {name: round(after[name] - self._before.get(name, 0.0), 2) for name in after}

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            for name, state in self._control.states().items():
                seen = tree_memory_mb(state.pid) or 0.0
                self.peak_memory_mb[name] = round(max(self.peak_memory_mb.get(name, 0.0), seen), 1)


class UsageHistory:
    """A context that notes what some process trees use, by name; `used` tells of any stretch of time in it."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._stop = Event()
        self._thread = Thread(target=self._sample, daemon=True)
        self._times: list[float] = []
        self._seen: dict[str, list[float]] = {name: [] for name in pids}
        self._memory: dict[str, list[float]] = {name: [] for name in pids}

    def __enter__(self) -> "UsageHistory":
        self._note()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        self._note()

    def used(self, since: float, until: float) -> dict[str, float]:
        """CPU seconds between two times of `time.monotonic`, by name."""
        both = {name: np.interp([since, until], self._times, seen) for name, seen in self._seen.items()}
        return {name: float(end - start) for name, (start, end) in both.items()}

    def memory_mb(self) -> dict[str, dict[str, float]]:
        """By name the median of each third of the time, which are alike when the memory is flat, and the most."""
        return {name: _by_thirds(seen) for name, seen in self._memory.items() if len(seen) >= len(THIRDS)}

    def _sample(self) -> None:
        while not self._stop.wait(HISTORY_S):
            self._note()

    def _note(self) -> None:
        self._times.append(time.monotonic())
        for name, seen in self._seen.items():
            # of a process that has ended nothing is known any more
            seen.append(max(tree_cpu_seconds(self._pids[name]), seen[-1] if seen else 0.0))
            if memory := tree_memory_mb(self._pids[name]):
                self._memory[name].append(memory)


def _by_thirds(seen: Sequence[float]) -> dict[str, float]:
    parts = zip(THIRDS, np.array_split(np.array(seen), len(THIRDS)), strict=True)
    return {**{name: round(float(np.median(part)), 1) for name, part in parts}, "peak": round(max(seen), 1)}


def _cpu(states: Mapping[str, State]) -> dict[str, float]:
    return {name: tree_cpu_seconds(state.pid) for name, state in states.items() if state.pid}


def tree_cpu_seconds(pid: int) -> float:
    """What a process and its descendants used so far, those that have ended among them; 0 when it is gone."""
    times = told(tree(pid), psutil.Process.cpu_times)
    # what children that have ended used is in their parent's children_* fields
    own = sum(time.user + time.system for time in times)
    return own + sum(getattr(time, "children_user", 0) + getattr(time, "children_system", 0) for time in times[:1])
