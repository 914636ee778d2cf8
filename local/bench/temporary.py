"""A stack of one measurement's own, which is gone afterwards."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from freshet.settings import Settings, load_settings
from local import launch, ports, source


@contextmanager
def temporary_stack(
    say: launch.Report,
    *,
    only: Sequence[str] = (),
    hold: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> Iterator[Settings]:
    """Settings of a stack that runs until the block ends; `only` names the processes when not all are wanted."""
    with temporary_settings(overrides or {}) as settings:
        launch.up(settings, detach=False, report=say, only=only, hold=hold)
        try:
            yield settings
        finally:
            launch.down(settings)


@contextmanager
def temporary_settings(overrides: Mapping[str, Any]) -> Iterator[Settings]:
    """Settings on free ports with a state folder that is removed when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="freshet-bench-"))
    # an unprivileged Postgres must pass through it
    folder.chmod(0o755)
    names = [name for name in Settings.model_fields if name.endswith("_port")]
    free = dict(zip(names, ports.find_free(len(names)), strict=True))
    settings, _ = source.resolve(load_settings(state_dir=folder, **{**free, **overrides}))
    try:
        yield settings
    finally:
        launch.remove_state(settings)
