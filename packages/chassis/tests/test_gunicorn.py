"""The chassis as a service runs it: a real gunicorn with two workers, a real collector for its spans."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SERVED = Path(__file__).parent / "served"


@dataclass
class Collector:
    """Keeps the names and resource of spans that were exported to it."""

    port: int = 0
    names: list[str] = field(default_factory=list)
    services: set[str] = field(default_factory=set)

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.services |= {
                a.value.string_value for a in resource.resource.attributes if a.key == "service.name"
            }
            self.names += [span.name for scope in resource.scope_spans for span in scope.spans]


@pytest.fixture
def collector() -> Iterator[Collector]:
    kept = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Service:
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    events: Path

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers=(headers or {}) | {"Connection": "close"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def wait_ready(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if self.get("/readyz")[0] == 200:
                    return
            except OSError:
                pass
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def pids(self) -> set[int]:
        """The workers: asks until both have answered."""
        seen: set[int] = set()
        deadline = time.monotonic() + 15
        while len(seen) < 2 and time.monotonic() < deadline:
            seen.add(int(self.get("/pid")[1].split()[0]))
        assert len(seen) == 2
        return seen

    def counted(self) -> float:
        text = self.get("/metrics")[1]
        found = re.search(r'request_duration_seconds_count\{[^}]*http_route="/pid"[^}]*\} (\S+)', text)
        return float(found[1]) if found else 0

    def wait_counted(self) -> float:
        """Wait until each request that was answered is counted: the client has its answer a moment earlier."""
        deadline = time.monotonic() + 5
        while (counted := self.counted()) != (asked := self.asked()):
            assert time.monotonic() < deadline, f"{counted} counted of {asked} asked"
        return counted

    def asked(self) -> int:
        return sum(1 for line in self.lines() if line.get("path") == "/pid")

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=30)


@pytest.fixture
def service(environment: dict[str, str], collector: Collector, tmp_path: Path) -> Iterator[Service]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log"
    events = tmp_path / "events"
    metrics = Path(environment["PROMETHEUS_MULTIPROC_DIR"])
    metrics.mkdir()
    (metrics / "counter_1.db").write_bytes(b"left by an earlier run")
    variables = environment | {
        "BIND": f"127.0.0.1:{port}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
        "OTEL_SERVICE_NAME": "served-in-traces",
        "SERVED_EVENTS": str(events),
        "THREADS": "2",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "served:application"],
            cwd=SERVED,
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"} | variables,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    running = Service(process, port, log, events)
    try:
        running.wait_ready()
        yield running
    finally:
        running.stop()


def test_metrics_survive_the_killing_of_a_worker(service: Service) -> None:
    pids = service.pids()
    before = service.wait_counted()
    assert before >= 2
    victim = pids.pop()
    os.kill(victim, signal.SIGKILL)
    replaced = pids
    deadline = time.monotonic() + 20
    while victim in replaced or len(replaced) < 2:
        assert time.monotonic() < deadline
        replaced = service.pids()
    assert service.wait_counted() > before
    # The dead worker's opinion is gone, its counts are not.
    gauges = Path(service.log.parent / "metrics").glob("gauge_livemin_*.db")
    assert {int(path.stem.rpartition("_")[2]) for path in gauges} == replaced


def test_a_stop_answers_the_request_under_way_then_closes_pools_and_sends_spans(
    service: Service, collector: Collector
) -> None:
    answers: list[tuple[int, str]] = []
    thread = threading.Thread(target=lambda: answers.append(service.get("/slow")))
    thread.start()
    time.sleep(0.5)
    assert service.stop() == 0
    thread.join()
    assert answers[0][0] == 200
    assert "GET /slow" in collector.names
    assert collector.services == {"served-in-traces"}
    pid = answers[0][1].split()[0]
    mine = [
        line.partition(" ")[2] for line in service.events.read_text().splitlines() if line.startswith(pid)
    ]
    assert mine == ["drain", "pool closed"]


def test_a_stop_while_a_worker_still_starts_does_not_wait_for_the_grace(service: Service) -> None:
    victim = service.pids().pop()
    os.kill(victim, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while service.log.read_text().count("Booting worker") < 3:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    started = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - started < 10


def test_a_draining_worker_says_so_on_a_connection_it_still_has(service: Service) -> None:
    # Both threads of both workers are not needed: a kept connection belongs to one worker.
    kept = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    kept.request("GET", "/readyz")
    first = kept.getresponse()
    assert (first.status, first.read() != b"") == (200, True)
    slow = threading.Thread(target=service.get, args=("/slow",))
    slow.start()
    time.sleep(0.3)
    service.process.terminate()
    time.sleep(0.3)
    kept.request("GET", "/readyz")
    second = kept.getresponse()
    assert (second.status, json.loads(second.read())["status"]) == (503, "draining")
    kept.close()
    slow.join()
    assert service.stop() == 0


def test_logs_are_json_and_an_access_line_has_trace_and_session_id_but_no_query(service: Service) -> None:
    _, body = service.get("/pid?id1", {"X-Forwarded-For": "203.0.113.9", "Cookie": "c=secretcookie"})
    assert body.endswith(" 203.0.113.9")
    service.get("/livez")
    service.stop()
    lines = service.lines()
    access = next(line for line in lines if line.get("path") == "/pid")
    assert access["session.id"] == "id1"
    assert len(access["trace_id"]) == 32
    assert access["client_address"] == "203.0.113.9"
    assert (access["method"], access["status"], access["service"]) == ("GET", 200, "served")
    probe = next(line for line in lines if line.get("path") == "/livez")
    assert "trace_id" not in probe
    assert "id1" not in json.dumps([line["event"] for line in lines])
    assert "secretcookie" not in service.log.read_text()
    assert any("Listening at" in line["event"] for line in lines)


def test_what_an_earlier_run_left_is_wiped(service: Service, environment: dict[str, str]) -> None:
    assert not (Path(environment["PROMETHEUS_MULTIPROC_DIR"]) / "counter_1.db").exists()
