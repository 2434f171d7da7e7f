"""Connections to one node of a Redis Cluster: redis-py's ``Connection``, a deque of our own.

redis-py's ``ConnectionPool`` costs 35 µs more an operation; the price of ours is that a stale connection is
our concern.
"""

from __future__ import annotations

import inspect
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

import hiredis
from redis.connection import AbstractConnection, Connection, DefaultParser, SSLConnection
from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,
    MasterDownError,
    MovedError,
    RedisError,
    TimeoutError,
    TryAgainError,
)

_Reader: Any = hiredis.Reader  # its own types know no ``replyError`` that is called
_Connection: Any = Connection
_SecureConnection: Any = SSLConnection
_DefaultParser: Any = DefaultParser


_RECEIVE_BYTES = 65536
_STEP_SECONDS = 0.005
_PlainSocket = socket.socket if socket.socket.__module__ == "socket" else None  # gevent has put its own there
_MORE = object()  # the reader's word for an answer that has not come yet


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
ANSWERS = (AuthenticationError, AuthorizationError, BusyLoadingError)


def _plain_options() -> dict[str, Any]:
    """No CLIENT SETINFO: two round trips of each new connection. redis-py has renamed the option."""
    if "driver_info" in inspect.signature(AbstractConnection.__init__).parameters:
        return {"protocol": 3, "driver_info": None}
    return {"protocol": 3, "lib_name": None, "lib_version": None}


class Node(NamedTuple):  # hashed in C: it is looked up for each command
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What ``AUTH`` needs, and what TLS does. A file is read at each new connection, so that a credential may be
    changed while we run; it goes before the text. ``tls``: verified against ``ca_file``, or the system's
    authorities.
    """

    username: str | None = None
    password: str | None = None
    username_file: Path | None = None
    password_file: Path | None = None
    tls: bool = False
    ca_file: Path | None = None

    def __repr__(self) -> str:
        return "Credentials(…)"

    def read(self) -> tuple[str | None, str | None]:
        """User name and password. Raises redis-py's ``ConnectionError`` where a file cannot be read."""
        return _text(self.username_file, self.username), _text(self.password_file, self.password)


def _text(file: Path | None, text: str | None) -> str | None:
    if file is None:
        return text
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as cause:
        raise ConnectionError(f"the credentials file {file.name} cannot be read") from cause


def _tls_hint(error: RedisError, *, tls: bool) -> str | None:
    """A plain port waits for the end of what it takes for a command; a TLS port closes what does not greet it."""
    if tls:
        return "does it speak TLS?" if type(error) is TimeoutError or "[SSL" in str(error) else None
    return "does it want TLS, rediss://?" if "closed by server" in str(error) else None


class OutOfTimeError(TimeoutError):
    """The time was over before anything was sent: no failure of the node."""


class Deadline:
    """The moment at which one store operation, with its redirects and retries, must have its answer.
    Seconds.
    """

    __slots__ = ("_clock", "_ends", "seconds")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds: float = seconds
        self._clock = clock
        self._ends = clock() + seconds

    def remaining(self) -> float:
        """More than zero. Raises ``OutOfTimeError`` when the time is over."""
        left: float = self._ends - self._clock()
        if left <= 0:
            raise OutOfTimeError(f"no answer within {self.seconds * 1000:.0f} ms")
        return left

    def part(self, fraction: float) -> Deadline:
        """A deadline after ``fraction`` of what remains: for a try that must leave time for another."""
        return Deadline(self.remaining() * fraction, self._clock)


