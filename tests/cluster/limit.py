"""A suite's time, after which the step that is under way is stopped, by name."""

from __future__ import annotations

import signal
import time
from collections.abc import Generator
from typing import Any

import pytest


class TooLate(Exception):
    """The step that was under way when the time was over."""


class Limit:
    """Counts from its making on. Main thread only: it is told by SIGALRM."""

    def __init__(self, minutes: int) -> None:
        self._minutes = minutes
        self._due = time.monotonic() + minutes * 60

    def hold(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """A wrapper of pytest's hooks for one item: ``TooLate`` is raised in what it wraps."""

        def stop(*_: Any) -> None:
            raise TooLate(f"{item.name} was under way when the {self._minutes} minutes were over")

        before = signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, max(0.1, self._due - time.monotonic()))
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
