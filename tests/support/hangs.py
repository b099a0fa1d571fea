"""A process of tests that hangs says where, and ends."""

import faulthandler
from typing import Final

import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key

HANGS_S: Final = 300.0
"""No test ends for so long. One alone is ended by pytest-timeout after two minutes, but not what happens between two,
nor what one that has failed leaves to be ended."""


class HangWatch:
    """A plugin that waits for the end of a test, and of the next; it prints the stacks of all threads if none comes."""

    def __init__(self, config: pytest.Config) -> None:
        self._stderr = config.stash[fault_handler_stderr_fd_key]
        self._patience_s = HANGS_S if hasattr(config, "workerinput") else 2 * HANGS_S  # a worker shall speak first
        self.pytest_runtest_logfinish()

    def pytest_runtest_logfinish(self) -> None:
        """Wait for the next one."""
        faulthandler.dump_traceback_later(self._patience_s, exit=True, file=self._stderr)

    @pytest.hookimpl(trylast=True)
    def pytest_exception_interact(self) -> None:
        """Go on after a failure, at which pytest itself forgets every such wait."""
        self.pytest_runtest_logfinish()
