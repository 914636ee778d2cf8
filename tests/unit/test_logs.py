"""Logs are one JSON object a line, whoever writes them."""

import json
import subprocess
import sys

from freshet.settings import CHECKOUT

SCRIPT = """
import logging, threading, warnings
from freshet.errors import PermanentError
from freshet.telemetry import logs

logs.configure("test").info("ours", topic="wiki.raw", partition=1, offset=7)
logging.getLogger("some.library").warning("of a %s", "library")
warnings.warn("of Python")
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
{end}
"""


def lines(end: str) -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(end=end)], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_every_line_is_json_also_of_libraries_warnings_and_what_nobody_catches() -> None:
    ours, library, warning, thread, end = lines("raise RuntimeError('the end')")
    assert ours | {"timestamp": ""} == {
        "event": "ours",
        "level": "info",
        "process": "test",
        "topic": "wiki.raw",
        "partition": 1,
        "offset": 7,
        "timestamp": "",
    }
    assert (library["event"], library["level"]) == ("of a library", "warning")
    assert "UserWarning: of Python" in str(warning["event"])
    assert "ZeroDivisionError" in str(thread["exception"])
    assert (end["level"], "RuntimeError: the end" in str(end["exception"])) == ("critical", True)


def test_a_process_that_cannot_go_on_says_why_in_a_line() -> None:
    *_, end = lines("logs.end(PermanentError('no such table'))")
    assert (end["event"], end["error"]) == ("end", "no such table")
