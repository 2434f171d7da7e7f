"""Prometheus: counters, store latency, live sessions; the names of ``docs/configuration.md``.

Safe in several processes (``PROMETHEUS_MULTIPROC_DIR``, set before this module is imported): each metric is
defined once a process and registry. Every label value is there from the start, so that the first increase
is a rate.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from threading import Lock
from types import TracebackType
from typing import get_args
from weakref import WeakKeyDictionary

from ..core.errors import StoreUnavailable
from ..core.events import ConflictOutcome, Events, KeysOutcome, MigrationOutcome, RotationCause, Validation
from ..core.manager import SessionManager
from ..core.record import END_REASONS, EndReason, Kind
from ..extras import extra

with extra("prometheus", "prometheus_client"):
    from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
    from prometheus_client.metrics_core import GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector

# Around the deadline of one operation, 250 ms, and well below it: a healthy one takes about 1 ms.
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
KINDS = {Kind.ANONYMOUS: "anonymous", Kind.SIGNED_IN: "signed_in"}


class _Metrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.created = Counter(
            "polysession_sessions_created", "Sessions created.", ("kind",), registry=registry
        )
        self.ended = Counter(
            "polysession_sessions_ended",
            "Sessions ended, each once, by the process that did it.",
            ("reason",),
            registry=registry,
        )
        self.validated = Counter(
            "polysession_sessions_validated",
            "Requests whose session token was judged.",
            ("result",),
            registry=registry,
        )
        self.conflicts = Counter(
            "polysession_conflicts",
            "Attributes that two requests wrote at once.",
            ("outcome",),
            registry=registry,
        )
        self.keys = Counter(
            "polysession_keys_read",
            "Times that changed key files were taken, or refused for a fault.",
            ("outcome",),
            registry=registry,
        )
        self.rotated = Counter(
            "polysession_sessions_rotated",
            "New secrets of sessions, by age (drawn) or privilege change.",
            ("cause",),
            registry=registry,
        )
        self.migrated = Counter(
            "polysession_sessions_migrated",
            "Old sessions of another library that came along, and old cookies that led to none.",
            ("outcome",),
            registry=registry,
        )
        self.duration = Histogram(
            "polysession_store_operation_duration_seconds",
            "Duration of one store operation, redirects and retries included.",
            ("operation", "outcome"),
            buckets=BUCKETS,
            registry=registry,
        )
        self.skew = Gauge(
            "polysession_store_clock_skew_seconds",
            "The store's clock minus ours, at its last reply.",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        for kind in KINDS.values():
            self.created.labels(kind)
        for reason in END_REASONS:
            self.ended.labels(reason)
        for result in get_args(Validation):
            self.validated.labels(result)
        for outcome in get_args(ConflictOutcome):
            self.conflicts.labels(outcome)
        for cause in get_args(RotationCause):
            self.rotated.labels(cause)
        for migration in get_args(MigrationOutcome):
            self.migrated.labels(migration)
        for keys_outcome in get_args(KeysOutcome):
            self.keys.labels(keys_outcome)


_defined: WeakKeyDictionary[CollectorRegistry, _Metrics] = WeakKeyDictionary()
_lock = Lock()


def _metrics(registry: CollectorRegistry) -> _Metrics:
    with _lock:
        if registry not in _defined:
            _defined[registry] = _Metrics(registry)
        return _defined[registry]


class PrometheusEvents(Events):
    """Counts what the library tells. Any number of them in one process share their metrics."""

    def __init__(
        self,
        registry: CollectorRegistry = REGISTRY,
        *,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._metrics = _metrics(registry)
        self._timer = timer
        # Looked up once: at each request, a label costs more than what it counts.
        self._validated = {one: self._metrics.validated.labels(one) for one in get_args(Validation)}
        self._answered: dict[str, Histogram] = {}

    def created(self, kind: Kind) -> None:
        self._metrics.created.labels(KINDS[kind]).inc()

    def ended(self, reason: EndReason) -> None:
        self._metrics.ended.labels(reason).inc()

    def validated(self, result: Validation) -> None:
        self._validated[result].inc()

    def conflict(self, outcome: ConflictOutcome) -> None:
        self._metrics.conflicts.labels(outcome).inc()

    def keys_read(self, outcome: KeysOutcome) -> None:
        self._metrics.keys.labels(outcome).inc()

    def rotated(self, cause: RotationCause) -> None:
        self._metrics.rotated.labels(cause).inc()

    def migrated(self, outcome: MigrationOutcome) -> None:
        self._metrics.migrated.labels(outcome).inc()

    def clock_skew(self, seconds: float) -> None:
        self._metrics.skew.set(seconds)

    def operation(self, name: str, attributes: Mapping[str, str | int]) -> AbstractContextManager[None]:  # noqa: ARG002
        answered = self._answered.get(name)
        if answered is None:
            answered = self._answered[name] = self._metrics.duration.labels(name, "ok")
        return _Timed(self._timer, answered, partial(self._metrics.duration.labels, name, "unavailable"))


class _Timed:
    """``unavailable``: no answer in time. Any other error is a fault of the program and is not measured. (No generator:
    it costs 2 µs more.)
    """

    __slots__ = ("_answered", "_started", "_timer", "_unavailable")

    def __init__(
        self, timer: Callable[[], float], answered: Histogram, unavailable: Callable[[], Histogram]
    ) -> None:
        self._timer, self._answered, self._unavailable = timer, answered, unavailable

    def __enter__(self) -> None:
        self._started = self._timer()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        took = self._timer() - self._started
        if kind is None:
            self._answered.observe(took)
        elif issubclass(kind, StoreUnavailable):
            self._unavailable().observe(took)


class LiveSessions(Collector):
    """``polysession_sessions_live``: asks the whole store at each scrape, so use it in one process only,
    and query it with ``max``. A store that gives no answer gives no sample: a gap is true, a zero would be
    a lie.
    """

    def __init__(self, manager: SessionManager) -> None:
        self._manager = manager

    def describe(self) -> Iterable[Metric]:
        return [self._family()]

    def collect(self) -> Iterable[Metric]:
        try:
            count = self._manager.count()
        except StoreUnavailable:
            return []
        family = self._family()
        family.add_metric((), count)
        return [family]

    def _family(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(
            "polysession_sessions_live", "Unexpired sessions of the whole cluster: query with max.", labels=()
        )
