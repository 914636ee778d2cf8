import subprocess
import sys

import psutil

from local.trees import told, tree

WITH_A_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print(child.pid, flush=True)
input()
"""


def test_one_that_has_ended_meanwhile_says_nothing_and_the_others_do() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WITH_A_CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        found = tree(parent.pid)
        assert [process.pid for process in found] == [parent.pid, child]
        parent.kill()
        parent.wait()
        # the child reads the end of its input and ends
        psutil.wait_procs(found[1:], timeout=30)
        assert told([*found, psutil.Process()], psutil.Process.num_fds) == [psutil.Process().num_fds()]
        assert tree(parent.pid) == tree(None) == []
