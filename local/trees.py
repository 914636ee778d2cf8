"""A process with all that it started, and what each of them says of itself."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TypeVar

import psutil

T = TypeVar("T")


def tree(pid: int | None) -> list[psutil.Process]:
    """The process and its descendants, itself first; nothing when it is gone."""
    with suppress(psutil.NoSuchProcess):
        if pid is not None:
            root = psutil.Process(pid)
            return [root, *root.children(recursive=True)]
    return []


def told(processes: Iterable[psutil.Process], ask: Callable[[psutil.Process], T]) -> list[T]:
    """What each of them says; one that has ended meanwhile says nothing."""
    answers = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            answers.append(ask(process))
    return answers