class Line:
    """An open connection. redis-py's ``Connection`` does TLS, HELLO and AUTH; then its socket speaks to a hiredis reader
    of our own: redis-py's way of sending and reading costs 6 µs more an operation.
    """

    __slots__ = ("_by_kernel", "_connection", "_reader", "_socket", "_steps")

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._socket = connection._sock
        # Python's way to limit a wait is a ``poll`` before each ``send`` and ``recv``; the kernel's own limit is set once.
        # Not on TLS, nor on what takes the place of a socket (gevent, ``sockets``).
        self._steps = 0
        self._by_kernel = sys.platform == "linux" and type(self._socket) is _PlainSocket
        if self._by_kernel:
            self._socket.settimeout(None)
        self._reader = _Reader(
            protocolError=ConnectionError, replyError=_Parser.parse_error, notEnoughData=_MORE
        )

    def exchange(self, packed: bytes, replies: int, deadline: Deadline, *, spare: int = 0) -> list[Any]:
        """As ``Pool.exchange``. After anything that it raises, and after fewer answers than ``replies``, it is
        closed.
        """
        answers: list[Any] = []
        try:
            steps = int(deadline.remaining() / _STEP_SECONDS) + 1
            if steps != self._steps:
                self._limit(steps)
            self._socket.sendall(packed)
            while len(answers) < replies:
                answer = self._reader.gets() if answers else _MORE
                while answer is _MORE:
                    data = self._socket.recv(_RECEIVE_BYTES)
                    if not data:
                        raise ConnectionError("the node closed the connection")
                    self._reader.feed(data)
                    answer = self._reader.gets()
                if isinstance(answer, ConnectionError):
                    raise answer
                answers.append(answer)
        except (OSError, ConnectionError, TimeoutError) as error:
            self.close()  # its late answer is nobody's
            if len(answers) < replies - spare:
                if isinstance(error, OSError):
                    raise _named(error) from error
                raise
        return answers

    def _limit(self, steps: int) -> None:
        """Each wait from now on, in steps of 5 ms, so that it is hardly ever set again."""
        self._steps = steps
        if not self._by_kernel:
            self._socket.settimeout(steps * _STEP_SECONDS)
        else:
            whole, rest = divmod(steps * _STEP_SECONDS, 1)
            limit = struct.pack("ll", int(whole), int(rest * 1_000_000))
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)

    def close(self) -> None:
        self._connection.disconnect()


def _named(error: OSError) -> RedisError:
    """By redis-py's name for it."""
    if isinstance(error, (socket.timeout, BlockingIOError)):  # the latter is the kernel's word
        return TimeoutError("timed out")
    return ConnectionError(str(error))


class Pool:
    """Thread-safe. Not for use across a fork: ``Cluster`` makes new pools in the child."""

    def __init__(self, node: Node, *, size: int, credentials: Credentials) -> None:
        self._node = node
        self._credentials = credentials
        self._free: SimpleQueue[None] = SimpleQueue()  # a semaphore in C: ``threading``'s costs 1 µs
        for _ in range(size):
            self._free.put(None)
        self._idle: deque[Line] = deque()
        self._options = _plain_options()
        self._kind = _Connection
        if credentials.tls:
            self._kind = _SecureConnection
            self._options |= {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
            if credentials.ca_file:
                self._options["ssl_ca_certs"] = str(credentials.ca_file)

    def exchange(self, packed: bytes, replies: int, deadline: Deadline, *, spare: int = 0) -> list[Any]:
        """Sends packed commands in one write and reads their ``replies``; an error reply is in the list as
        an exception. Of the last ``spare`` replies, those that do not come are left out.

        A connection that was pooled and turns out to be closed is replaced, once: the node may have
        restarted. That repeats the commands, which our scripts allow. Raises redis-py's ``ConnectionError``
        and ``TimeoutError``, after which the connection is gone, so that no later command reads this one's
        late answer.
        """
        try:
            self._free.get_nowait()
        except Empty:
            self._wait_for_turn(deadline)
        try:
            pooled = True
            try:
                line = self._idle.pop()
            except IndexError:
                line, pooled = self._connect(deadline), False
            try:
                answers = line.exchange(packed, replies, deadline, spare=spare)
            except (BusyLoadingError, AuthorizationError):
                raise
            except ConnectionError:  # also NOAUTH, which proves that nothing ran
                if not pooled:
                    raise
                self.clear()
                line = self._connect(deadline)
                answers = line.exchange(packed, replies, deadline, spare=spare)
            if len(answers) == replies:
                self._idle.append(line)
            return answers
        finally:
            self._free.put(None)

    def _wait_for_turn(self, deadline: Deadline) -> None:
        try:
            self._free.get(timeout=deadline.remaining())
        except Empty as cause:
            raise TimeoutError(f"no free connection within {deadline.seconds * 1000:.0f} ms") from cause

    def clear(self) -> None:
        """Closes the idle connections; those in use are closed or returned by their users."""
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def _connect(self, deadline: Deadline) -> Line:
        username, password = self._credentials.read()
        try:
            return self._open(username, password, deadline)
        except AuthenticationError:
            again = self._credentials.read()
            if again == (username, password):
                raise
            return self._open(*again, deadline)  # changed between our reading and the node's judging

    def _open(self, username: str | None, password: str | None, deadline: Deadline) -> Line:
        left = deadline.remaining()
        connection: Any = self._kind(
            host=self._node.host,
            port=self._node.port,
            username=username,
            password=password,
            socket_timeout=left,
            socket_connect_timeout=left,
            parser_class=_Parser,
            **self._options,
        )
        try:
            connection.connect()
        except (ConnectionError, TimeoutError) as error:
            hint = _tls_hint(error, tls=self._credentials.tls)
            if hint is None:
                raise
            raise type(error)(f"{error} ({hint})") from error
        return Line(connection)
