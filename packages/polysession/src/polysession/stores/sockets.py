"""What waits, in the asynchronous store: a socket and a lock that let the event loop go on. They have the methods of
``socket.socket`` and ``threading.Lock`` that redis-py and ``pool`` use, so all code above them is the sync store's.

Needs an event loop with ``add_reader`` (asyncio's selector loops, uvloop; not Windows' proactor).
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections import deque
from collections.abc import Callable
from queue import Empty
from typing import Any

from ..core import bridge

_AT_ONCE = 10  # answers that were there at once, after which others of the loop have their turn
_IN_PROGRESS = {0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EISCONN}


class AwaitingSocket:
    """A connected TCP or TLS socket. Used by one task at a time.

    Whoever is interrupted while it waits (cancelled, or out of time) leaves it closed: an answer that comes late is
    read by nobody.
    """

    def __init__(self, raw: socket.socket, timeout: float | None) -> None:
        raw.setblocking(False)
        self._raw = raw
        self._timeout = timeout
        self._at_once = 0

    def settimeout(self, seconds: float | None) -> None:
        """For each wait. ``0`` is no non-blocking mode, but gives up at the next turn of the loop."""
        self._timeout = seconds

    def connect(self, address: Any) -> None:
        if (code := self._raw.connect_ex(address)) not in _IN_PROGRESS:
            raise OSError(code, os.strerror(code))
        if code:
            self._wait(writing=True)
        if code := self._raw.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, os.strerror(code))

    def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Speaks TLS from now on, once the other end has proved who it is."""
        secured = context.wrap_socket(self._raw, server_hostname=host, do_handshake_on_connect=False)
        self._raw = secured
        self._until_done(secured.do_handshake)

    def sendall(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._until_done(self._raw.send, left, writing=True) :]

    def recv(self, size: int) -> bytes:
        self._let_others()
        received: bytes = self._until_done(self._raw.recv, size)
        return received

    def recv_into(self, buffer: bytearray | memoryview) -> int:
        self._let_others()
        size: int = self._until_done(self._raw.recv_into, buffer)
        return size

    def setsockopt(self, *options: Any) -> None:
        self._raw.setsockopt(*options)

    def getsockname(self) -> Any:
        return self._raw.getsockname()

    def fileno(self) -> int:
        return self._raw.fileno()

    def shutdown(self, how: int) -> None:
        self._raw.shutdown(how)

    def close(self) -> None:
        self._raw.close()

    def __del__(self) -> None:
        self._raw.close()  # its loop has ended before anybody closed the store

    def _let_others(self) -> None:
        """A node on this machine has often answered before we look: a task that asks much would stop the loop."""
        self._at_once += 1
        if self._at_once > _AT_ONCE and not isinstance(
            self._raw, ssl.SSLSocket
        ):  # which may have it decrypted
            self._wait(writing=False)

    def _until_done(self, action: Callable[..., Any], *args: Any, writing: bool = False) -> Any:
        while True:
            try:
                return action(*args)
            except BlockingIOError:
                self._wait(writing=writing)
            except ssl.SSLWantReadError:
                self._wait(writing=False)
            except ssl.SSLWantWriteError:
                self._wait(writing=True)

    def _wait(self, *, writing: bool) -> None:
        self._at_once = 0
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[bool] = loop.create_future()
        file = self._raw.fileno()
        begin, end = (
            (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
        )
        begin(file, _wake, ready)
        timer = loop.call_later(self._timeout, _wake, ready, False) if self._timeout is not None else None
        try:
            in_time = bridge.wait(ready)
        except BaseException:
            end(file)
            self.close()
            raise
        finally:
            if timer is not None:
                timer.cancel()
        end(file)
        if not in_time:
            self.close()
            raise TimeoutError("timed out")


class Turns:
    """``threading.Lock``, and the queue of permits of a pool, for the tasks of one event loop. First come, first served."""

    def __init__(self, size: int = 1) -> None:
        self._free = size
        self._waiting: deque[asyncio.Future[bool]] = deque()

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """``False``: not within ``timeout`` seconds (none or negative: for ever)."""
        if self._free:
            self._free -= 1
            return True
        if not blocking:
            return False
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[bool] = loop.create_future()
        self._waiting.append(turn)
        timer = None
        if timeout is not None and timeout >= 0:
            timer = loop.call_later(timeout, _wake, turn, False)
        try:
            return bridge.wait(turn)
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.result():
                self.release()  # it came together with the cancellation
            turn.cancel()
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def get_nowait(self) -> None:
        """A permit. Raises ``queue.Empty``: not now."""
        if not self.acquire(blocking=False):
            raise Empty

    def get(self, timeout: float) -> None:
        """A permit. Raises ``queue.Empty``: not within ``timeout`` seconds."""
        if not self.acquire(timeout=timeout):
            raise Empty

    def put(self, _permit: None) -> None:
        self.release()

    def release(self) -> None:
        """To the longest waiting, else to whoever comes."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(True)
                return
        self._free += 1


def _wake(future: asyncio.Future[bool], result: bool = True) -> None:
    if not future.done():
        future.set_result(result)
