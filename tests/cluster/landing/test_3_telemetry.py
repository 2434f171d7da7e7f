"""Step 3: one request is one trace, and every pod's sessions are measured."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import httpx

from tests.cluster.kind import ORIGIN
from tests.cluster.pods import Pods, wait
from tests.cluster.ports import forwarded
from tests.cluster.shell import NAMESPACE, RELEASE, kubectl
from tests.person import Person
from tests.spans import has, spans_of

SKU = "steel-rule"
SERVICES = {"edge", "flask-orders", "django-users"}


def test_an_order_is_one_trace_with_the_session_on_every_span(measured: Callable[[object], None]) -> None:
    person = Person(ORIGIN).sign_up().sign_in()
    session_id = person.current()["id"]
    person.put_in_cart(SKU)
    trace_id = secrets.token_hex(16)
    answer = person.order(items={SKU: 1}, traceparent=f"00-{trace_id}-{secrets.token_hex(8)}-01")
    assert answer.status_code == 201, answer.text
    with forwarded("jaeger", 16686) as jaeger:
        took = wait(lambda: has(SERVICES, spans=8)(found(jaeger, trace_id)), "the trace is there", seconds=90)
        spans = spans_of(found(jaeger, trace_id))
    assert {"postgresql", "redis"} <= {span["attributes"].get("db.system.name") for span in spans}
    without = [
        (span["service"], span["operationName"])
        for span in spans
        if span["attributes"].get("session.id") != session_id
    ]
    assert without == []
    measured(f"{len(spans)} spans of {', '.join(sorted(SERVICES))}, complete after {took:.0f} s")


def found(jaeger: httpx.Client, trace_id: str) -> dict[str, Any]:
    answer = jaeger.get(f"/api/traces/{trace_id}")
    traces = answer.json().get("data") if answer.status_code == 200 else None
    return dict(traces[0]) if traces else {"spans": [], "processes": {}}


def test_prometheus_has_the_sessions_of_every_pod(pods: Pods, measured: Callable[[object], None]) -> None:
    wanted = {
        pod.metadata.name
        for pod in pods.all()
        if pod.metadata.labels.get("app.kubernetes.io/component") in ("users", "orders", "keeper")
    }
    assert len(wanted) == 5
    with forwarded("prometheus", 9090) as prometheus:

        def of(query: str) -> list[dict[str, Any]]:
            return list(prometheus.get("/api/v1/query", params={"query": query}).json()["data"]["result"])

        def instances(query: str) -> set[str]:
            return {one["metric"]["instance"] for one in of(query)}

        wait(
            lambda: instances("polysession_sessions_created_total") >= wanted,
            "every pod's metrics",
            seconds=90,
        )
        wait(lambda: len(of("redis_up == 1")) == 6, "every Redis node's metrics", seconds=90)
        assert [one["metric"] for one in of("up == 0")] == []

        def live() -> list[int]:
            return [int(one["value"][1]) for one in of("max(polysession_sessions_live)")]

        wait(lambda: live() == [count()], "live sessions are what the store counts", seconds=60, pause=5)
        measured(f"{live()[0]} live sessions, by Prometheus and by the store; {len(of('up'))} targets up")


def count() -> int:
    """Asked in a pod of the users service."""
    ask = "from polysession.contrib.django import get_manager; print('live', get_manager().count())"
    words = (
        "exec",
        f"deployment/{RELEASE}-users",
        "--namespace",
        NAMESPACE,
        "--",
        "python",
        "/app/manage.py",
    )
    said = kubectl(*words, "shell", "--no-imports", "-c", ask)
    return int(said.rpartition("live ")[2])
