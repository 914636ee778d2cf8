"""`freshet status --watch` goes on until Ctrl-C."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

from freshet.settings import CHECKOUT

TERMINAL = {"TERM": "xterm", "COLUMNS": "120", "LINES": "40"}


def test_it_shows_the_state_until_it_is_interrupted(tmp_path: Path) -> None:
    freshet = Path(sys.executable).with_name("freshet")
    terminal, end = pty.openpty()
    # its own process group, as in a terminal: the interrupt is for it alone
    child = subprocess.Popen(
        [freshet, "status", "--watch"], stdin=end, stdout=end, stderr=end, cwd=CHECKOUT, start_new_session=True,
        env={**os.environ, **TERMINAL, "FRESHET_STATE_DIR": str(tmp_path)},
    )  # fmt: skip
    os.close(end)
    shown = b""
    while b"nothing runs" not in shown:
        shown += os.read(terminal, 4096)
    assert child.poll() is None
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=20) == 1
    os.close(terminal)
