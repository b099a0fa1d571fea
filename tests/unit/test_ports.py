"""The ports that tests listen on."""

import subprocess
import sys

from tests.support.ports import free_port

ASK = "from tests.support.ports import free_port; print(free_port(), flush=True); input()"


def test_processes_at_once_are_given_other_ports() -> None:
    """Each has a block for as long as it runs, wherever it began to look."""
    asking = [
        subprocess.Popen([sys.executable, "-c", ASK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    try:
        given = [int(process.stdout.readline()) for process in asking if process.stdout]
    finally:
        for process in asking:
            process.communicate("\n")
    blocks = {port // 500 for port in [*given, free_port()]}
    assert len(blocks) == 5
