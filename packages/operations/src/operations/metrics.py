"""What the manager says to Prometheus, and to the kubelet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from .describe import lacking
from .observed import Observed
from .wanted import Wanted


class Metrics:
    """A registry of its own: nothing but these."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        gauge, counter = self._gauge, self._counter
        self.together = gauge(
            "redis_shards_on_one_node", "Shards all of whose pods are on one Kubernetes node."
        )
        self.lacking = gauge(
            "redis_shards_lacking_replicas", "Shards with fewer replicas in step than wanted."
        )
        self.unserved = gauge(
            "redis_slots_unserved", "Slots whose primary did not answer, or that have none."
        )
        self.answering = gauge("redis_pods_answering", "Pods of the cluster that answered.")
        self.silent = gauge("redis_pods_silent", "Wanted pods that did not answer, or are loading.")
        self.primaries = gauge("redis_primaries", "Primaries with slots.")
        self.wanted = gauge("redis_primaries_wanted", "Primaries that the manager works towards.")
        self.converged = gauge("redis_manager_converged", "1: the cluster is as wanted.")
        self.looked = gauge("redis_manager_last_look_timestamp_seconds", "When all pods were asked last.")
        self.steps = counter("redis_manager_steps", "Steps done.", "step")
        self.failed = counter("redis_manager_steps_failed", "Steps that a node refused.", "step")
        self.lost = Counter(
            "redis_slots_lost", "Slots given out again after their data was lost.", registry=registry
        )

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry)

    def _counter(self, name: str, text: str, label: str) -> Counter:
        return Counter(name, text, [label], registry=self.registry)

    def show(self, observed: Observed, wanted: Wanted, *, converged: bool, now: float) -> None:
        """``now``: seconds since the epoch."""
        self.together.set(observed.shards_on_one_node)
        self.lacking.set(lacking(observed, wanted))
        self.unserved.set(wanted.slots - len(observed.served))
        self.answering.set(len(observed.members))
        self.silent.set(len(observed.silent))
        self.primaries.set(len(observed.primaries))
        self.wanted.set(wanted.primaries)
        self.converged.set(converged)
        self.looked.set(now)


class Health:
    """``/livez``: the loop goes round. ``/readyz``: every slot was served once since the start."""

    def __init__(self, clock: Callable[[], float], *, patience_seconds: float = 60.0) -> None:
        self._clock = clock
        self._patience = patience_seconds
        self._turned = clock()
        self._formed = False

    def turn(self, *, served: bool) -> None:
        self._turned = self._clock()
        self._formed = self._formed or served

    @property
    def alive(self) -> bool:
        return self._clock() - self._turned < self._patience

    @property
    def ready(self) -> bool:
        return self._formed and self.alive


def serve(bind: tuple[str, int], metrics: Metrics, health: Health) -> ThreadingHTTPServer:
    """Answers in threads of its own until ``shutdown``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                return self._answer(200, generate_latest(metrics.registry), CONTENT_TYPE_LATEST)
            checks = {"/livez": health.alive, "/readyz": health.ready}
            if self.path not in checks:
                return self._answer(404, b"not found\n")
            good = checks[self.path]
            return self._answer(200 if good else 503, b"ok\n" if good else b"not yet\n")

        def _answer(self, status: int, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes would fill the log."""

    server = ThreadingHTTPServer(bind, Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    return server
