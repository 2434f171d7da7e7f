"""Stores on the shared cluster, and a Redis Cluster that a test may damage: six nodes of its own on free ports.

With ``TEST_ENGINE_IMAGE`` (``redis:8.0``, …) its nodes are containers of that image, and it is the shared cluster, too:
``python -m tests.engines`` sets it. Containers carry the label ``polysession-engine=$TEST_ENGINE_RUN``.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis
from polysession.core.errors import StoreUnavailable
from polysession.stores.keys import slot
from polysession.stores.redis import RedisStore

NODE_TIMEOUT_MS = 1000
ENGINE = os.environ.get("TEST_ENGINE_IMAGE", "")
ENGINE_RUN = os.environ.get("TEST_ENGINE_RUN", "") or secrets.token_hex(4)


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def until(promise: Callable[[], bool], what: str, *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if promise():
                return
        except (redis.RedisError, StoreUnavailable):
            pass
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class Process:
    """A node: the ``redis-server`` of this machine."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, words: list[str]) -> None:
        command = ["redis-server", *words, "--dir", str(self._directory)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)
        if number is signal.SIGKILL:
            self._process.wait()

    def remove(self) -> None:
        if self.alive:
            self.signal(signal.SIGKILL)


class Container:
    """A node: a container of ``ENGINE`` on this machine's own network. Killed and run again, it keeps its files."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._made = False

    def run(self, words: list[str]) -> None:
        server = "valkey-server" if "valkey" in ENGINE else "redis-server"
        labels = ("--label", f"polysession-engine={ENGINE_RUN}")
        made = ("run", "--detach", "--name", self._name, *labels, "--network", "host", ENGINE, server, *words)
        docker(*(("start", self._name) if self._made else made))
        self._made = True

    @property
    def alive(self) -> bool:
        return docker("inspect", "--format", "{{.State.Running}}", self._name) == "true"

    def signal(self, number: signal.Signals) -> None:
        docker("kill", "--signal", number.name, self._name)
        if number is signal.SIGKILL:
            docker("wait", self._name)

    def remove(self) -> None:
        docker("rm", "--force", self._name)


def docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class DamageableCluster:
    """Three primaries, three replicas. ``heal`` brings back what a test killed, paused or reconfigured."""

    def __init__(self, directory: Path) -> None:
        ports = free_ports(12)
        self._bus = dict(zip(ports[:6], ports[6:], strict=True))
        self.ports = ports[:6]
        self._nodes: dict[int, Process | Container] = {
            port: Container(f"polysession-{ENGINE_RUN}-{port}") if ENGINE else Process(directory)
            for port in self.ports
        }
        self._clients = {port: redis.Redis(port=port, protocol=3, socket_timeout=5) for port in self.ports}

    @property
    def nodes(self) -> tuple[tuple[str, int], ...]:
        return tuple(("127.0.0.1", port) for port in self.ports)

    def command(self, port: int, *words: str | int) -> Any:
        client: Any = self._clients[port]
        return client.execute_command(*words)

    def start(self) -> None:
        for port in self.ports:
            self.run(port)
        for index, port in enumerate(self.ports[:3]):
            first, last = index * 16384 // 3, (index + 1) * 16384 // 3 - 1
            self.command(port, "CLUSTER", "ADDSLOTSRANGE", first, last)
        for index, port in enumerate(self.ports):
            self.command(port, "CLUSTER", "SET-CONFIG-EPOCH", index + 1)
            self.command(self.ports[0], "CLUSTER", "MEET", "127.0.0.1", port, self._bus[port])
        ids = [self.id(port) for port in self.ports]
        known = lambda port: all(one in self._view(port) for one in ids)  # noqa: E731
        until(lambda: all(known(port) for port in self.ports), "every node knows every other")
        for index, port in enumerate(self.ports[3:]):
            self.command(port, "CLUSTER", "REPLICATE", ids[index])
        self.wait()

    def run(self, port: int) -> None:
        options = {
            "port": port,
            "cluster-port": self._bus[port],
            "cluster-enabled": "yes",
            "cluster-config-file": f"nodes-{port}.conf",
            "cluster-node-timeout": NODE_TIMEOUT_MS,
            "cluster-require-full-coverage": "no",
            "bind": "127.0.0.1",
            "appendonly": "yes",
            "appenddirname": f"aof-{port}",
            "save": "",
            "hz": 100,  # how often a node looks at the clients that wait
            "repl-ping-replica-period": 1,
            "repl-diskless-sync-delay": 0,
            "logfile": f"{port}.log",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self._nodes[port].run(words)
        until(lambda: bool(self.command(port, "PING")), f"node {port} answers")

    def wait(self) -> None:
        """Until all nodes agree on three primaries with a connected replica each."""
        until(lambda: all(self._agrees(port) for port in self.ports), "the cluster is whole")

    def _agrees(self, port: int) -> bool:
        info = str(self.command(port, "CLUSTER", "INFO"))
        view = self._view(port)
        replication = self._clients[port].info("replication")
        synced = replication.get("master_link_status") == "up" or replication.get("connected_slaves") == 1
        whole = "cluster_state:ok" in info and "cluster_slots_ok:16384" in info and "cluster_size:3" in info
        shape = [len(members) for *_, members in self._slots(port)]
        return whole and synced and "fail" not in view and set(shape) == {2}

    def _slots(self, port: int) -> list[tuple[int, int, list[Any]]]:
        return [(first, last, members) for first, last, *members in self.command(port, "CLUSTER SLOTS")]

    def _view(self, port: int) -> str:
        answer = self.command(port, "CLUSTER NODES")
        return str(answer if not isinstance(answer, bytes) else answer.decode())

    def id(self, port: int) -> str:
        answer = self.command(port, "CLUSTER MYID")
        return str(answer.decode() if isinstance(answer, bytes) else answer)

    def owner(self, partition: int, *, asked: int | None = None) -> int:
        """The port of the primary that owns the partition's slot."""
        for first, last, members in self._slots(asked or self.ports[0]):
            if first <= slot(partition) <= last:
                return int(members[0][1])
        raise AssertionError("the slot has no owner")

    def replica(self, partition: int) -> int:
        """The port of the replica of that primary."""
        for first, last, members in self._slots(self.ports[0]):
            if first <= slot(partition) <= last:
                return int(members[1][1])
        raise AssertionError("the slot has no owner")

    def another(self, port: int) -> int:
        """Another primary."""
        return next(int(members[0][1]) for *_, members in self._slots(port) if int(members[0][1]) != port)

    def kill(self, port: int) -> None:
        self._nodes[port].signal(signal.SIGKILL)

    def pause(self, port: int) -> None:
        self._nodes[port].signal(signal.SIGSTOP)

    def resume(self, port: int) -> None:
        self._nodes[port].signal(signal.SIGCONT)

    def heal(self) -> None:
        for port, node in self._nodes.items():
            if node.alive:
                self.resume(port)
            else:
                self.run(port)
        for client in self._clients.values():
            client.close()
        self.wait()

    def stop(self) -> None:
        for node in self._nodes.values():
            node.remove()
        for client in self._clients.values():
            client.close()


