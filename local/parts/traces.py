"""The trace store: takes OTLP, answers Jaeger's query API, and shows a trace on a page."""

from collections.abc import Sequence

from local.layout import Layout
from local.parts.part import OnePort
from local.readiness import Tick, answers, wait
from local.supervisor import Program


class Traces(OnePort):
    """The traces."""

    title = "trace store"

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout, port=layout.ports.traces, folder="traces")

    @property
    def programs(self) -> Sequence[Program]:
        """`python -m local.traces`, from the checkout."""
        database = str(self._folder / "traces.sqlite")
        return [
            Program(
                name="traces",
                command=[
                    *(str(self._layout.python), "-m", "local.traces"),
                    *("--bind", self.address, "--database", database),
                ],
                directory=self._layout.root,
                stop_seconds=10,
            )
        ]

    def require(self) -> None:
        """Nothing besides our environment."""

    def prepare(self) -> None:
        """Its folder."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def settle(self, tick: Tick) -> None:
        """It takes spans."""
        wait(self.title, answers(f"{self._layout.url(self._port)}/livez"), tick)
