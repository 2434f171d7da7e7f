"""Three Redis primaries of our own, without replicas and persistence: filled with a million sessions and thrown away."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

from redis import Redis, RedisError

PRIMARIES = 3
_SLOTS = 16384
_BUS = 10_000  # a node's own port, so far above its clients'
_SECONDS = 20.0


@contextmanager
def own_cluster() -> Iterator[tuple[tuple[str, int], ...]]:
    """Addresses of the nodes. They stop at the end."""
    with ExitStack() as stack:
        ports = _free_ports()
        for port in ports:
            folder = stack.enter_context(TemporaryDirectory())
            _start(_command(port, folder), stack)
        clients = [stack.enter_context(Redis(port=port, decode_responses=True)) for port in ports]
        _join(clients, ports)
        yield tuple(("127.0.0.1", port) for port in ports)


def _start(command: Sequence[str], stack: ExitStack) -> None:
    """Nothing interrupts us between the start of a node and the promise to stop it; the node itself hears signals."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        hears = partial(signal.pthread_sigmask, signal.SIG_SETMASK, before)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=hears)  # noqa: S603 - our own words
        stack.enter_context(process)
        stack.callback(process.wait)
        stack.callback(process.terminate)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _command(port: int, folder: str) -> Sequence[str]:
    settings = ["--save", "", "--appendonly", "no", "--hz", "100", "--hash-max-listpack-value", "1024"]
    cluster = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"]
    return ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, *settings, *cluster]


def _free_ports() -> list[int]:
    """Below 32768, where no outgoing connection takes one, so that the bus has a port as well."""
    found: list[int] = []
    for port in range(20_000, 32_000):
        try:
            for each in (port, port + _BUS):
                with socket.socket() as one:
                    one.bind(("127.0.0.1", each))
        except OSError:
            continue
        found.append(port)
        if len(found) == PRIMARIES:
            return found
    raise OSError("no free ports for three Redis nodes")


def _join(clients: Sequence[Any], ports: Sequence[int]) -> None:
    for number, client in enumerate(clients):
        _until(client.ping)
        first, last = (_SLOTS * part // PRIMARIES for part in (number, number + 1))
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last - 1)
        client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        client.execute_command("CLUSTER", "MEET", "127.0.0.1", ports[0])
    for client in clients:
        _until(partial(_is_whole, client))


def _is_whole(client: Any) -> bool:
    info = client.cluster("INFO")
    return bool(info["cluster_state"] == "ok" and info["cluster_size"] == str(PRIMARIES))


def _until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + _SECONDS
    while True:
        try:
            if holds():
                return
        except RedisError:
            pass
        if time.monotonic() > end:
            raise TimeoutError("Redis nodes of our own did not become a cluster")
        time.sleep(0.05)
