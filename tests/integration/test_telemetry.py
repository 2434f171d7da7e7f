"""One journey is one trace, with the session in it."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from tests.person import Person

SERVICES = {"edge", "django-users", "flask-orders"}


def tags(span: dict[str, Any]) -> dict[str, Any]:
    return {tag["key"]: tag["value"] for tag in span["tags"]}


def service(trace: dict[str, Any], span: dict[str, Any]) -> str:
    return str(trace["processes"][span["processID"]]["serviceName"])


@pytest.fixture
def journey(person: Person, traces):
    """An order's trace: edge -> Flask -> Django -> SQL and Redis."""
    person.sign_in()
    person.put_in_cart("steel-rule")
    lines, csrf, session_id = person.cart(), person.csrf(), person.current()["id"]
    trace_id = secrets.token_hex(16)
    answer = person.order(
        items=lines,
        traceparent=f"00-{trace_id}-{secrets.token_hex(8)}-01",
        baggage="session.id=forged,evil=1",
        **{"X-CSRF-Token": csrf},
    )
    assert answer.status_code == 201, answer.text

    def whole(trace: dict[str, Any]) -> bool:
        found = {service(trace, span) for span in trace["spans"]}
        return found >= SERVICES and len(trace["spans"]) >= 8

    return traces.wait(trace_id, whole), session_id, answer


def test_an_order_is_one_trace_through_edge_flask_django_sql_and_redis(journey):
    trace, _, _ = journey
    assert {service(trace, span) for span in trace["spans"]} == SERVICES
    systems = {
        (service(trace, s), tags(s).get("db.system.name") or tags(s).get("db.system")) for s in trace["spans"]
    }
    for name in ("django-users", "flask-orders"):
        assert (name, "postgresql") in systems
    assert ("flask-orders", "redis") in systems
    ids = {span["spanID"] for span in trace["spans"]}
    orphans = [
        span["operationName"] for span in trace["spans"]
        if span["references"] and span["references"][0]["spanID"] not in ids and service(trace, span) != "edge"
    ]  # fmt: skip
    assert orphans == []


def test_every_span_of_a_request_that_came_with_a_session_names_it(journey):
    trace, session_id, _ = journey
    without = [
        (service(trace, s), s["operationName"])
        for s in trace["spans"]
        if tags(s).get("session.id") != session_id
    ]
    assert without == []


def test_a_forged_baggage_reaches_no_span(journey):
    trace, _, _ = journey
    for span in trace["spans"]:
        assert "evil" not in tags(span)
        assert "forged" not in map(str, tags(span).values())


def test_no_span_holds_a_token_or_a_password(person: Person, journey):
    trace, _, _answer = journey
    text = str(trace)
    assert str(person.cookie) not in text
    assert str(person.cookie)[22:54] not in text
    assert person.password not in text


def test_the_name_of_a_route_and_not_its_address_names_a_span(journey):
    trace, _, _ = journey
    names = [span["operationName"] for span in trace["spans"] if tags(span).get("span.kind") == "server"]
    assert any("orders" in name for name in names)
    assert not [name for name in names if person_like(name)]


def person_like(name: str) -> bool:
    """A UUID in a span's name makes as many names as there are users."""
    return any(len(part) == 36 and part.count("-") == 4 for part in name.split("/"))
