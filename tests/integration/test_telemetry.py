"""One journey is one trace, with the session in it."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from tests.person import Person
from tests.spans import has, spans_of

SERVICES = {"edge", "django-users", "flask-orders"}


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

    return spans_of(traces.wait(trace_id, is_complete)), session_id


def is_complete(trace: dict[str, Any]) -> bool:
    """A service's server span ends last, perhaps one export after its children."""
    serving = {one["service"] for one in spans_of(trace) if one["attributes"].get("span.kind") == "server"}
    return has(SERVICES, spans=8)(trace) and serving >= {"django-users", "flask-orders"}


def test_an_order_is_one_trace_through_edge_flask_django_sql_and_redis(journey):
    spans, _ = journey
    assert {span["service"] for span in spans} == SERVICES
    systems = {(span["service"], span["attributes"].get("db.system.name")) for span in spans}
    assert {
        ("django-users", "postgresql"),
        ("flask-orders", "postgresql"),
        ("flask-orders", "redis"),
    } <= systems
    ids = {span["spanID"] for span in spans}
    orphans = [
        span["operationName"]
        for span in spans
        if span["service"] != "edge" and not {ref["spanID"] for ref in span["references"]} <= ids
    ]
    assert orphans == []


def test_every_span_of_a_request_that_came_with_a_session_names_it(journey):
    spans, session_id = journey
    without = [
        (span["service"], span["operationName"])
        for span in spans
        if span["attributes"].get("session.id") != session_id
    ]
    assert without == []


def test_a_forged_baggage_reaches_no_span(journey):
    spans, _ = journey
    for span in spans:
        assert "evil" not in span["attributes"]
        assert "forged" not in map(str, span["attributes"].values())


def test_no_span_holds_a_token_or_a_password(person: Person, journey):
    text = str(journey)
    assert str(person.cookie)[22:54] not in text
    assert person.password not in text


def test_the_name_of_a_route_and_not_its_address_names_a_span(journey):
    spans, _ = journey
    names = [span["operationName"] for span in spans if span["attributes"].get("span.kind") == "server"]
    assert any("/api/orders/orders" in name for name in names)
    assert not [
        name for name in names if any(len(part) == 36 and part.count("-") == 4 for part in name.split("/"))
    ]
