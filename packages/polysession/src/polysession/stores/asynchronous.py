"""The Redis Cluster store on an event loop. The same store, cluster and pool; what waits is in ``sockets``.

Inside ``core.bridge.run`` an operation lets the loop go on, on connections of that loop. Elsewhere it blocks as
``RedisStore`` does (a Django app has sync views, too), but never on an event loop: there it raises ``OutsideBridge``.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from redis.connection import Connection, SSLConnection

from ..core import bridge
from .breaker import Breaker
from .cluster import Cluster, State
from .pool import Credentials, Node, Pool
from .redis import RedisStore
from .sockets import AwaitingSocket, Turns

_Connection: Any = Connection
_SecureConnection: Any = SSLConnection


class _AwaitingConnection(_Connection):  # type: ignore[misc]
    """redis-py's, with the handshake as it is: only the socket is another."""

    def _connect(self) -> AwaitingSocket:
        return _open(self.host, self.port, self.socket_connect_timeout)


class _AwaitingSecureConnection(_SecureConnection):  # type: ignore[misc]
    def _connect(self) -> AwaitingSocket:
        opened = _open(self.host, self.port, self.socket_connect_timeout)
        # Reads the authorities' files, 10 ms for the system's: not on the loop.
        context = bridge.wait(asyncio.to_thread(ssl.create_default_context, cafile=self.ca_certs))
        opened.secure(context, self.host)
        return opened


def _open(host: str, port: int, timeout: float) -> AwaitingSocket:
    failure: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in _resolve(host, port, timeout):
        opened = AwaitingSocket(socket.socket(family, kind, protocol), timeout)
        try:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            opened.connect(address)
        except OSError as error:
            opened.close()
            failure = error
        else:
            return opened
    raise failure


def _resolve(host: str, port: int, timeout: float) -> Sequence[tuple[Any, ...]]:
    try:  # an address needs nobody's answer
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        asked = asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return bridge.wait(asyncio.wait_for(asked, timeout))


class AwaitingPool(Pool):
    """For the tasks of one event loop."""

    def __init__(self, node: Node, *, size: int, credentials: Credentials) -> None:
        super().__init__(node, size=size, credentials=credentials)
        self._free = Turns(size)  # type: ignore[assignment]  # a queue of permits
        self._kind = _AwaitingSecureConnection if credentials.tls else _AwaitingConnection


class AwaitingCluster(Cluster):
    """A state for the process, and one for each event loop: connections, locks, breakers and slot table."""

    def __init__(
        self,
        seeds: Sequence[tuple[str, int]],
        *,
        pool_size: int = 32,
        credentials: Credentials | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            seeds, pool_size=pool_size, credentials=credentials, monotonic=monotonic, sleep=bridge.sleep
        )
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, State] = WeakKeyDictionary()

    def close(self) -> None:
        for state in self._states():
            for pool in tuple(state.pools.values()):
                pool.clear()

    def _states(self) -> tuple[State, ...]:
        return (self._state, *tuple(self._loops.values()))

    def _here(self) -> State:
        if not bridge.is_open():
            bridge.refuse_to_block()
            return super()._here()
        loop = asyncio.get_running_loop()
        state = self._loops.get(loop)
        if state is None or state.pid != os.getpid():
            for ended in [one for one in tuple(self._loops) if one.is_closed()]:
                del self._loops[ended]  # its connections are closed with it
            state = self._loops[loop] = State(
                os.getpid(),
                Breaker(self._monotonic),
                refreshing=Turns(),  # type: ignore[arg-type]  # a lock
                pool_type=AwaitingPool,
            )
        return state


class AsyncRedisStore(RedisStore):
    """As ``RedisStore``. ``pool_size``: connections a node and event loop."""

    asynchronous = True
    cluster_type: type[Cluster] = AwaitingCluster
