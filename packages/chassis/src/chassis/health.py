"""Whether a worker lives and is ready, and what it depends on.

Ready means: each dependency has answered once since start, and the worker is not draining. A dependency that
is lost later does not make it unready: all replicas lose Redis together, and an empty Service helps nobody.
The loss shows in the body and in ``service_dependency_up``.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import Gauge

from chassis import metrics as chassis_metrics
from chassis.problems import wsgi_problem
from chassis.traces import untraced

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Check = Callable[[], object]
INTERVAL = 2.0
CAP = 1.0

_log = structlog.get_logger(__name__)

# The worst of the live workers: one that cannot reach the database is not hidden by one that can.
READY = Gauge("service_ready", "1 when every worker is ready.", multiprocess_mode="livemin")
DEPENDENCY_UP = Gauge(
    "service_dependency_up",
    "1 when the dependency answered the last check of every worker.",
    ("dependency",),
    multiprocess_mode="livemin",
)


@dataclass
class _State:
    answered: bool = False  # once, ever
    up: bool = False
    error: str | None = None
    started: float | None = None  # of the check under way


@dataclass(frozen=True)
class Dependency:
    """What is known of a dependency. ``error`` names the kind of fault, never a value."""

    up: bool
    answered: bool
    error: str | None


@dataclass(frozen=True)
class Report:
    """The health of this worker at one moment. ``status``: ``starting``, ``ready`` or ``draining``."""

    status: str
    dependencies: Mapping[str, Dependency]

    @property
    def ready(self) -> bool:
        """Whether requests should be sent here."""
        return self.status == "ready"


class Health:
    """Runs checks in the background, each on a thread of its own, and tells what they found.

    A check raises when its dependency is not well; what it returns does not matter. It gets ``cap`` seconds:
    then the dependency counts as down, whether or not the check ever comes back. It runs every ``interval``
    seconds, always on the same thread, outside any trace; it must give back what it takes (a Django check
    calls ``connection.close()``).
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        *,
        interval: float = INTERVAL,
        cap: float = CAP,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checks = dict(checks)
        self._interval = interval
        self._cap = cap
        self._clock = clock
        self._lock = threading.Lock()
        self._states = {name: _State() for name in self._checks}
        self._stopping = threading.Event()
        self._draining = False
        self._started = False

    def start(self) -> None:
        """Begin to check. Call it after the fork; a second call does nothing."""
        with self._lock:
            if self._started:
                return
            self._started = True
        for name, check in self._checks.items():
            threading.Thread(
                target=self._watch, args=(name, check), name=f"health-{name}", daemon=True
            ).start()
        threading.Thread(target=self._publish, name="health-gauges", daemon=True).start()

    def drain(self) -> None:
        """Answer "not ready" from now on. Takes no lock: it is called in a signal handler."""
        self._draining = True

    def stop(self) -> None:
        """Check no more. Returns at once; a check under way is left to itself."""
        self._draining = True
        self._stopping.set()

    def report(self) -> Report:
        """Return what is known now. Never waits for a dependency."""
        now = self._clock()
        with self._lock:
            dependencies = {name: self._dependency(state, now) for name, state in self._states.items()}
        if self._draining:
            status = "draining"
        elif all(dependency.answered for dependency in dependencies.values()):
            status = "ready"
        else:
            status = "starting"
        return Report(status, dependencies)

    def _dependency(self, state: _State, now: float) -> Dependency:
        if state.started is not None and now - state.started > self._cap:
            return Dependency(up=False, answered=state.answered, error=f"no answer within {self._cap:g} s")
        return Dependency(up=state.up, answered=state.answered, error=state.error)

    def _watch(self, name: str, check: Check) -> None:
        while not self._stopping.is_set():
            self.check(name, check)
            self._stopping.wait(self._interval)

    def check(self, name: str, check: Check) -> None:
        """Run one check now and keep what it found."""
        state = self._states[name]
        started = self._clock()
        with self._lock:
            state.started = started
        error: str | None = None
        try:
            with untraced():
                check()
        except Exception as caught:
            error = type(caught).__name__
        if error is None and self._clock() - started > self._cap:
            error = f"no answer within {self._cap:g} s"
        with self._lock:
            changed = (state.up, state.error) != (error is None, error)
            state.started = None
            state.up = error is None
            state.error = error
            state.answered = state.answered or error is None
        if changed:
            self._tell(name, error)

    def _tell(self, name: str, error: str | None) -> None:
        if error is None:
            _log.info("dependency_up", dependency=name)
        else:
            _log.warning("dependency_down", dependency=name, error=error)

    def _publish(self) -> None:
        while True:
            self.publish()
            if self._stopping.wait(min(self._interval, 1.0)):
                break
        self.publish()

    def publish(self) -> None:
        """Set the gauges to what is known now."""
        report = self.report()
        READY.set(report.ready)
        for name, dependency in report.dependencies.items():
            DEPENDENCY_UP.labels(name).set(dependency.up)


class HealthEndpoints:
    """Answers ``/livez``, ``/readyz`` and ``/metrics`` in front of an application, without any of its work.

    No session, no trace, no framework: they answer while everything else is down. ``metrics`` returns body
    and content type; pass ``functools.partial(metrics.exposition, [collector])`` for collectors of your own.
    """

    def __init__(
        self,
        app: WSGIApplication,
        health: Health,
        metrics: Callable[[], tuple[bytes, str]] = chassis_metrics.exposition,
    ) -> None:
        self._app = app
        self._health = health
        self._metrics = metrics

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = {"/livez": self._live, "/readyz": self._ready, "/metrics": self._measure}.get(
            environ.get("PATH_INFO", "")
        )
        if answer is None:
            return self._app(environ, start_response)
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return wsgi_problem(start_response, 405, "Use GET.", headers=[("Allow", "GET, HEAD")])
        status, content_type, body = answer()
        headers = [
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        start_response(status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _live(self) -> tuple[str, str, bytes]:
        return "200 OK", "application/json", b'{"status": "live"}'

    def _ready(self) -> tuple[str, str, bytes]:
        report = self._health.report()
        dependencies: dict[str, Any] = {}
        for name, dependency in report.dependencies.items():
            dependencies[name] = {"up": dependency.up}
            if dependency.error is not None:
                dependencies[name]["error"] = dependency.error
        body = json.dumps({"status": report.status, "dependencies": dependencies}).encode()
        return "200 OK" if report.ready else "503 Service Unavailable", "application/json", body

    def _measure(self) -> tuple[str, str, bytes]:
        body, content_type = self._metrics()
        return "200 OK", content_type, body
