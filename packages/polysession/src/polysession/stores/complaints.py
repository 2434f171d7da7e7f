"""What the log says of a node that gives no answer: why, and at most one line a node in 30 s, however many ask.

Without it only metrics and traces tell of it, and an app that has neither answers 503 without a word. A line holds what
redis-py or the node said: no command, no key, no credential is part of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from .pool import Node

SECONDS = 30

_log = logging.getLogger("polysession")
_CREDENTIALS = "see the username and password of connect()"
_HINTS = {
    "cluster support disabled": "it must be a Redis Cluster's: cluster-enabled yes",
    "invalid username-password pair": _CREDENTIALS,
    "client already authenticated": _CREDENTIALS,
    "Authentication required": _CREDENTIALS,
}


class Complaints:
    """Thread-safe as far as it matters: a race costs one line more."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._said: dict[Node, tuple[float, int]] = {}  # when, and how often it would have been said since

    def about(self, node: Node, error: Exception) -> None:
        now = self._monotonic()
        at, unsaid = self._said.get(node, (float("-inf"), 0))
        if now - at < SECONDS:
            self._said[node] = at, unsaid + 1
            return
        self._said[node] = now, 0
        cause = str(error) or type(error).__name__
        hint = next((f" ({hint})" for words, hint in _HINTS.items() if words in cause), "")
        more = f"; {unsaid} times more since the last line" if unsaid else ""
        _log.warning("the session store's node %s gave no answer: %s%s%s", node, cause, hint, more)
