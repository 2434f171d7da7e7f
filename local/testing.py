"""pytest fixtures: the running platform, its traces, its metrics, and the ways to break it.

Loaded by `pytest_plugins = ["local.testing"]` or `-p local.testing`. Everything runs on free ports with a
state folder of its own, so it works beside `make up`, and is stopped at the end of the session.
"""

import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local import layout as layouts
from local.layout import HOST
from local.platform import Platform

ROOT = Path(__file__).resolve().parent.parent
KEEP = "POLYSESSION_TEST_KEEP"
"""Set: the state folder of the tests, logs included, is kept and named."""


class TraceStore:
    """Asks the trace store by Jaeger's query API."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, trace_id: str) -> dict[str, Any] | None:
        """The trace as Jaeger's JSON has it; none when there is no span of it."""
        answer = httpx.get(f"{self.url}/api/traces/{trace_id}", trust_env=False, timeout=10)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["data"]
        return found[0] if found else None

    def wait(
        self, trace_id: str, whole: Callable[[dict[str, Any]], bool], *, seconds: float = 15
    ) -> dict[str, Any]:
        """The trace as soon as it satisfies the condition; services send their spans each half second."""
        deadline = time.monotonic() + seconds
        while (trace := self.get(trace_id)) is None or not whole(trace):
            if time.monotonic() > deadline:
                seen = sorted(span["operationName"] for span in trace["spans"]) if trace else "nothing"
                raise AssertionError(f"trace {trace_id} did not become as awaited; seen: {seen}")
            time.sleep(0.1)
        return trace


class PrometheusAPI:
    """Asks Prometheus."""

    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """An instant query's result: labels and value of each series."""
        answer = httpx.get(
            f"{self.url}/api/v1/query", params={"query": expression}, trust_env=False, timeout=10
        )
        answer.raise_for_status()
        return [(row["metric"], float(row["value"][1])) for row in answer.json()["data"]["result"]]

    def value(self, expression: str) -> float:
        """The one value of an expression; 0 when there is no series yet."""
        rows = self.query(expression)
        if len(rows) > 1:
            raise AssertionError(f"{expression} has {len(rows)} series: aggregate it")
        return rows[0][1] if rows else 0.0

    def wait(self, expression: str, *, until: Callable[[float], bool], seconds: float = 15) -> float:
        """The value once it satisfies the condition; scrapes come each 2 s."""
        deadline = time.monotonic() + seconds
        while not until(value := self.value(expression)):
            if time.monotonic() > deadline:
                raise AssertionError(f"{expression} is {value}, not as awaited")
            time.sleep(0.25)
        return value


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """Everything, ready. Its layout names each part's port."""
    with running() as started:
        yield started


class running:  # noqa: N801 - used like a function, as contextlib's own are
    """A whole platform of its own for a `with` block; `tls=True` serves it by https."""

    def __init__(self, *, tls: bool = False) -> None:
        self._tls = tls

    def __enter__(self) -> Platform:
        state = Path(tempfile.mkdtemp(prefix="polysession-test-", dir="/var/tmp"))
        self._platform = Platform(layouts.for_tests(ROOT, state, choose=random.SystemRandom(), tls=self._tls))
        try:
            self._platform.start()
        except BaseException:
            self._clean_up()
            raise
        return self._platform

    def __exit__(self, *_: object) -> None:
        self._platform.stop()
        self._clean_up()

    def _clean_up(self) -> None:
        state = self._platform.layout.state
        if os.environ.get(KEEP):
            print(f"kept: {state}")
        else:
            shutil.rmtree(state)


@pytest.fixture(scope="session")
def edge_url(platform: Platform) -> str:
    """The origin that browsers use."""
    return platform.layout.public_url


@pytest.fixture(scope="session")
def traces(platform: Platform) -> TraceStore:
    """The trace store."""
    return TraceStore(platform.layout.url(platform.layout.ports.traces))


@pytest.fixture(scope="session")
def prometheus(platform: Platform) -> PrometheusAPI:
    """Prometheus."""
    return PrometheusAPI(platform.layout.url(platform.layout.ports.prometheus))


@pytest.fixture(scope="session")
def redis_nodes(platform: Platform) -> list[tuple[str, int]]:
    """Host and port of each Redis node."""
    return [(HOST, port) for port in platform.layout.ports.redis]


@pytest.fixture(scope="session")
def redis_programs(redis_nodes: list[tuple[str, int]]) -> list[str]:
    """The program of each Redis node, in the same order."""
    return [f"redis-{number}" for number in range(1, len(redis_nodes) + 1)]


@pytest.fixture
def kill(platform: Platform) -> Iterator[Callable[..., None]]:
    """`kill("redis-1")`, `kill("users", "TERM")`; whatever does not run after the test is started again."""
    yield platform.kill
    platform.start()


@pytest.fixture
def start(platform: Platform) -> Callable[[str], None]:
    """`start("redis-1")`: starts a program that was killed and waits until its part is ready."""
    return platform.start_program
