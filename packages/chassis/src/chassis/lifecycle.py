"""What happens in a worker process when it starts, drains and stops.

The service registers callbacks while its application is loaded; `chassis.gunicorn` runs them. Registrations
belong to a process: nothing is preloaded, so each worker registers after its fork.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

Callback = Callable[[], object]

_log = structlog.get_logger(__name__)


class Lifecycle:
    """Callbacks in order. Each runs once; one that raises is logged and does not stop the others."""

    def __init__(self) -> None:
        # RLock: drain() runs in a signal handler, on the thread that may be registering.
        self._lock = threading.RLock()
        self._start: list[Callback] = []
        self._drain: list[Callback] = []
        self._stop: list[Callback] = []

    def on_start(self, callback: Callback) -> None:
        """Run ``callback`` when the application is loaded and before the first request."""
        with self._lock:
            self._start.append(callback)

    def on_drain(self, callback: Callback) -> None:
        """Run ``callback`` when stopping begins: requests are still under way. It must not block or log."""
        with self._lock:
            self._drain.append(callback)

    def on_stop(self, callback: Callback) -> None:
        """Run ``callback`` after the last request was answered: the last registered first, as pools nest."""
        with self._lock:
            self._stop.append(callback)

    def start(self) -> None:
        """Run what is due at start."""
        self._run("start", self._take(self._start))

    def drain(self) -> None:
        """Run what is due when stopping begins."""
        self._run("drain", self._take(self._drain))

    def stop(self) -> None:
        """Run what is due at the end, last registered first."""
        self._run("stop", list(reversed(self._take(self._stop))))

    def _take(self, callbacks: list[Callback]) -> list[Callback]:
        with self._lock:
            taken = list(callbacks)
            callbacks.clear()
        return taken

    def _run(self, moment: str, callbacks: list[Callback]) -> None:
        for callback in callbacks:
            try:
                callback()
            except Exception:
                _log.exception("lifecycle_callback_failed", moment=moment)


process = Lifecycle()
on_start = process.on_start
on_drain = process.on_drain
on_stop = process.on_stop
