"""Prometheus: it scrapes the edge and both services every 2 s and keeps a day."""

from collections.abc import Sequence
from pathlib import Path
from string import Template

from local.layout import HOST, Layout
from local.parts.part import OnePort, program_path
from local.readiness import Tick, answers, wait
from local.supervisor import Program

_TEMPLATE = Path(__file__).parent.parent / "prometheus.yml"


class Prometheus(OnePort):
    """The metrics."""

    title = "Prometheus"

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout, port=layout.ports.prometheus, folder="prometheus")

    @property
    def programs(self) -> Sequence[Program]:
        """Prometheus."""
        return [
            Program(
                name="prometheus",
                command=[
                    str(program_path("prometheus", "prometheus")),
                    f"--config.file={self._folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={self._folder / 'data'}",
                    "--storage.tsdb.retention.time=1d",
                    f"--web.listen-address={HOST}:{self._port}",
                ],
                directory=self._folder,
            )
        ]

    def require(self) -> None:
        """Debian's prometheus."""
        program_path("prometheus", "prometheus")

    def prepare(self) -> None:
        """Its configuration."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ports = self._layout.ports
        text = Template(_TEMPLATE.read_text()).substitute(
            edge=f"{HOST}:{ports.edge_metrics}",
            users=f"{HOST}:{ports.users}",
            orders=f"{HOST}:{ports.orders}",
        )
        (self._folder / "prometheus.yml").write_text(text)

    def settle(self, tick: Tick) -> None:
        """It has read its data and serves."""
        wait(self.title, answers(f"{self._layout.url(self._port)}/-/ready"), tick)
