"""Prometheus answers with numbers that match the story."""

from __future__ import annotations

import time

from tests.person import Person

CREATED = 'sum(polysession_sessions_created_total{{kind="{0}"}})'
ENDED = 'sum(polysession_sessions_ended_total{{reason="{0}"}})'
LIVE = "max(polysession_sessions_live)"


def test_created_ended_and_live_sessions_match_the_story(prometheus, edge_url: str):
    queries = [
        CREATED.format("anonymous"), CREATED.format("signed_in"),
        ENDED.format("rotated-away"), ENDED.format("logout"), ENDED.format("revoked"), LIVE,
    ]  # fmt: skip
    time.sleep(3)  # what earlier tests did is scraped
    before = [prometheus.value(query) for query in queries]
    person = Person(edge_url).sign_up()
    person.put_in_cart("steel-rule")  # an anonymous session begins
    person.sign_in()  # it is rotated away; a signed-in one begins
    others = [person.elsewhere() for _ in range(2)]
    person.ask("DELETE", "/api/users/sessions", params={"scope": "others"})  # two are revoked
    others[0].sign_in()
    others[0].ask("DELETE", "/api/users/sessions/current")  # one is signed out
    expected = [1, 4, 1, 1, 2, 1]
    for query, start, change in zip(queries, before, expected, strict=True):
        prometheus.wait(query, until=lambda now, wanted=start + change: now == wanted)


def test_the_latency_of_the_store_is_measured_by_operation(person: Person, prometheus):
    person.sign_in()
    person.put_in_cart("steel-rule")
    for operation in ("read", "create", "write"):
        labels = f'operation="{operation}",outcome="ok"'
        query = f"sum(polysession_store_operation_duration_seconds_count{{{labels}}})"
        prometheus.wait(query, until=lambda now: now > 0)


def test_requests_are_counted_by_route_template(person: Person, prometheus):
    for sku in ("steel-rule", "field-notebook"):
        person.http.get(f"/api/orders/products/{sku}")
    template = 'sum(http_server_request_duration_seconds_count{http_route=~"/api/orders/products/.+"})'
    prometheus.wait(template, until=lambda now: now >= 2)
    assert (
        prometheus.value('count(http_server_request_duration_seconds_count{http_route=~".*steel-rule.*"})')
        == 0
    )


def test_the_edge_counts_its_answers_on_a_port_that_browsers_do_not_reach(person: Person, prometheus):
    person.http.get("/api/orders/products/steel-rule")
    prometheus.wait('sum(caddy_http_requests_total{job="edge"})', until=lambda now: now >= 1)


def test_both_services_say_that_they_are_ready(prometheus):
    prometheus.wait('count(up{job=~"users|orders"} == 1)', until=lambda now: now == 2)
    prometheus.wait("min(service_dependency_up)", until=lambda now: now == 1)
