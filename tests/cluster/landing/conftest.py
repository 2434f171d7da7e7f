"""Every landing: the steps in their order, thirty minutes at most."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

LIMIT_SECONDS = 30 * 60
_due = time.monotonic() + LIMIT_SECONDS


class TooLate(Exception):
    """The step that was under way when the time was over."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise TooLate(f"{item.name} was under way when the {LIMIT_SECONDS // 60} minutes were over")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(0.1, _due - time.monotonic()))
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