@pytest.fixture(scope="session")
def redis_nodes(request: pytest.FixtureRequest) -> tuple[tuple[str, int], ...]:
    """The shared cluster's; in a run on another engine, the cluster in containers."""
    if ENGINE:
        cluster: DamageableCluster = request.getfixturevalue("_damageable")
        return cluster.nodes
    nodes: tuple[tuple[str, int], ...] = request.getfixturevalue("redis_nodes")
    return nodes


@pytest.fixture(scope="session")
def _damageable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DamageableCluster]:
    assert ENGINE or shutil.which("redis-server"), "redis-server is not installed: `make up` installs it"
    cluster = DamageableCluster(tmp_path_factory.mktemp("redis"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def damageable(_damageable: DamageableCluster) -> Iterator[DamageableCluster]:
    """A whole cluster of this test run's own; healed after the test."""
    yield _damageable
    _damageable.heal()


@pytest.fixture
def own_store(damageable: DamageableCluster, redis_prefix: str) -> Iterator[RedisStore]:
    """A store on the cluster that may be damaged. A second instead of 250 ms: a busy machine is no damage."""
    store = RedisStore(damageable.nodes, prefix=redis_prefix, deadline_ms=1000)
    until(lambda: store.ping() is None, "every primary answers")
    yield store
    store.close()


@pytest.fixture
def shared_store(redis_nodes: tuple[tuple[str, int], ...], redis_prefix: str) -> Iterator[RedisStore]:
    """A store on the cluster that tests share; patient, for a busy machine is no outage."""
    store = RedisStore(redis_nodes, prefix=redis_prefix, deadline_ms=5000)
    yield store
    store.close()
