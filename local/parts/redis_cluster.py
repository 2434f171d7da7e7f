"""Six Redis nodes: three primaries, a replica each. Ready in 4 to 5 s the first time, without redis-cli."""

import functools
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from local.layout import CLUSTER_BUS_OFFSET, HOST, Layout
from local.parts.part import program_path
from local.readiness import Tick, wait
from local.supervisor import Program

PRIMARIES = 3
SLOTS = 16_384

# noeviction: a session must not vanish because memory is short; hz 100: at 10, WAIT overruns its 100 ms;
# listpack: records of a dozen small attributes take a third less memory.
_SETTINGS = {
    "bind": HOST,
    "protected-mode": "yes",
    "daemonize": "no",
    "cluster-enabled": "yes",
    "cluster-config-file": "nodes.conf",
    "cluster-require-full-coverage": "no",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": '""',
    "maxmemory-policy": "noeviction",
    "hz": "100",
    "hash-max-listpack-value": "1024",
    "min-replicas-to-write": "0",
    # A replica would enter CLUSTER SLOTS only 8 s after its link is up.
    "repl-ping-replica-period": "1",
    "repl-diskless-sync-delay": "0",
    # Its title would overwrite the environment by which we know our processes again.
    "set-proc-title": "no",
}


class RedisCluster:
    """The store of the sessions. ``node_timeout_ms``: without an answer for so long, a primary is replaced."""

    title = "Redis Cluster"

    def __init__(self, layout: Layout, *, node_timeout_ms: int = 2000) -> None:
        self._layout = layout
        self._settings = {**_SETTINGS, "cluster-node-timeout": str(node_timeout_ms)}
        self._ports = layout.ports.redis
        self._formed = layout.folder("redis") / "formed"

    @property
    def address(self) -> str:
        """The range when the ports follow each other, else the first and how many more."""
        first, last = self._ports[0], self._ports[-1]
        if self._ports == tuple(range(first, last + 1)):
            return f"{HOST}:{first}-{last}"
        return f"{HOST}:{first} and {len(self._ports) - 1} more"

    @property
    def ports(self) -> Sequence[int]:
        """Clients' ports and the cluster bus's."""
        return (*self._ports, *(port + CLUSTER_BUS_OFFSET for port in self._ports))

    @property
    def programs(self) -> Sequence[Program]:
        """`redis-1` to `redis-6`."""
        server = str(program_path("redis-server", "redis-server"))
        return [
            Program(
                name=f"redis-{number}",
                command=[server, str(self._folder(port) / "redis.conf")],
                directory=self._folder(port),
            )
            for number, port in enumerate(self._ports, start=1)
        ]

    def require(self) -> None:
        """redis-server."""
        program_path("redis-server", "redis-server")

    def prepare(self) -> None:
        """A folder and a configuration a node. What an interrupted first start left is wiped: half a cluster
        can neither be used nor be continued, and holds nothing."""
        for port in self._ports:
            folder = self._folder(port)
            if not self._formed.exists():
                shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
            lines = [f"{name} {value}" for name, value in self._settings.items()]
            (folder / "redis.conf").write_text("\n".join([*lines, f"port {port}", f"dir {folder}", ""]))

    def settle(self, tick: Tick) -> None:
        """Form the cluster the first time; return when all six agree on it."""
        nodes = [connect(port, seconds=10.0) for port in self._ports]  # a busy machine is no fault
        try:
            wait(self.title, functools.partial(_all_answer, nodes), tick)
            if not self._formed.exists():
                self._form(nodes, tick)
            wait(self.title, functools.partial(_all_agree, nodes), tick)
            self._formed.touch()
        finally:
            for node in nodes:
                node.close()

    def _form(self, nodes: Sequence["redis.Redis"], tick: Tick) -> None:
        share = -(-SLOTS // PRIMARIES)
        for index, node in enumerate(nodes[:PRIMARIES]):
            _ask(node, "CLUSTER", "ADDSLOTSRANGE", index * share, min((index + 1) * share, SLOTS) - 1)
        # Else two nodes may start with the same epoch, and settle it in their own time.
        for epoch, node in enumerate(nodes, start=1):
            _ask(node, "CLUSTER", "SET-CONFIG-EPOCH", epoch)
        for port in self._ports[1:]:
            _ask(nodes[0], "CLUSTER", "MEET", HOST, port)
        wait(self.title, functools.partial(_all_know_each_other, nodes), tick)
        ids = [str(_ask(node, "CLUSTER", "MYID")) for node in nodes]
        for replica, primary_id in zip(nodes[PRIMARIES:], ids[:PRIMARIES], strict=True):
            _ask(replica, "CLUSTER", "REPLICATE", primary_id)

    def _folder(self, port: int) -> Path:
        # Named by its place, not its port, so that a log and a folder have one name.
        return self._layout.folder("redis") / f"redis-{self._ports.index(port) + 1}"


def connect(port: int, *, seconds: float = 1.0) -> "redis.Redis":
    """A client of one node, without retries: whoever waits asks again."""
    return redis.Redis(
        host=HOST,
        port=port,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
    )


def _all_answer(nodes: Sequence["redis.Redis"]) -> str | None:
    for number, node in enumerate(nodes, start=1):
        try:
            node.ping()
        except redis.RedisError as fault:
            return f"redis-{number}: {fault}"
    return None


def _all_know_each_other(nodes: Sequence["redis.Redis"]) -> str | None:
    for number, node in enumerate(nodes, start=1):
        try:
            text = _table(node)
        except redis.RedisError as fault:
            return f"redis-{number}: {fault}"
        known = sum(1 for line in text.splitlines() if line.strip())
        if known != len(nodes) or "handshake" in text:
            return f"redis-{number} knows {known} of {len(nodes)} nodes"
    return None


def _table(node: "redis.Redis") -> str:
    return str(_ask(node, "CLUSTER", "NODES"))


def _ask(node: "redis.Redis", *command: object) -> Any:
    """The answer as Redis gives it: redis-py would parse some into dictionaries that lose half of them."""
    connection = node.connection_pool.get_connection()
    try:
        connection.send_command(*command)  # type: ignore[no-untyped-call]
        return connection.read_response()
    finally:
        node.connection_pool.release(connection)


def _all_agree(nodes: Sequence["redis.Redis"]) -> str | None:
    """Nothing when every node sees the same whole cluster and every replica is in step."""
    views = set()
    for number, node in enumerate(nodes, start=1):
        try:
            info = dict(line.split(":", 1) for line in _ask(node, "CLUSTER", "INFO").split())
            replication: Any = node.info("replication")
            table = _table(node)
            views.add(_view(node))
        except redis.RedisError as fault:
            return f"redis-{number}: {fault}"
        if reason := _fault(info, replication, table, total=len(nodes)):
            return f"redis-{number}: {reason}"
    return None if len(views) == 1 else "the nodes do not agree on the slots yet"


def _fault(info: dict[str, str], replication: dict[str, Any], table: str, *, total: int) -> str | None:
    wanted = {
        "cluster_state": "ok",
        "cluster_slots_ok": str(SLOTS),
        "cluster_known_nodes": str(total),
        "cluster_size": str(PRIMARIES),
    }
    for name, value in wanted.items():
        if str(info.get(name)) != value:
            return f"{name} is {info.get(name)}, not yet {value}"
    if "fail" in table:
        return "a node is marked as failing"
    if replication["role"] == "master":
        replica = replication.get("slave0")
        online = isinstance(replica, dict) and replica.get("state") == "online"
        return None if online else "its replica is not online"
    link = replication["master_link_status"]
    return None if link == "up" else f"its link to the primary is {link}"


def _view(node: "redis.Redis") -> str:
    rows: Any = _ask(node, "CLUSTER", "SLOTS")
    return repr(sorted((row[0], row[1], row[2][1], sorted(one[1] for one in row[3:])) for row in rows))
