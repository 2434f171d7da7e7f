"""Prometheus answers with numbers that match the story."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest

from tests.person import Person


@pytest.fixture
def value(platform) -> Callable[[str], float]:
    url = f"http://127.0.0.1:{platform.layout.ports.prometheus}/api/v1/query"

    def value(query: str) -> float:
        answer = httpx.get(url, params={"query": query}, trust_env=False)
        assert answer.status_code == 200, answer.text
        result = answer.json()["data"]["result"]
        return float(result[0]["value"][1]) if result else 0.0

    return value


def eventually(read: Callable[[], float], expected: float) -> float:
    """Prometheus sees a number at its next scrape."""
    deadline = time.monotonic() + 30
    while (found := read()) != expected and time.monotonic() < deadline:
        time.sleep(0.25)
    return found


CREATED = 'sum(polysession_sessions_created_total{{kind="{0}"}})'
ENDED = 'sum(polysession_sessions_ended_total{{reason="{0}"}})'
LIVE = "max(polysession_sessions_live)"


def test_created_ended_and_live_sessions_match_the_story(platform, value, edge_url: str):
    queries = [
        CREATED.format("anonymous"), CREATED.format("signed_in"),
        ENDED.format("rotated-away"), ENDED.format("logout"), ENDED.format("revoked"), LIVE,
    ]  # fmt: skip
    time.sleep(3)  # what earlier tests did is scraped
    before = [value(query) for query in queries]
    person = Person(edge_url).sign_up()
    person.put_in_cart("steel-rule")  # an anonymous session begins
    person.sign_in()  # it is rotated away; a signed-in one begins
    others = [person.elsewhere() for _ in range(2)]
    person.ask("DELETE", "/api/users/sessions", params={"scope": "others"})  # two are revoked
    others[0].sign_in()
    others[0].ask("DELETE", "/api/users/sessions/current")  # one is signed out
    expected = [1, 4, 1, 1, 2, 1]
    found = [
        eventually(lambda q=query, b=start: value(q) - b, change)
        for query, start, change in zip(queries, before, expected, strict=True)
    ]
    assert found == expected


def test_the_latency_of_the_store_is_measured_by_operation(person: Person, value):
    person.sign_in()
    person.put_in_cart("steel-rule")
    for operation in ("read", "create", "write"):
        query = (
            f'sum(polysession_store_operation_duration_seconds_count{{operation="{operation}",outcome="ok"}})'
        )
        assert eventually(lambda q=query: min(value(q), 1), 1) == 1, operation


def test_requests_are_counted_by_route_template(person: Person, value):
    person.sign_in()
    for sku in ("steel-rule", "field-notebook"):
        person.http.get(f"/api/orders/products/{sku}")
    routes = 'count(http_server_request_duration_seconds_count{http_route=~".*steel-rule.*"})'
    template = 'sum(http_server_request_duration_seconds_count{http_route=~"/api/orders/products/.+"})'
    assert eventually(lambda: float(value(template) >= 2), 1) == 1
    assert value(routes) == 0


def test_both_services_say_that_they_are_ready(value):
    assert value('count(up{job=~"users|orders"} == 1)') == 2
    assert value("min(service_dependency_up)") == 1
