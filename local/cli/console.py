"""What the command prints: results on standard output, everything else on standard error."""

import json
from typing import Any

from rich.console import Console
from rich.markup import escape

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def fail(error: Exception) -> None:
    """Say what went wrong and what to do."""
    err.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)


def say(message: str) -> None:
    """A sentence about what is being done."""
    err.print(escape(message), soft_wrap=True)


def visible(text: str) -> str:
    """What a stranger wrote, on one line and without what steers a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def emit(value: Any) -> None:
    """One JSON object on one line: what `--json` promises."""
    out.file.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
    out.file.flush()
