"""Time comes in as an argument: the only clock of the core."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> int:
        """Milliseconds since the Unix epoch."""
        ...


class SystemClock:
    def now(self) -> int:
        return time.time_ns() // 1_000_000
