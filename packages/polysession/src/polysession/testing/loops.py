"""An asynchronous store where a test wants a sync one: each operation runs in a bridge on an event loop of its own."""

from __future__ import annotations

import asyncio
from threading import Thread
from typing import Any

from ..core import bridge


class OnLoop:
    """``store`` with its methods run on one event loop, in a thread; from any thread, also at once. ``stop`` it."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.loop: asyncio.AbstractEventLoop = asyncio.new_event_loop()
        self._thread = Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.store, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            running = bridge.run(method, *args, **kwargs)
            return asyncio.run_coroutine_threadsafe(running, self.loop).result()

        return call

    def stop(self) -> None:
        """Closes the store and the loop."""
        self.store.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
