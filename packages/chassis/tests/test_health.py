import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from chassis.health import Health, HealthEndpoints
from opentelemetry import trace
from prometheus_client import REGISTRY


def get(app: Any, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    started: list[tuple[str, list[tuple[str, str]]]] = []
    body = app(
        {"REQUEST_METHOD": method, "PATH_INFO": path},
        lambda status, headers, exc_info=None: started.append((status, headers)),
    )
    status, headers = started[0]
    return int(status[:3]), dict(headers), b"".join(body)


def unreachable(environ: Any, start_response: Any) -> Any:
    raise AssertionError("a probe must not reach the application")


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "did not happen within 20 s"
        time.sleep(0.01)


class DownError(Exception):
    pass


class Dependency:
    """A check whose dependency a test switches on and off."""

    def __init__(self, up: bool) -> None:
        self.up = up

    def __call__(self) -> None:
        if not self.up:
            raise DownError("host db.internal refused")


def test_a_worker_is_ready_when_each_dependency_has_answered_once() -> None:
    database, store = Dependency(True), Dependency(False)
    health = Health({"database": database, "store": store}, interval=0.01)
    app = HealthEndpoints(unreachable, health)
    assert get(app, "/readyz")[0] == 503
    health.start()
    eventually(lambda: health.report().dependencies["database"].answered)
    status, _, body = get(app, "/readyz")
    assert status == 503
    assert json.loads(body)["dependencies"]["store"] == {"up": False, "error": "DownError"}
    store.up = True
    eventually(lambda: get(app, "/readyz")[0] == 200)
    health.stop()


def test_a_dependency_lost_later_shows_in_the_body_and_the_gauge_and_the_worker_stays_ready() -> None:
    store = Dependency(True)
    health = Health({"store": store}, interval=0.01)
    app = HealthEndpoints(unreachable, health)
    health.start()
    eventually(lambda: health.report().ready)
    store.up = False
    eventually(lambda: not health.report().dependencies["store"].up)
    health.publish()
    status, _, body = get(app, "/readyz")
    assert (status, json.loads(body)["status"]) == (200, "ready")
    assert json.loads(body)["dependencies"]["store"]["up"] is False
    assert REGISTRY.get_sample_value("service_dependency_up", {"dependency": "store"}) == 0
    assert REGISTRY.get_sample_value("service_ready") == 1
    health.stop()


def test_the_body_never_says_what_an_error_says() -> None:
    health = Health({"store": Dependency(False)})
    health.check("store", Dependency(False))
    assert b"db.internal" not in get(HealthEndpoints(unreachable, health), "/readyz")[2]


def test_a_check_that_hangs_counts_as_down_and_holds_up_no_probe() -> None:
    release = threading.Event()
    health = Health({"store": release.wait, "database": Dependency(True)}, interval=0.01, cap=1.0)
    health.start()
    eventually(lambda: health.report().dependencies["database"].up)
    eventually(lambda: health.report().dependencies["store"].error == "no answer within 1 s")
    before = time.monotonic()
    assert get(HealthEndpoints(unreachable, health), "/readyz")[0] == 503
    assert time.monotonic() - before < 0.9  # not even the time that a check has
    release.set()
    health.stop()


def test_a_draining_worker_is_alive_and_not_ready() -> None:
    health = Health({})
    app = HealthEndpoints(unreachable, health)
    assert get(app, "/readyz")[0] == 200
    health.drain()
    status, _, body = get(app, "/readyz")
    assert (status, json.loads(body)["status"]) == (503, "draining")
    assert get(app, "/livez")[0] == 200


def test_a_check_makes_no_trace() -> None:
    seen: list[trace.SpanContext] = []
    health = Health({"store": lambda: None})
    health.check("store", lambda: seen.append(trace.get_current_span().get_span_context()))
    assert seen[0].is_valid
    assert not seen[0].trace_flags.sampled


def test_metrics_are_served_beside_the_probes() -> None:
    status, headers, body = get(HealthEndpoints(unreachable, Health({})), "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    assert b"service_ready" in body


def test_any_other_path_reaches_the_application_and_other_methods_are_405() -> None:
    with pytest.raises(AssertionError, match="must not reach"):
        get(HealthEndpoints(unreachable, Health({})), "/livez/")
    assert get(HealthEndpoints(unreachable, Health({})), "/livez", "POST")[0] == 405
