"""The edge: Caddy with the Caddyfile of the shell, as in its image."""

import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.errors import MissingPackage
from local.layout import HOST, Layout
from local.parts.part import OnePort
from local.readiness import Tick, answers, wait
from local.secrets import Secrets
from local.supervisor import Program

OLDEST = (2, 11)
"""Debian's 2.6 is built without tracing, and span attributes came with 2.11."""


class Edge(OnePort):
    """The only address that a browser needs."""

    title = "edge (Caddy)"

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout, port=layout.ports.edge, folder="edge")

    @property
    def ports(self) -> Sequence[int]:
        """The public one, and the one for Prometheus."""
        return (self._port, self._layout.ports.edge_metrics)

    @property
    def programs(self) -> Sequence[Program]:
        """Caddy."""
        caddyfile = self._layout.root / "web" / "react-shell" / "Caddyfile"
        return [
            Program(
                name="edge",
                command=[
                    *(str(caddy(self._layout)), "run", "--config", str(caddyfile), "--adapter", "caddyfile")
                ],
                directory=self._folder,
                environment=self._environment(),
                stop_seconds=10,
            )
        ]

    def require(self) -> None:
        """A Caddy that is new enough, and the built shell."""
        caddy(self._layout)
        if not (self._layout.shell / "index.html").is_file():
            raise MissingPackage(
                f"The shell is not built: {self._layout.shell / 'index.html'} is missing.",
                "Run `local/install.sh`.",
            )

    def prepare(self) -> None:
        """Its folder."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def settle(self, tick: Tick) -> None:
        """It serves the shell and reaches both services. With TLS: it accepts connections."""
        if self._layout.tls:
            wait(self.title, self._accepts_tls, tick)
            return
        for path, accept in (("/", "text/html"), ("/api/users/csrf", "*/*"), ("/api/orders/products", "*/*")):
            wait(self.title, answers(self._layout.url(self._port) + path, accept=accept), tick)

    def _accepts_tls(self) -> str | None:
        context = ssl.create_default_context(cafile=str(Secrets(self._layout).certificate))
        try:
            with (
                socket.create_connection((HOST, self._port), timeout=2) as plain,
                context.wrap_socket(plain, server_hostname=HOST),
            ):
                return None
        except OSError as fault:
            return str(fault)

    def _environment(self) -> Mapping[str, str]:
        layout, secrets, ports = self._layout, Secrets(self._layout), self._layout.ports
        return {
            "EDGE_SITE": f"{'https' if layout.tls else 'http'}://:{self._port}",
            "EDGE_BIND": HOST,
            "EDGE_METRICS_PORT": str(ports.edge_metrics),
            "EDGE_TLS": f"tls {secrets.certificate} {secrets.certificate_key}" if layout.tls else "",
            "EDGE_FILES": str(layout.shell),
            "USERS_ADDR": f"{HOST}:{ports.users}",
            "ORDERS_ADDR": f"{HOST}:{ports.orders}",
            "TRACES_ADDR": f"{HOST}:{ports.traces}",
            "XDG_DATA_HOME": str(self._folder),
            "XDG_CONFIG_HOME": str(self._folder),
            "OTEL_SERVICE_NAME": "edge",
            "OTEL_EXPORTER_OTLP_ENDPOINT": layout.url(ports.traces),
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_METRICS_EXPORTER": "none",
            # Else a dead trace store delays the stop.
            "OTEL_EXPORTER_OTLP_TIMEOUT": "1000",
            "OTEL_BSP_EXPORT_TIMEOUT": "1000",
            "OTEL_BSP_SCHEDULE_DELAY": "500",
        }


def caddy(layout: Layout) -> Path:
    """The PATH's Caddy if it is new enough, else the pinned one of our environment."""
    beside_python = layout.python.parent / "caddy"
    for candidate in (shutil.which("caddy"), str(beside_python)):
        if candidate and Path(candidate).is_file() and version(Path(candidate)) >= OLDEST:
            return Path(candidate)
    wanted = ".".join(str(number) for number in OLDEST)
    raise MissingPackage(f"Caddy {wanted} or newer is missing.", "Run `local/install.sh`.")


def version(program: Path) -> tuple[int, ...]:
    """Of a Caddy program; (0,) when it does not say."""
    try:
        said = subprocess.run(
            [str(program), "version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    found = re.match(r"v?(\d+)\.(\d+)", said)
    return tuple(int(number) for number in found.groups()) if found else (0,)
