"""Redis servers of a test's own, as a StatefulSet's pods: a name each, that leads to wherever the pod is now."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import socket
import subprocess
import time
from binascii import crc_hqx
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import redis
from operations.apply import Apply
from operations.log import Log
from operations.manager import Manager
from operations.nodes import Access, Names, NodeError, Nodes
from operations.observe import Observer
from operations.observed import Observed
from operations.plan import next_step
from operations.settings import RedisSettings
from operations.wanted import SLOTS, Wanted

NAMES = Names("redis-{ordinal}.test:6379")
_BUS = 10_000


class Pod:
    """One server; ``start`` gives it another port each time, as a pod gets another address.

    ``image``: of Valkey, in a container on this machine's network, whose data ends with it; else Debian's redis-server.
    """

    def __init__(
        self,
        ordinal: int,
        folder: Path,
        *,
        acl_file: Path | None = None,
        image: str = "",
        node_timeout_milliseconds: int = 1500,
    ) -> None:
        self.ordinal = ordinal
        self._node_timeout_milliseconds = node_timeout_milliseconds
        self.folder = folder / f"redis-{ordinal}"
        self.port = 0
        self._acl_file = acl_file
        self._image = image
        self._container = f"operations-{secrets.token_hex(4)}-{ordinal}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def runs(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = _free_port()
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": "/data" if self._image else str(self.folder),
            "cluster-enabled": "yes",
            "cluster-node-timeout": str(self._node_timeout_milliseconds),
            "cluster-require-full-coverage": "no",
            "cluster-allow-replica-migration": "no",
            "cluster-announce-hostname": NAMES.host(self.ordinal),
            "appendonly": "yes",
            "save": "",
            "repl-diskless-sync-delay": "0",
            "repl-ping-replica-period": "1",
        }
        if self._acl_file is not None:
            options |= {"aclfile": str(self._acl_file), "masteruser": "replica"}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        if self._acl_file is not None:
            words += ["--masterauth", "replica-password"]
        server = ["redis-server"]
        if self._image:
            run = ["docker", "run", "--rm", "--network", "host", "--name", self._container]
            server = [*run, self._image, "valkey-server"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*server, *words], stdout=log, stderr=log)

    def kill(self) -> None:
        if self._process is not None:
            if self._image:
                subprocess.run(["docker", "rm", "--force", self._container], capture_output=True, check=False)
            self._process.kill()
            self._process.wait()
            self._process = None

    def lose_data(self) -> None:
        shutil.rmtree(self.folder)

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, decode_responses=True, socket_timeout=2)


class Pods:
    """All of them, and the DNS that knows their addresses."""

    def __init__(
        self,
        folder: Path,
        number: int,
        *,
        acl_file: Path | None = None,
        image: str = "",
        node_timeout_milliseconds: int = 1500,
    ) -> None:
        self._make = partial(
            Pod,
            folder=folder,
            acl_file=acl_file,
            image=image,
            node_timeout_milliseconds=node_timeout_milliseconds,
        )
        self.all: list[Pod] = []
        self.grow(number)

    def grow(self, number: int) -> None:
        for ordinal in range(len(self.all), number):
            self.all.append(self._make(ordinal))
            self.all[ordinal].start()

    def __getitem__(self, ordinal: int) -> Pod:
        return self.all[ordinal]

    def __iter__(self) -> Iterator[Pod]:
        return iter(self.all)

    def resolve(self, host: str, port: int) -> str:
        ordinal = NAMES.ordinal(host)
        if ordinal is None or ordinal >= len(self.all) or not self.all[ordinal].runs:
            raise NodeError(f"{host} has no address")
        return self.all[ordinal].address

    def wait_until_served(self, seconds: float = 120) -> None:
        """Nodes that begin say CLUSTERDOWN for a moment, though every slot has its owner."""
        deadline = time.monotonic() + seconds
        for pod in self.all:
            while "cluster_state:ok" not in _state(pod):
                assert time.monotonic() < deadline, f"pod {pod.ordinal} does not serve"
                time.sleep(0.1)

    def fill(self, observed: Observed) -> int:
        """300 keys, in as many slots; how many."""
        self.wait_until_served()
        owners = {slot: member for member in observed.primaries for slot in observed.owned(member)}
        for number in range(300):
            key = f"k{number}"
            with self[owners[_slot(key)].ordinal].client() as owner:
                owner.execute_command("HSET", key, "field", number)
        return 300

    def stop(self) -> None:
        for pod in self.all:
            pod.kill()


class Operator:
    """A manager of these pods, and what it sees."""

    def __init__(
        self,
        pods: Pods,
        wanted: Wanted,
        log: Log,
        *,
        access: Access | None = None,
        acl_file: Path | None = None,
    ) -> None:
        self.nodes = Nodes(access or Access())
        self.settings = RedisSettings(
            names=NAMES,
            wanted=wanted,
            access=access or Access(),
            acl_file=acl_file,
            replica_password_file=None,
            bind=("127.0.0.1", 0),
            every_seconds=0.1,
        )
        self.observer = Observer(self.nodes, NAMES, pods.resolve)
        self.apply = Apply(self.nodes)
        self.manager = Manager(self.settings, self.observer, self.apply, log=log)

    def look(self) -> Observed:
        return self.observer.look(self.settings.wanted.pods)

    def work(self, *, seconds: float = 300, until: Callable[[Observed], bool] | None = None) -> Observed:
        """Until the cluster is as wanted, twice in a row (Redis settles a step after it was asked for)."""
        deadline = time.monotonic() + seconds
        quiet = 0
        while time.monotonic() < deadline:
            quiet = quiet + 1 if self.manager.turn() is None else 0
            if quiet >= 2 or (until is not None and until(self.look())):
                return self.look()
            time.sleep(0.1)
        raise AssertionError(
            f"the manager did not come to an end: {next_step(self.look(), self.settings.wanted)}"
        )

    def close(self) -> None:
        self.nodes.close()


def _state(pod: Pod) -> str:
    words = ["redis-cli", "-p", str(pod.port), "CLUSTER", "INFO"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def _slot(key: str) -> int:
    return crc_hqx(key.encode(), 0) & (SLOTS - 1)


def keys_of(observed: Observed) -> int:
    """On primaries; the recorded shape is one of them."""
    return sum(member.keys for member in observed.primaries)


def is_whole(observed: Observed, wanted: Wanted) -> bool:
    return (
        len(observed.served) == SLOTS
        and len(observed.primaries) == wanted.primaries
        and all(len(shard.synced) == wanted.replicas for shard in observed.shards)
    )


def _free_port() -> int:
    while True:
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            if port + _BUS > 65_535:
                continue
            with contextlib.suppress(OSError):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port + _BUS))
                return port
