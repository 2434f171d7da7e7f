"""The service as it is deployed: gunicorn, the Redis Cluster, PostgreSQL, a users service, a collector of spans."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from polysession import SessionManager, connect
from prometheus_client.parser import text_string_to_metric_families

FOLDER = Path(__file__).parent.parent
COOKIE = "__Host-session"
SOON = 20


@dataclass
class Span:
    name: str
    trace_id: str
    attributes: dict[str, Any]


@dataclass
class Collector:
    """OTLP over HTTP. Spans arrive late; ``wait`` for them."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    attributes = {one.key: one.value.string_value for one in span.attributes}
                    self.spans.append(Span(span.name, span.trace_id.hex(), attributes))

    def wait(self, trace_id: str, *, number: int) -> list[Span]:
        """All spans of a trace, once there are ``number``."""
        until = time.monotonic() + SOON
        while time.monotonic() < until:
            found = [span for span in self.spans if span.trace_id == trace_id]
            if len(found) >= number:
                return found
            time.sleep(0.05)
        raise AssertionError(f"{len(found)} of {number} spans: {[span.name for span in found]}")


@pytest.fixture
def collector(serve) -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with serve(Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield collector


@dataclass
class Service:
    process: subprocess.Popen[bytes]
    http: httpx.Client
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def wait_ready(self) -> None:
        until = time.monotonic() + SOON
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if self.http.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(self.log.read_text()[-3000:])


@pytest.fixture
def prefix() -> str:
    return f"test-{secrets.token_hex(6)}"


@pytest.fixture
def nodes() -> str:
    nodes = os.environ.get("TEST_REDIS_NODES")
    if not nodes:
        pytest.fail("TEST_REDIS_NODES is not set: run the tests with `make test ONLY=orders`, which sets it.")
    return nodes


@pytest.fixture
def cluster(nodes, prefix, keys) -> Iterator[SessionManager]:
    """The sessions of the service under test, as another service sees them."""
    manager = connect(nodes, keys / "sessions", prefix=prefix)
    yield manager
    manager.close()


@pytest.fixture
def start(make_config, users, collector, nodes, prefix, tmp_path) -> Iterator[Any]:
    services: list[Service] = []

    def start(*, ready: bool = True, **changes: str) -> Service:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            bind = f"127.0.0.1:{probe.getsockname()[1]}"
        config = make_config()
        settings = {
            "PUBLIC_URL": config.public_url,
            "BIND": bind,
            "DATABASE_URL": config.database_url,
            "DATABASE_PASSWORD_FILE": str(config.database_password_file),
            "REDIS_NODES": nodes,
            "SESSION_KEYS_DIR": str(config.session_keys_dir),
            "SESSION_PREFIX": prefix,
            "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
            "USERS_URL": users.url,
            "ASSERTION_PRIVATE_KEY_FILE": str(config.assertion_private_key_file),
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "WORKERS": "1",
            "BODY_LIMIT_BYTES": "4096",
            **changes,
        }
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        log = tmp_path / f"log-{len(services)}"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "orders.wsgi:application"],
                cwd=FOLDER,
                env={**inherited, **settings},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        http = httpx.Client(base_url=f"http://{bind}", trust_env=False, timeout=SOON)
        services.append(Service(process, http, log))
        if ready:
            services[-1].wait_ready()
        return services[-1]

    yield start
    for service in services:
        service.http.close()
        if service.process.poll() is None:
            service.process.send_signal(signal.SIGTERM)
            service.process.wait(30)


class Customer:
    """Signed in, on the service under test. Each request is a trace of its own."""

    def __init__(self, service: Service, cluster: SessionManager, principal: str) -> None:
        session = cluster.open(None)
        session.sign_in(principal, generation=1)
        session.commit()
        assert session.cookie is not None
        self.session_id = session.id
        self.token = session.cookie.value
        self.csrf = session.csrf_token(None)[0]
        self.http = service.http

    def ask(self, method: str, path: str, **options: Any) -> tuple[httpx.Response, str]:
        trace_id = secrets.token_hex(16)
        headers = {
            "Cookie": f"{COOKIE}={self.token}",
            "X-CSRF-Token": self.csrf,
            "Idempotency-Key": secrets.token_hex(8),
            "traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01",
        }
        return self.http.request(method, f"/api/orders/{path}", headers=headers, **options), trace_id

    def order(self) -> tuple[httpx.Response, str]:
        self.ask("PUT", "cart/items/grid-notebook", json={"quantity": 1})
        return self.ask("POST", "orders", json={"items": [{"sku": "grid-notebook", "quantity": 1}]})


def test_an_order_is_one_trace_with_the_session_in_every_span(start, users, collector, cluster):
    customer = Customer(start(), cluster, users.add())
    answer, trace_id = customer.order()
    assert answer.status_code == 201
    assert answer.headers["X-Session-Id"] == customer.session_id
    spans = collector.wait(trace_id, number=10)
    kinds = {span.attributes.get("db.system.name") or span.name for span in spans}
    assert {"redis", "postgresql", "GET", "POST /api/orders/orders"} <= kinds
    assert {span.attributes.get("session.id") for span in spans} == {customer.session_id}
    # The users service is told the trace and the session, and who is meant by a signed assertion only.
    headers = users.headers[-1]
    assert trace_id in headers["traceparent"]
    assert f"session.id={customer.session_id}" in headers["baggage"]
    assert "Cookie" not in headers
    everything = json.dumps([[span.name, span.attributes] for span in collector.spans])
    assert customer.token not in everything


