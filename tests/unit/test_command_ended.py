"""A command that is told to end cleans up what it began, whether by Ctrl-C or by SIGTERM."""

import signal
import subprocess
import sys

import pytest

COMMAND = """
import signal, sys
from local.cli import app, main

@app.command()
def wait():
    try:
        print("begun", flush=True)
        signal.pause()
    finally:
        print("cleaned up", flush=True)

sys.argv = ["freshet", "wait"]
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_ended_cleans_up(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", COMMAND], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert running.stdout.readline() == "begun\n"
        running.send_signal(number)
        assert running.communicate()[0] == "cleaned up\n"
    assert running.returncode > 0
