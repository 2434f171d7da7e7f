"""Where everything is: ports, folders, secrets. The only place on one machine that knows them."""

import hashlib
import os
import random
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
CLUSTER_BUS_OFFSET = 10_000
"""Redis listens for its cluster's bus this far above its own port."""

MARKER = "POLYSESSION_STATE"
"""Each process that we start carries this variable, naming its state folder: so the survivors of a
supervisor that was killed are found, and nothing else is."""

# Below the ephemeral range of Linux (32768), so that no outgoing connection takes one meanwhile;
# the bus of Redis, 10,000 above, stays below it too.
_TEST_PORTS = range(12_000, 22_000)


@dataclass(frozen=True)
class Ports:
    """A port a part, all on 127.0.0.1. The numbers are explained in docs/configuration.md."""

    edge: int = 8400
    users: int = 8401
    orders: int = 8402
    prometheus: int = 8403
    traces: int = 8404
    postgres: int = 8405
    edge_metrics: int = 8406
    redis: tuple[int, ...] = (8411, 8412, 8413, 8414, 8415, 8416)


@dataclass(frozen=True)
class Layout:
    """One platform: the checkout it runs from, the folder of its state, and its ports.

    `tls` serves the edge by https with a certificate made for it: cookies are then `__Host-`, Secure.
    `shell` is the folder of the built shell.
    """

    root: Path
    state: Path
    ports: Ports
    shell: Path
    tls: bool = False
    python: Path = Path(sys.executable)

    @property
    def public_url(self) -> str:
        """The origin that browsers use."""
        return f"{'https' if self.tls else 'http'}://{HOST}:{self.ports.edge}"

    def url(self, port: int) -> str:
        """The plain-HTTP address of a part that only this machine talks to."""
        return f"http://{HOST}:{port}"

    @property
    def redis_nodes(self) -> str:
        """`host:port,host:port,…` as the services read it."""
        return ",".join(f"{HOST}:{port}" for port in self.ports.redis)

    @property
    def logs(self) -> Path:
        """One file a program."""
        return self.state / "log"

    @property
    def run(self) -> Path:
        """The supervisor's socket, process ID and configuration."""
        return self.state / "run"

    @property
    def secrets(self) -> Path:
        """Made once, 0600: see `secrets.py`."""
        return self.state / "secrets"

    def folder(self, name: str) -> Path:
        """The data of one part."""
        return self.state / name

    def environment(self) -> dict[str, str]:
        """What every process gets; nothing of the caller's shell, so that a run does not depend on it."""
        return {
            "PATH": f"{self.python.parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(self.state),
            "PYTHONUNBUFFERED": "1",
            MARKER: str(self.state),
        }


def of_checkout(root: Path) -> Layout:
    """The layout of `make up`. Its state is outside the checkout: PostgreSQL cannot live under /root."""
    name = hashlib.sha256(str(root).encode()).hexdigest()[:8]
    state = Path("/var/tmp") / f"polysession-{os.getuid()}-{name}"  # noqa: S108 - checked by secure_folder
    return Layout(root=root, state=state, ports=Ports(), shell=built_shell(root))


def for_tests(root: Path, state: Path, *, choose: random.Random, tls: bool = False) -> Layout:
    """A layout beside any other: free ports, its state where the test says."""
    return Layout(root=root, state=state, ports=free_ports(choose), shell=built_shell(root), tls=tls)


def built_shell(root: Path) -> Path:
    """Where `npm run build` leaves the shell."""
    return root / "web" / "react-shell" / "dist"


def free_ports(choose: random.Random, *, is_free: Callable[[int], bool] | None = None) -> Ports:
    """Ports that nobody listens on now. Another process may still take one before us: then it is named."""
    free = is_free or can_listen
    taken: set[int] = set()

    def take(*, with_bus: bool = False) -> int:
        while True:
            port = choose.choice(_TEST_PORTS)
            group = {port, port + CLUSTER_BUS_OFFSET} if with_bus else {port}
            if not group & taken and all(free(one) for one in group):
                taken.update(group)
                return port

    return Ports(
        edge=take(),
        users=take(),
        orders=take(),
        prometheus=take(),
        traces=take(),
        postgres=take(),
        edge_metrics=take(),
        redis=tuple(take(with_bus=True) for _ in range(6)),
    )


def can_listen(port: int) -> bool:
    """Whether a server could listen there now; a socket in TIME_WAIT does not hinder it."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
            trial.listen(1)
        except OSError:
            return False
        return True