def test_two_users_alternating_on_one_thread_never_meet(start, users, collector, cluster):
    service = start(THREADS="1")
    customers = [Customer(service, cluster, users.add()) for _ in range(2)]
    expected: dict[str, str | None] = {}
    for _ in range(4):
        for customer in customers:
            answer, trace_id = customer.ask("GET", "orders")
            assert answer.json() == {"items": []}
            expected[trace_id] = customer.session_id
        nobody = secrets.token_hex(16)
        headers = {"traceparent": f"00-{nobody}-{secrets.token_hex(8)}-01"}
        answer = service.http.get("/api/orders/orders", headers=headers)
        assert answer.status_code == 401
        assert "X-Session-Id" not in answer.headers
        expected[nobody] = None
    for trace_id, session_id in expected.items():
        spans = collector.wait(trace_id, number=1 if session_id is None else 3)
        assert {span.attributes.get("session.id") for span in spans} == {session_id}
        pseudonyms = {span.attributes.get("enduser.pseudo.id") for span in spans} - {None}
        assert len(pseudonyms) == (0 if session_id is None else 1)
    lines = [line for line in service.lines() if line["event"] == "request" and "orders" in line["path"]]
    assert [line.get("session.id") for line in lines] == list(expected.values())
    assert [line["trace_id"] for line in lines] == list(expected)


def test_an_end_in_another_service_is_seen_at_the_next_request(start, users, cluster):
    customer = Customer(start(), cluster, users.add())
    assert customer.ask("GET", "orders")[0].status_code == 200
    cluster.open(customer.token).end("revoked")
    answer, _ = customer.ask("GET", "orders")
    assert answer.status_code == 401
    assert answer.json()["end_reason"] == "revoked"
    assert "Set-Cookie" not in answer.headers


def test_metrics_count_requests_by_template_and_sessions_by_result(start, users, cluster):
    service = start()
    customer = Customer(service, cluster, users.add())
    customer.ask("GET", "products/moon-map")
    customer.ask("GET", "products/steel-rule")
    customer.ask("GET", "orders")
    service.http.get("/api/orders/nowhere-at-all")
    until = time.monotonic() + SOON
    while 'service_dependency_up{dependency="store"} 1.0' not in (text := service.http.get("/metrics").text):
        assert time.monotonic() < until, "the gauge is set in the background, but it is set"
        time.sleep(0.1)
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def value(name: str, **labels: str) -> float:
        return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())

    requests = "http_server_request_duration_seconds_count"
    assert value(requests, http_route="/api/orders/products/{sku}", http_response_status_code="200") == 2
    assert value(requests, http_route="other", http_response_status_code="404") == 1
    assert value("polysession_sessions_validated_total", result="live") == 1
    assert value("polysession_store_operation_duration_seconds_count", operation="read", outcome="ok") == 1
    assert "moon-map" not in text


def test_a_body_over_the_limit_is_413(start, users, cluster):
    customer = Customer(start(), cluster, users.add())
    answer, _ = customer.ask("POST", "orders", content=b" " * 5000)
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"

    def chunks() -> Iterator[bytes]:
        for _ in range(10):
            yield b" " * 1000

    answer, _ = customer.ask("POST", "orders", content=chunks())
    assert answer.status_code == 413


def test_without_its_store_it_is_not_ready_and_asks_nobody_to_sign_in_again(start, users, cluster):
    service = start(ready=False, REDIS_NODES="127.0.0.1:1")
    until = time.monotonic() + SOON
    while time.monotonic() < until:
        try:
            answer = service.http.get("/readyz")
            break
        except httpx.TransportError:
            time.sleep(0.1)
    assert service.http.get("/livez").status_code == 200
    answer = service.http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["dependencies"]["store"]["up"] is False
    customer = Customer(service, cluster, users.add())
    answer, _ = customer.ask("GET", "orders")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Set-Cookie" not in answer.headers
    assert customer.ask("GET", "products")[0].status_code == 200


def test_a_stop_answers_what_is_under_way_and_closes_cleanly(start, users, cluster):
    service = start()
    customer = Customer(service, cluster, users.add())
    asked, go_on = threading.Event(), threading.Event()
    answer_as_usual = users.answer

    def wait(path: str, headers: dict[str, str]) -> Any:
        asked.set()
        go_on.wait(SOON)
        return answer_as_usual(path, headers)

    users.answer = wait
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(customer.order()[0]))
    thread.start()
    assert asked.wait(SOON)
    service.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    go_on.set()
    thread.join()
    assert answers[0].status_code == 201
    assert service.process.wait(30) == 0
    assert not [line for line in service.lines() if line["level"] in ("error", "critical")]


def test_a_wrong_setting_stops_the_start_and_is_named_without_its_value(start):
    service = start(ready=False, USERS_TIMEOUT_SECONDS="secret-value", PUBLIC_URL="http://shop.example")
    assert service.process.wait(SOON) != 0
    text = service.log.read_text()
    assert "USERS_TIMEOUT_SECONDS" in text
    assert "PUBLIC_URL" in text
    assert "secret-value" not in text
