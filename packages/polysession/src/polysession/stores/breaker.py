"""A breaker a node: who gave no answer three times in a row is asked by one caller each 250 ms, until it answers.

A node, not the cluster: one dead primary must not stop the partitions of the others.
"""

from __future__ import annotations

from collections.abc import Callable

from .pool import Node

FAILURES = 3
PROBE_SECONDS = 0.25


class Breaker:
    """Thread-safe as far as it matters: a race costs one call more, or counts one failure less."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.failures: dict[Node, int] = {}  # in a row; empty, as nearly always: there is nothing to ask
        self._probe_at: dict[Node, float] = {}

    def admits(self, node: Node) -> bool:
        """Whether to ask the node now; ``True`` for one probe at a time where it gave no answers."""
        if self.failures.get(node, 0) < FAILURES:
            return True
        now = self._monotonic()
        if now < self._probe_at.get(node, now):
            return False
        self._probe_at[node] = now + PROBE_SECONDS
        return True

    def failed(self, node: Node) -> None:
        """It gave no answer."""
        self.failures[node] = self.failures.get(node, 0) + 1
        self._probe_at[node] = self._monotonic() + PROBE_SECONDS

    def answered(self, node: Node) -> None:
        """It lives, whatever it said."""
        self.failures.pop(node, None)
