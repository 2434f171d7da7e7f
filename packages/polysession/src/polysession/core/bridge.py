"""Sync code in a coroutine: ``await run(function)`` runs it in a greenlet; where it calls ``wait``, the event loop
goes on with others. So the logic is written once, and only who really waits (a socket, a lock) knows of two worlds.

The way of SQLAlchemy's asyncio extension. It is no thread: between two waits nothing else runs on this loop, the
context variables are the task's own, and an error or a cancellation of what is awaited is raised out of ``wait``.
Needs the extra ``async``, at first use.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar, cast

try:
    from greenlet import getcurrent, greenlet  # type: ignore[import-untyped,unused-ignore]
except ImportError:  # an extra
    getcurrent = greenlet = None

P = ParamSpec("P")
T = TypeVar("T")


class OutsideBridge(RuntimeError):
    """Something was to be awaited, or would have blocked an event loop, in code that ``run`` does not run."""


if greenlet is not None:

    class _Bridge(greenlet):  # type: ignore[misc,unused-ignore]
        """Runs the sync code; its parent is the coroutine that awaits for it."""

        def __init__(self, function: Callable[..., Any]) -> None:
            current = getcurrent()  # pyright: ignore[reportOptionalCall]
            super().__init__(function, current)
            self.gr_context = (
                current.gr_context
            )  # the task's: a span begun in here is seen by what is awaited

    def is_open() -> bool:
        """This code is run by ``run``: it may ``wait``."""
        return type(getcurrent()) is _Bridge  # pyright: ignore[reportOptionalCall]

else:

    def is_open() -> bool:
        """Nothing can be without greenlet."""
        return False


def require() -> None:
    """Raises ``ImportError`` without the extra."""
    if greenlet is None:
        raise ImportError("awaiting the session needs greenlet: pip install 'polysession[async]'")


async def run(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """The function's result. It is called at once, on this thread; its ``wait`` suspends this coroutine. Cancelled,
    it gets ``CancelledError`` where it waits, and its ``finally`` clauses run; they must not ``wait``.
    """
    require()
    bridge = _Bridge(function)
    result = bridge.switch(*args, **kwargs)
    while not bridge.dead:
        try:
            answer = await result
        except BaseException as error:
            result = bridge.throw(error)
        else:
            result = bridge.switch(answer)
    return result  # type: ignore[no-any-return]


def wait(awaitable: Awaitable[T]) -> T:
    """What the awaitable gives, once it is there. Raises ``OutsideBridge`` where ``run`` does not run this."""
    if not is_open():
        if asyncio.iscoroutine(awaitable):
            awaitable.close()
        raise OutsideBridge("sync code that waits on an event loop is called by polysession.core.bridge.run")
    return getcurrent().parent.switch(awaitable)  # type: ignore[no-any-return]


def sleep(seconds: float) -> None:
    """``time.sleep``, that lets the loop go on."""
    if is_open():
        wait(asyncio.sleep(seconds))
    else:
        time.sleep(seconds)


def refuse_to_block() -> None:
    """Raises ``OutsideBridge`` where a sync wait would stop an event loop."""
    if asyncio._get_running_loop() is not None:
        raise OutsideBridge(
            "the session store was asked without await on an event loop: await the asynchronous method "
            "(aget, commit, sign_in, …), or polysession.core.bridge.run(function)"
        )


def hopping(blocking: T) -> T:
    """What blocks (a ledger on a database), for use on an event loop: in a bridge its methods run in a worker thread, or
    by its own ``hop(function, *args, **kwargs)``, if it has one, which is awaited.
    """
    return cast(T, _Hopping(blocking)) if blocking is not None else blocking


class _Hopping:
    def __init__(self, blocking: Any) -> None:
        self._blocking = blocking
        self._hop = getattr(blocking, "hop", asyncio.to_thread)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._blocking, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if is_open():
                return wait(self._hop(method, *args, **kwargs))
            return method(*args, **kwargs)

        return call
