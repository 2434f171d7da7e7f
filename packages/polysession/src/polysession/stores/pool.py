"""Connections to one node of a Redis Cluster: redis-py's ``Connection``, a deque of our own.

redis-py's ``ConnectionPool`` costs 35 µs more an operation; the price of ours is that a stale connection is
our concern.
"""

from __future__ import annotations

import inspect
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any

from redis.connection import AbstractConnection, Connection, DefaultParser
from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,
    MasterDownError,
    MovedError,
    ResponseError,
    TimeoutError,
    TryAgainError,
)

_Connection: Any = Connection
_DefaultParser: Any = DefaultParser


class _Parser(_DefaultParser):  # type: ignore[misc]
    """redis-py 5 gives the replies of a cluster their types only to its own cluster client."""

    EXCEPTION_CLASSES = {
        **_DefaultParser.EXCEPTION_CLASSES,
        "ASK": AskError,
        "CLUSTERDOWN": ClusterDownError,
        "MASTERDOWN": MasterDownError,
        "MOVED": MovedError,
        "TRYAGAIN": TryAgainError,
    }


# They derive from ConnectionError, but the node did answer: the connection was not stale.
_ANSWERS = (AuthenticationError, AuthorizationError, BusyLoadingError)


def _plain_options() -> dict[str, Any]:
    """No CLIENT SETINFO: two round trips of each new connection. redis-py has renamed the option."""
    if "driver_info" in inspect.signature(AbstractConnection.__init__).parameters:
        return {"protocol": 3, "driver_info": None}
    return {"protocol": 3, "lib_name": None, "lib_version": None}


@dataclass(frozen=True, slots=True)
class Node:
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What ``AUTH`` needs; both ``None``: none."""

    username: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return "Credentials(…)"


class Deadline:
    """The moment at which one store operation, with its redirects and retries, must have its answer.
    Seconds.
    """

    __slots__ = ("_clock", "_ends", "seconds")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._ends = clock() + seconds

    def remaining(self) -> float:
        """More than zero. Raises redis-py's ``TimeoutError`` when the time is over."""
        left = self._ends - self._clock()
        if left <= 0:
            raise TimeoutError(f"no answer within {self.seconds * 1000:.0f} ms")
        return left

    def part(self, fraction: float) -> Deadline:
        """A deadline after ``fraction`` of what remains: for a try that must leave time for another."""
        return Deadline(self.remaining() * fraction, self._clock)


class Pool:
    """Thread-safe. Not for use across a fork: ``Cluster`` makes new pools in the child."""

    def __init__(self, node: Node, *, size: int, credentials: Credentials) -> None:
        self._node = node
        self._credentials = credentials
        self._free = BoundedSemaphore(size)
        self._idle: deque[Any] = deque()  # of Connection, which has hardly any types
        self._options = _plain_options()

    def exchange(self, packed: bytes, replies: int, deadline: Deadline) -> list[Any]:
        """Sends packed commands in one write and reads their ``replies``; an error reply is in the list as
        an exception.

        A connection that was pooled and turns out to be closed is replaced, once: the node may have
        restarted. That repeats the commands, which our scripts allow. Raises redis-py's ``ConnectionError``
        and ``TimeoutError``, after which the connection is gone, so that no later command reads this one's
        late answer.
        """
        if not self._free.acquire(timeout=deadline.remaining()):
            raise TimeoutError(f"no free connection within {deadline.seconds * 1000:.0f} ms")
        try:
            try:
                connection = self._idle.pop()
            except IndexError:
                return self._converse(self._connect(deadline), packed, replies, deadline)
            try:
                return self._converse(connection, packed, replies, deadline)
            except _ANSWERS:
                raise
            except ConnectionError:
                self.clear()
                return self._converse(self._connect(deadline), packed, replies, deadline)
        finally:
            self._free.release()

    def clear(self) -> None:
        """Closes the idle connections; those in use are closed or returned by their users."""
        with suppress(IndexError):
            while True:
                self._idle.pop().disconnect()

    def _connect(self, deadline: Deadline) -> Any:
        left = deadline.remaining()
        connection: Any = _Connection(
            host=self._node.host,
            port=self._node.port,
            username=self._credentials.username,
            password=self._credentials.password,
            socket_timeout=left,
            socket_connect_timeout=left,
            parser_class=_Parser,
            **self._options,
        )
        connection.connect()
        return connection

    def _converse(self, connection: Any, packed: bytes, replies: int, deadline: Deadline) -> list[Any]:
        connection._sock.settimeout(deadline.remaining())
        connection.send_packed_command([packed], check_health=False)
        answers: list[Any] = []
        for _ in range(replies):
            try:
                answers.append(connection.read_response())
            except ResponseError as error:
                answers.append(error)
        self._idle.append(connection)
        return answers
