"""The Caddyfile, with stand-ins behind it that say what reached them."""

import gzip
import json
import ssl
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from local.layout import HOST, Layout
from local.parts.edge import Edge
from local.platform import Platform
from local.secrets import Secrets
from local.supervisor import Program

SESSION_ID = "AbCdEfGhIjKlMnOp"
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


@dataclass
class Upstream:
    """What one stand-in was asked."""

    requests: list[tuple[str, str, Message, bytes]] = field(default_factory=list)

    def last(self) -> tuple[str, str, Message, bytes]:
        return self.requests[-1]


@dataclass(frozen=True)
class Running:
    layout: Layout
    users: Upstream
    orders: Upstream
    traces: Upstream

    def client(self) -> httpx.Client:
        verify = (
            ssl.create_default_context(cafile=str(Secrets(self.layout).certificate))
            if self.layout.tls
            else True
        )
        return httpx.Client(base_url=self.layout.public_url, trust_env=False, verify=verify)


class Handler(BaseHTTPRequestHandler):
    upstream: ClassVar[Upstream]

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.upstream.requests.append((self.command, self.path, self.headers, body))
        answer = json.dumps({"path": self.path}).encode()
        self.send_response(401 if "refused" in self.path else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("Set-Cookie", "session=x; HttpOnly")
        self.send_header("Set-Cookie", "csrf=y")
        if "anonymous" not in self.path:
            self.send_header("X-Session-Id", SESSION_ID)
        if "own-policy" in self.path:
            self.send_header("Content-Security-Policy", "default-src 'none'")
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        pass


def serve(port: int) -> tuple[ThreadingHTTPServer, Upstream]:
    upstream = Upstream()
    handler = type("OneHandler", (Handler,), {"upstream": upstream})
    server = ThreadingHTTPServer((HOST, port), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server, upstream


class Set(Edge):
    """An edge with more settings."""

    more: ClassVar[dict[str, str]]

    @property
    def programs(self) -> Sequence[Program]:
        return [
            replace(program, environment={**program.environment, **self.more}) for program in super().programs
        ]


class BehindAProxy(Set):
    """Told of a proxy in front of it: whoever connects here, and a network before that."""

    more = {"EDGE_TRUSTED_PROXIES": f"{HOST}/32 198.51.100.0/24"}


class BehindTls(Set):
    """TLS ends before it, as on Kubernetes."""

    more = {"EDGE_PUBLIC_URL": "https://shop.example.com"}


class SlowToLeave(Set):
    """As in a pod, whose end is not known everywhere at once."""

    more = {"EDGE_SHUTDOWN_DELAY": "2s"}


def run(layout: Layout, *, part: type[Edge] = Edge) -> Iterator[Running]:
    shell = layout.state / "shell"
    (shell / "assets").mkdir(parents=True)
    (shell / "index.html").write_text("<!doctype html><title>Almanac</title>")
    (shell / "assets" / "index-abc.js").write_text("export const clock = 1;\n" * 200)
    (shell / "compass.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    layout = replace(layout, shell=shell)
    served = [serve(port) for port in (layout.ports.users, layout.ports.orders, layout.ports.traces)]
    platform = Platform(layout, stages=((part(layout),),))
    try:
        platform.start()
        yield Running(layout, *(upstream for _, upstream in served))
    finally:
        platform.stop()
        for server, _ in served:
            server.shutdown()
            server.server_close()


@pytest.fixture
def edge(layout: Layout) -> Iterator[Running]:
    yield from run(layout)


@pytest.fixture
def tls_edge(layout: Layout) -> Iterator[Running]:
    yield from run(replace(layout, tls=True))


def test_only_what_is_allowed_by_name_exists(edge: Running) -> None:
    with edge.client() as client:
        hidden = [
            "/internal/users/1",
            "/metrics",
            "/livez",
            "/readyz",
            "/api/other",
            "/api",
            "/telemetry/v1/traces",
        ]
        for path in [*hidden, "/assets/missing.js", "/assets/"]:
            answer = client.get(path, headers={"Accept": "text/html"})
            assert answer.status_code == 404, path
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["status"] == 404
    for upstream in (edge.users, edge.orders, edge.traces):
        assert not [path for _, path, _, _ in upstream.requests if "internal" in path or "metrics" in path]


def test_its_metrics_are_on_a_port_of_their_own_where_nothing_else_is(edge: Running) -> None:
    with edge.client() as client:
        client.get("/api/users/me")
    seen = len(edge.users.requests)
    own = edge.layout.url(edge.layout.ports.edge_metrics)
    with httpx.Client(base_url=own, trust_env=False) as prometheus:
        answer = prometheus.get("/metrics")
        assert answer.status_code == 200
        assert "caddy_http_requests_total{" in answer.text
        assert "caddy_http_request_duration_seconds_bucket{" in answer.text
        for path in ("/", "/metrics/x", "/api/users/me", "/debug/pprof/", "/config/", "/index.html"):
            assert prometheus.get(path, headers={"Accept": "text/html"}).status_code == 404, path
    assert len(edge.users.requests) == seen


def test_a_path_cannot_climb_out_of_its_service(edge: Running) -> None:
    seen = len(edge.users.requests)
    with edge.client() as client:
        for path in (
            "/api/users/../../internal/users/1",
            "/api/users/%2e%2e/%2E%2e/internal/users/1",
            "/api/users/..%2f..%2finternal/users/1",
            "/api/users/%5c..%5cinternal",
            "/..%2f..%2fetc/passwd",
        ):
            # As bytes on the wire: httpx would tidy it up.
            request = client.build_request("GET", "/")
            request.url = request.url.copy_with(raw_path=path.encode())
            assert client.send(request).status_code == 404, path
        assert client.get("/api/users/me", params={"next": "../x", "q": "a/b"}).status_code == 200
    assert len(edge.users.requests) == seen + 1


def test_each_service_gets_its_own_paths_and_both_cookies_come_back(edge: Running) -> None:
    with edge.client() as client:
        answer = client.get("/api/users/me")
        assert edge.users.last()[:2] == ("GET", "/api/users/me")
        assert answer.headers.get_list("Set-Cookie") == ["session=x; HttpOnly", "csrf=y"]
        client.put("/api/orders/cart/items/a?b=1", json={"quantity": 2})
        assert edge.orders.last()[:2] == ("PUT", "/api/orders/cart/items/a?b=1")
        assert edge.orders.last()[3] == b'{"quantity":2}'
        assert client.get("/api/users/refused").status_code == 401


def test_no_answer_of_a_service_is_stored(edge: Running) -> None:
    with edge.client() as client:
        assert client.get("/api/users/me").headers["Cache-Control"] == "no-store"
        assert client.get("/api/other").headers["Cache-Control"] == "no-store"


def test_what_a_client_claims_about_itself_goes_no_further(edge: Running) -> None:
    claims = {
        "Baggage": "session.id=forged",
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Real-IP": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
        "X-Session-Id": "forged",
        "traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01",
    }
    with edge.client() as client:
        client.get("/api/users/anonymous", headers=claims)
    headers = edge.users.last()[2]
    assert headers["X-Forwarded-For"] == HOST
    assert headers["X-Forwarded-Proto"] == "http"
    assert headers["X-Forwarded-Host"] == f"{HOST}:{edge.layout.ports.edge}"
    assert {name for name in ("Baggage", "X-Real-IP", "Forwarded", "X-Session-Id") if headers[name]} == set()
    assert TRACE_ID in headers["traceparent"]


def test_a_trusted_proxy_says_who_the_client_is_and_nobody_else_does(layout: Layout) -> None:
    claims = {"X-Forwarded-For": "10.9.9.9, 203.0.113.9, 198.51.100.7"}
    for edge in run(layout, part=BehindAProxy):
        with edge.client() as client:
            client.get("/api/users/anonymous", headers=claims)
        assert edge.users.last()[2]["X-Forwarded-For"] == "203.0.113.9"


def test_while_it_stops_it_answers_and_asks_for_no_further_request(layout: Layout) -> None:
    for edge in run(layout, part=SlowToLeave):
        with edge.client() as client:
            assert "Connection" not in client.get("/api/users/me").headers
            platform = Platform(layout, stages=((SlowToLeave(edge.layout),),))
            stopping = threading.Thread(target=platform.stop)
            stopping.start()
            told = False
            while stopping.is_alive() and not told:
                answer = client.get("/api/users/me")
                assert answer.status_code == 200
                told = answer.headers.get("Connection") == "close"
            assert told
            stopping.join()


def test_the_session_id_is_on_the_edges_span_and_not_in_the_answer(edge: Running) -> None:
    with edge.client() as client:
        parent = {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01", "X-Forwarded-For": "203.0.113.9"}
        answer = client.get("/api/users/me", headers=parent)
        client.get("/api/users/anonymous", headers=parent)
    assert "X-Session-Id" not in answer.headers
    spans = [span for span in exported(edge) if span.trace_id.hex() == TRACE_ID]
    attributes = [{pair.key: pair.value.string_value for pair in span.attributes} for span in spans]
    assert [found.get("session.id", "") for found in attributes] == [SESSION_ID, ""]
    assert {span.name for span in spans} == {"edge"}
    assert "203.0.113.9" not in str(attributes)


def exported(edge: Running) -> list:
    """The edge's own spans: it flushes them when it stops."""
    Platform(edge.layout, stages=((Edge(edge.layout),),)).stop()
    found = []
    for _, path, headers, body in edge.traces.requests:
        if path == "/v1/traces":
            message = ExportTraceServiceRequest()
            message.ParseFromString(gzip.decompress(body) if headers["Content-Encoding"] == "gzip" else body)
            found += [s for r in message.resource_spans for scope in r.scope_spans for s in scope.spans]
    return sorted(found, key=lambda span: span.start_time_unix_nano)


def test_a_browsers_telemetry_reaches_the_trace_store_without_its_cookie(edge: Running) -> None:
    with edge.client() as client:
        answer = client.post(
            "/telemetry/v1/traces", json={"resourceSpans": []}, headers={"Cookie": "session=x"}
        )
        assert answer.status_code == 200
        method, path, headers, body = edge.traces.last()
        assert (method, path, headers["Cookie"]) == ("POST", "/v1/traces", None)
        assert body == b'{"resourceSpans":[]}'
        assert client.post("/telemetry/v1/traces", content=b"x" * 70_000).status_code == 413


def test_a_body_over_a_mebibyte_is_refused(edge: Running) -> None:
    with edge.client() as client:
        answer = client.post("/api/users/accounts", content=b"x" * (1024 * 1024 + 1))
    assert answer.status_code == 413
    assert answer.json()["status"] == 413


def test_the_shell_is_served_to_who_asks_for_a_page(edge: Running) -> None:
    with edge.client() as client:
        for path in ("/", "/orders/7", "/sign-in"):
            page = client.get(path, headers={"Accept": "text/html"})
            assert page.status_code == 200, path
            assert page.headers["Content-Type"].startswith("text/html")
            assert page.headers["Cache-Control"] == "no-cache"
        assert client.get("/orders/7", headers={"Accept": "application/json"}).status_code == 404
        assert client.post("/orders/7", headers={"Accept": "text/html"}).status_code == 404


def test_files_have_their_type_and_only_those_named_by_content_stay_cached(edge: Running) -> None:
    with edge.client() as client:
        script = client.get("/assets/index-abc.js", headers={"Accept-Encoding": "gzip"})
        assert script.headers["Content-Type"].startswith("text/javascript")
        assert script.headers["Content-Encoding"] == "gzip"
        assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        drawing = client.get("/compass.svg")
        assert drawing.headers["Content-Type"].startswith("image/svg+xml")
        assert "immutable" not in drawing.headers["Cache-Control"]


def test_every_answer_has_the_security_headers(edge: Running) -> None:
    with edge.client() as client:
        for path in ("/", "/assets/index-abc.js", "/api/users/me", "/internal"):
            headers = client.get(path, headers={"Accept": "text/html"}).headers
            policy = headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self';"), path
            assert "unsafe" not in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["X-Frame-Options"] == "DENY"
            assert "Server" not in headers
            assert "Strict-Transport-Security" not in headers
        own = client.get("/api/users/own-policy").headers.get_list("Content-Security-Policy")
        assert own == ["default-src 'none'"]


def test_a_dead_service_is_503_with_a_time_to_try_again(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    layout = replace(layout, shell=tmp_path)
    part = Edge(layout)
    platform = Platform(layout, stages=((OnlyThePage(layout, part),),))
    try:
        platform.start()
        answer = httpx.get(f"{layout.public_url}/api/users/me", trust_env=False, timeout=10)
    finally:
        platform.stop()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "Set-Cookie" not in answer.headers


class OnlyThePage:
    """The edge, ready when it accepts connections: its services are dead on purpose."""

    def __init__(self, layout: Layout, edge: Edge) -> None:
        self._layout = layout
        self._edge = edge

    def __getattr__(self, name: str) -> object:
        return getattr(self._edge, name)

    def settle(self, tick: object) -> None:
        from local.readiness import answers, wait

        wait("edge", answers(f"{self._layout.public_url}/", accept="text/html"), lambda reason: None)


def test_browsers_are_told_to_stay_where_tls_ends_before_the_edge(layout: Layout) -> None:
    for edge in run(layout, part=BehindTls):
        with edge.client() as client:
            for path in ("/", "/api/users/me", "/internal"):
                headers = client.get(path, headers={"Accept": "text/html"}).headers
                assert headers["Strict-Transport-Security"] == "max-age=31536000", path


def test_over_tls_browsers_are_told_to_stay_there(tls_edge: Running) -> None:
    with tls_edge.client() as client:
        answer = client.get("/api/users/me")
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert tls_edge.users.last()[2]["X-Forwarded-Proto"] == "https"
