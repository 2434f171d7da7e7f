from pathlib import Path
from typing import Any

import pytest
from chassis import metrics
from chassis.metrics import ROUTE, HTTPMetrics
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

NAME = "http_server_request_duration_seconds"


def count(method: str, route: str, status: str) -> float:
    labels = {
        "http_request_method": method,
        "http_route": route,
        "http_response_status_code": status,
    }
    return REGISTRY.get_sample_value(f"{NAME}_count", labels) or 0


def serve(app: Any, method: str = "GET", path: str = "/") -> None:
    body = app({"REQUEST_METHOD": method, "PATH_INFO": path}, lambda status, headers, exc_info=None: None)
    list(body)
    body.close()


def test_a_request_is_counted_by_the_template_that_the_framework_found() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        environ[ROUTE] = "/products/{sku}"
        start_response("404 Not Found", [])
        return [b""]

    ticks = iter([10.0, 10.3])
    before = count("GET", "/products/{sku}", "404")
    serve(HTTPMetrics(app, clock=lambda: next(ticks)))
    assert count("GET", "/products/{sku}", "404") == before + 1
    labels = {
        "http_request_method": "GET",
        "http_route": "/products/{sku}",
        "http_response_status_code": "404",
    }
    assert REGISTRY.get_sample_value(f"{NAME}_sum", labels) == pytest.approx(0.3)


def test_a_client_cannot_make_new_series() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("404 Not Found", [])
        return []

    before = count("_OTHER", "other", "404")
    serve(HTTPMetrics(app), "BREW", "/wp-login.php")
    serve(HTTPMetrics(app), "HACK", "/other.php")
    assert count("_OTHER", "other", "404") == before + 2


def test_a_request_counts_when_its_body_is_done_and_an_exception_counts_as_500() -> None:
    def streaming(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"a", b"b"]

    def broken(environ: Any, start_response: Any) -> list[bytes]:
        raise RuntimeError("no answer")

    before = count("GET", "/stream", "200")
    body: Any = HTTPMetrics(streaming, lambda environ: "/stream")({"REQUEST_METHOD": "GET"}, lambda *_: None)  # type: ignore[arg-type]
    list(body)
    assert count("GET", "/stream", "200") == before
    body.close()
    assert count("GET", "/stream", "200") == before + 1
    before = count("GET", "/broken", "500")
    with pytest.raises(RuntimeError):
        HTTPMetrics(broken, lambda environ: "/broken")({"REQUEST_METHOD": "GET"}, lambda *_: None)  # type: ignore[arg-type]
    assert count("GET", "/broken", "500") == before + 1


class Good(Collector):
    def collect(self) -> Any:
        yield GaugeMetricFamily("good_things", "Things.", value=3)


class Bad(Collector):
    def collect(self) -> Any:
        raise ConnectionError("the store is away")


def test_a_collector_that_fails_takes_nothing_else_with_it() -> None:
    body, content_type = metrics.exposition([Bad(), Good()])
    assert b"good_things 3.0" in body
    assert NAME.encode() in body
    assert content_type.startswith("text/plain")


def test_wiping_deletes_metric_files_and_nothing_else(tmp_path: Path) -> None:
    directory = tmp_path / "metrics"
    metrics.wipe(directory)
    (directory / "counter_1.db").write_text("")
    (directory / "keep.txt").write_text("")
    metrics.wipe(directory)
    assert [path.name for path in directory.iterdir()] == ["keep.txt"]
