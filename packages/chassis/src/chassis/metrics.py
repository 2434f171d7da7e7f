"""Prometheus metrics of a service that runs as several processes, and the duration of its HTTP requests.

prometheus-client keeps the values of each process in files of ``PROMETHEUS_MULTIPROC_DIR``; the variable must
be in the environment before this module is imported. Without it (in a test) the process's registry is used.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# A framework may put the template of the route here, e.g. "/api/orders/products/{sku}".
ROUTE = "chassis.route"
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"))
Route = Callable[["WSGIEnvironment"], str | None]

_log = structlog.get_logger(__name__)

# Name, labels and buckets: OpenTelemetry's semantic conventions for HTTP metrics, in Prometheus' spelling.
REQUEST_DURATION = Histogram(
    "http_server_request_duration_seconds",
    "Duration of HTTP requests, from the first byte read to the last written.",
    ("http_request_method", "http_route", "http_response_status_code"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
)


def make_directory(directory: Path) -> None:
    """Make the directory of the metric files. Call it before any metric is defined; it may exist."""
    directory.mkdir(parents=True, exist_ok=True)


def wipe(directory: Path, *, keep: int | None = None) -> None:
    """Delete what an earlier run left. Call it in the process that forks the workers, before it does.

    ``keep``: the files of a process that forks none and has defined its metrics: its own ID.
    """
    make_directory(directory)
    for path in directory.glob("*.db"):
        if keep is None or not path.stem.endswith(f"_{keep}"):
            path.unlink(missing_ok=True)


def forget_process(directory: Path, pid: int) -> None:
    """Drop the live gauges of a process that is gone. Its counters and histograms stay: they happened."""
    multiprocess.mark_process_dead(pid, path=str(directory))  # type: ignore[no-untyped-call]


def exposition(extra: Iterable[Collector] = ()) -> tuple[bytes, str]:
    """Return the metrics of all processes in Prometheus' text format, and its content type.

    ``extra`` collectors are asked now and in this process. One that fails is logged and left out: the metrics
    that explain an outage must not disappear with it.
    """
    registry = CollectorRegistry(auto_describe=False)
    if directory := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.MultiProcessCollector(registry, path=directory)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    for collector in extra:
        registry.register(_Guarded(collector))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Guarded(Collector):
    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        try:
            return list(self._collector.collect())
        except Exception as error:
            _log.warning(
                "collector_failed", collector=type(self._collector).__name__, error=type(error).__name__
            )
            return ()


def recorded_route(environ: WSGIEnvironment) -> str | None:
    """Return the template that the framework left in the environ under ``ROUTE``."""
    route = environ.get(ROUTE)
    return route if isinstance(route, str) else None


class HTTPMetrics:
    """Measures each request of an application by the template of its route, never by its path.

    ``route`` is asked when the answer starts, so the framework has resolved it by then. A request without a
    route counts as ``other``, an unknown method as ``_OTHER``: a client cannot make new series.
    """

    def __init__(
        self,
        app: WSGIApplication,
        route: Route = recorded_route,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._app = app
        self._route = route
        self._clock = clock

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started = self._clock()
        status = "500"

        def record_status(line: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal status
            status = line[:3]
            return start_response(line, headers, exc_info)

        def finish() -> None:
            method = environ.get("REQUEST_METHOD", "")
            REQUEST_DURATION.labels(
                method if method in _METHODS else "_OTHER", self._route(environ) or "other", status
            ).observe(self._clock() - started)

        try:
            body = self._app(environ, record_status)
        except BaseException:
            finish()
            raise
        return _Body(body, finish)


class _Body:
    """An answer's body that says when the last of it was taken: the server always calls ``close``."""

    def __init__(self, body: Iterable[bytes], finish: Callable[[], None]) -> None:
        self._body = body
        self._finish = finish

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        try:
            if hasattr(self._body, "close"):
                self._body.close()
        finally:
            self._finish()
