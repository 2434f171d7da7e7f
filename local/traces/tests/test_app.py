import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from local.traces.app import create_app
from local.traces.store import Store
from local.traces.tests.spans import MS, NOW, TRACE, json_export, make_span


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "traces.sqlite")
    yield store
    store.close()


@pytest.fixture
def client(store: Store) -> FlaskClient:
    return create_app(store, clock=lambda: NOW + 60 * 10**9).test_client()


def found(client: FlaskClient, query: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/traces?{query}")
    assert answer.status_code == 200, answer.text
    traces: list[dict[str, Any]] = answer.json["data"]  # type: ignore[index]
    return traces


def test_what_is_exported_is_found_in_jaegers_format(client: FlaskClient) -> None:
    assert client.post("/v1/traces", json=json_export()).json == {}
    [trace] = found(client, "service=react-shell")
    assert trace == client.get(f"/api/traces/{TRACE}").json["data"][0]  # type: ignore[index]
    [span] = trace["spans"]
    assert trace["processes"][span["processID"]]["serviceName"] == "react-shell"
    assert (trace["traceID"], span["traceID"], span["spanID"]) == (TRACE, TRACE, "00f067aa0ba902b7")
    assert (span["startTime"], span["duration"]) == (NOW // 1000, 5000)
    assert span["operationName"] == "Place order"
    assert span["references"] == [
        {"refType": "CHILD_OF", "traceID": TRACE, "spanID": "00f067aa0ba902b6"},
        {"refType": "FOLLOWS_FROM", "traceID": "ab" * 16, "spanID": "cd" * 8},
    ]
    tags = {tag["key"]: (tag["type"], tag["value"]) for tag in span["tags"]}
    assert tags["session.id"] == ("string", "id1")
    assert tags["http.response.status_code"] == ("int64", 201)
    assert tags["sampled"] == ("bool", True)
    assert tags["ratio"] == ("float64", 0.5)
    assert tags["list"] == ("string", '["a", 2]')
    assert tags["span.kind"] == ("string", "client")
    assert tags["error"] == ("bool", True)
    assert tags["otel.status_description"] == ("string", "no network")
    assert span["logs"][0]["timestamp"] == (NOW + MS) // 1000
    assert {"key": "exception.type", "type": "string", "value": "TypeError"} in span["logs"][0]["fields"]


def test_services_and_operations_are_listed(client: FlaskClient, store: Store) -> None:
    store.add([make_span(1, service="users", name="b"), make_span(2, service="edge", name="a")])
    assert client.get("/api/services").json["data"] == ["edge", "users"]  # type: ignore[index]
    assert client.get("/api/services/users/operations").json["data"] == ["b"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("service=orders", 1),
        ("service=users", 0),
        ("service=orders&operation=GET%20/cart", 1),
        ("service=orders&operation=all", 1),
        ("service=orders&operation=other", 0),
        ("tags=%7B%22session.id%22%3A%22id1%22%7D", 1),
        ("tag=session.id:id1&tag=span.kind:server", 1),
        ("tag=session.id:id2", 0),
        ("lookback=2m", 1),
        ("lookback=30s", 0),
        (f"start={NOW // 1000}&end={NOW // 1000 + 10_000}", 1),
        (f"start={NOW // 1000 + 10_000}", 0),
        ("minDuration=4ms&maxDuration=6ms", 1),
        ("minDuration=1.5s", 0),
    ],
)
def test_a_search_finds_what_jaeger_would(client: FlaskClient, store: Store, query: str, count: int) -> None:
    store.add([make_span()])
    assert len(found(client, query)) == count


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=x",
        "tags=session.id",
        "tags=[1]",
        'tags={"a":1}',
        "tag=session.id",
        "start=yesterday",
        "end=-1",
        f"end={'9' * 30}",
        "lookback=1",
        "minDuration=fast",
    ],
)
def test_a_parameter_that_cannot_be_used_is_400_and_says_how_to_write_it(
    client: FlaskClient, query: str
) -> None:
    answer = client.get(f"/api/traces?{query}")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert "rite" in answer.json["detail"]  # type: ignore[index]


def test_an_unknown_trace_is_404(client: FlaskClient) -> None:
    answer = client.get(f"/api/traces/{TRACE}")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    page = client.get(f"/trace/{TRACE}")
    assert (page.status_code, page.mimetype) == (404, "text/html")


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {"Content-Type": "application/json"}, 400),
        (b"\xff\xff", {"Content-Type": "application/x-protobuf"}, 400),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {"Content-Type": "application/json", "Content-Encoding": "br"}, 415),
        (b" " * (16 * 1024 * 1024 + 1), {"Content-Type": "application/json"}, 413),
        (
            gzip.compress(b" " * (16 * 1024 * 1024 + 1)),
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
            413,
        ),
    ],
)
def test_an_export_that_cannot_be_used_is_a_problem(
    client: FlaskClient, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = client.post("/v1/traces", data=body, headers=headers)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.json["status"] == status  # type: ignore[index]


def test_refused_spans_are_told_and_the_others_kept(client: FlaskClient) -> None:
    document = json_export()
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans.append(spans[0] | {"spanId": "00" * 8})
    answer = client.post("/v1/traces", json=document)
    assert answer.json["partialSuccess"]["rejectedSpans"] == "1"  # type: ignore[index]
    assert len(found(client, "service=react-shell")) == 1


def test_the_list_shows_each_trace_and_filters_by_service_session_and_failure(
    client: FlaskClient, store: Store
) -> None:
    other = "ab" * 16
    store.add([make_span(), make_span(trace_id=other, service="users", failed=True, attributes={})])
    links = {name: f'href="/trace/{name}"' for name in (TRACE, other)}
    for query, shown in {
        "": {TRACE, other},
        "service=users": {other},
        "session=id1": {TRACE},
        "failed=1": {other},
        "session=id1&failed=1": set(),
    }.items():
        page = client.get(f"/?{query}").text
        assert {name for name, link in links.items() if link in page} == shown, query
    assert "59 s ago" in client.get("/").text
    assert "No trace matches" in client.get("/?session=nobody").text


def test_the_waterfall_shows_name_duration_and_session_of_each_span(
    client: FlaskClient, store: Store
) -> None:
    store.add([make_span(1, end=NOW + 20 * MS), make_span(2, parent=1, name="HGETALL")])
    page = client.get(f"/trace/{TRACE}").text
    assert page.count("<details") == 2
    assert "HGETALL" in page
    assert "5.00 ms" in page
    assert page.count('title="session.id id1"') == 2


def test_nothing_that_a_span_says_becomes_markup(client: FlaskClient, store: Store) -> None:
    evil = "<script>alert(1)</script>"
    store.add(
        [make_span(name=evil, service=evil, attributes={evil: evil, "session.id": evil}, status_message=evil)]
    )
    for path in ("/", f"/trace/{TRACE}", f"/?session={evil}"):
        answer = client.get(path)
        assert "<script" not in answer.text
        assert "alert(1)" in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_pages_have_no_inline_style_or_script_that_the_policy_would_block(
    client: FlaskClient, store: Store
) -> None:
    store.add([make_span()])
    for path in ("/", f"/trace/{TRACE}", "/?session=x"):
        text = client.get(path).text
        assert " style=" not in text
        assert "<script" not in text


def test_it_says_that_it_lives(client: FlaskClient) -> None:
    assert json.loads(client.get("/livez").text) == {"status": "live"}
